package org

// What tests outside look into.
const (
	Unanswered = unanswered
	MaxKeys    = maxKeys
)

// Look and ParseDomain are pure but for the resolver they are given.
var (
	Look        = look
	ParseDomain = parseDomain
)
