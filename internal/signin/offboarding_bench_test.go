package signin_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// BenchmarkDeactivation is a SCIM change of active to false of somebody who has 50 sessions, beside one of an attribute that members take
// nothing of, and beside that one where the app keeps the accounts. The three take turns, so that a busy machine is busy for all; medians are
// compared.
func BenchmarkDeactivation(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		b.Run(string(engine), func(b *testing.B) { benchmarkDeactivation(b, dbtest.Open(b, engine, migrations.Files)) })
	}
}

func benchmarkDeactivation(b *testing.B, d *db.DB) {
	const sessions = 50
	w := newWorld(b, d)
	w.provisioned()
	f := w.feed(directory.New{Provisioning: directory.Direct})
	plain := w.enter(directory.NewService(directory.Options{
		DB: d, Events: w.events, IDs: token.NewSource(time.Now), Now: w.now, APIKeys: w.orgs,
	}), f.secret)
	bob := f.hire(`{"userName":"bob@acme.example","name":{"givenName":"Bob","familyName":"Liddell"},"title":"Engineer","active":true}`)
	u := f.hire(`{"userName":"alice@acme.example","name":{"givenName":"Alice","familyName":"Liddell"},"title":"Engineer","active":true}`)
	w.provision()
	m := w.member("alice@acme.example")
	open := session.NewService(session.Options{DB: d, Events: w.events, IDs: token.NewSource(time.Now), Now: w.now})
	var out, change, without []float64
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		var write db.Write
		for range sessions {
			open.StartInto(&write, session.New{
				Cookie: token.HashOf(token.NewSecret("cookie")), OrganizationID: string(w.org.ID), UserID: string(m.User.ID), Method: session.SSO,
				AuthenticatedAt: w.now(), Life: session.Life{Idle: time.Hour, Absolute: time.Hour},
			})
		}
		w.ok(d.Write(ctx, &write))
		for k := range 8 {
			without = append(without, took(func() { plain.rename(bob.ID, fmt.Sprintf("without %d %d", n, k)) }))
			change = append(change, took(func() { f.rename(u.ID, fmt.Sprintf("with %d %d", n, k)) }))
		}
		b.StartTimer()
		out = append(out, took(func() { f.active(u.ID, false) }))
		b.StopTimer()
		f.active(u.ID, true)
		w.provision()
		b.StartTimer()
	}
	if got := w.revoked(); len(got) == 0 {
		b.Fatal("no session was ended")
	}
	b.ReportMetric(median(out), "µs/deactivation")
	b.ReportMetric(median(change), "µs/change")
	b.ReportMetric(median(out)/median(change), "changes/deactivation")
	b.ReportMetric(median(change)/median(without), "changes/change-without-accounts")
}

func (f feed) rename(id directory.UserID, name string) {
	f.w.t.Helper()
	_, _, err := f.dirs.UpdateUser(ctx, f.door, string(id), directory.Condition{}, func(o *scim.Object) (*scim.Object, error) {
		o = o.Clone()
		o.Set("displayName", scim.StringOf(name))
		return o, nil
	}, nil)
	f.w.ok(err)
}
