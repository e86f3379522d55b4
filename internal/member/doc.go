// Package member is who is in, how, why, and how they leave: users, their identities and organization memberships.
package member
