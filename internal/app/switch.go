package app

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/token"
)

// switches builds the verbs that change identity providers, and has those whose time is over finished.
func (a *App) switches(c Config, ids *token.Source) *lifecycle.Switches {
	s := lifecycle.NewSwitches(lifecycle.SwitchOptions{
		DB: a.db, Events: a.events, IDs: ids, Organizations: a.organizations, Directories: a.directories, Connections: a.signIn.connections,
		Members: a.signIn.members, Access: a.signIn.members.Access(), Now: time.Now, Logger: a.log, ProfilesOnly: c.Accounts == AccountsApp,
	})
	a.background("switches", s.Run)
	return s
}
