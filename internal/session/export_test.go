package session

import "time"

// SessionsHere is the statement behind AskInBrowser.
const SessionsHere = sessionsHere

// LivingStatement is the statement behind Living.
func LivingStatement(sel Selection) (string, []any, error) {
	text, args, err := sel.living(time.Now())
	return selectSession + text + livingLast, args, err
}
