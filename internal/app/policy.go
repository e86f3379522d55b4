package app

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// policies builds the verbs on who may come in, over the nouns that are there already.
func (a *App) policies(c Config, ids *token.Source) *lifecycle.Policies {
	living := func(ctx context.Context, tx db.Tx, id string) error {
		return a.organizations.LockTx(ctx, tx, org.ID(id))
	}
	return lifecycle.NewPolicies(lifecycle.PolicyOptions{
		DB: a.db, Events: a.events, Organizations: a.organizations, Directories: a.directories, Members: a.signIn.members, Connections: a.signIn.connections,
		Sessions: a.signIn.sessions, Mails: a.signIn.mails, Now: time.Now, ProfilesOnly: c.Accounts == AccountsApp,
		Access: access.NewService(access.Options{DB: a.db, Events: a.events, IDs: ids, Living: living, Now: time.Now}),
	})
}
