package app

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/token"
)

// offboardings builds what follows memberships that end, and has it run.
func (a *App) offboardings(ids *token.Source) *lifecycle.Offboardings {
	s := lifecycle.NewOffboardings(lifecycle.OffboardingOptions{
		DB: a.db, Events: a.events, IDs: ids, Organizations: a.organizations, Directories: a.directories, Webhooks: a.webhooks, Issuer: a.signIn.issuer,
		Observe: a.metrics.spans("rollcall_offboarding_seconds", "Seconds from the identity provider's request, or the end of a membership by hand, to the last step of its receipt."),
		Now:     time.Now, Logger: a.log,
	})
	a.background("offboardings", s.Run)
	return s
}
