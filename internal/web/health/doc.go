// Package health draws what is known of how a directory is kept, alike for the operator and for the IT admin of an organization.
package health

//go:generate go tool templ generate -path . -log-level error
