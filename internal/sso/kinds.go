package sso

// Type is the kind of a connection in the contract's words.
type Type string
