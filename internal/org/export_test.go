package org

// What tests outside look into.
const (
	Unanswered = unanswered
	MaxKeys    = maxKeys
)

// Look, ParseDomain and Repeat are pure but for what they are given.
var (
	Look        = look
	ParseDomain = parseDomain
	Repeat      = repeat
)
