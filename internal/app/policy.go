package app

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
)

// policies builds the verbs on who may come in, over the nouns that are there already.
func (a *App) policies(c Config) *lifecycle.Policies {
	return lifecycle.NewPolicies(lifecycle.PolicyOptions{
		DB: a.db, Events: a.events, Organizations: a.organizations, Directories: a.directories, Members: a.signIn.members, Connections: a.signIn.connections,
		Sessions: a.signIn.sessions, Mails: a.signIn.mails, Now: time.Now, ProfilesOnly: c.Accounts == AccountsApp,
		Access: a.signIn.members.Access(),
	})
}
