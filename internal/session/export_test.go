package session

// SessionsHere is the statement behind AskInBrowser.
const SessionsHere = sessionsHere
