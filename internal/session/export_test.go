package session

import "time"

// SessionsHere is the statement behind AskInBrowser.
const SessionsHere = sessionsHere

// LivingStatement is the statement behind Living.
func LivingStatement(sel Selection) (string, []any, error) {
	return sel.living(selectSession, time.Now())
}
