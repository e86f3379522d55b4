package scimapi_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// BenchmarkDeactivation is a PATCH of active to false of somebody who has 50 sessions, beside a PATCH of an attribute that members take
// nothing of, and beside the same where the app keeps the accounts. They take turns, so that a busy machine is busy for all; medians are
// compared. The people take turns too: nobody's fifty sessions end a hundred times within the week for which ended ones are gone past. The first
// rounds are not counted.
func BenchmarkDeactivation(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		for _, delay := range []time.Duration{0, 2 * time.Millisecond} {
			b.Run(fmt.Sprintf("%s/fsync+%s", engine, delay), func(b *testing.B) {
				o := dbtest.Options(b, engine, migrations.Files)
				o.CommitDelay = delay
				o.URL = waiting(o.URL, delay)
				d, err := db.Open(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() {
					if err := d.Close(); err != nil {
						b.Error(err)
					}
				})
				benchmarkDeactivation(b, d)
			})
		}
	}
}

func benchmarkDeactivation(b *testing.B, d *db.DB) {
	const people, others, warm, sessionsEach, plainEach = 100, 100, 50, 50, 4
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	without := scimapitest.New(b, d).Linked(directory.New{})
	h := scimapitest.New(b, d)
	ids := token.NewSource(time.Now)
	sessions := session.NewService(session.Options{DB: d, Events: h.Log, IDs: ids, Now: time.Now})
	members := member.NewService(d, h.Log, ids, h.Organizations, sessions, time.Now)
	h.Directories.SetMembers(members, access.NewService(access.Options{DB: d, Events: h.Log, IDs: ids, Now: time.Now, Living: func(context.Context, db.Tx, string) error { return nil }}))
	domain, err := h.Organizations.CreateDomain(b.Context(), event.Actor{}, h.Organization.ID, "load.example")
	must(err)
	_, err = h.Organizations.VouchForDomain(b.Context(), event.Actor{}, domain.ID)
	must(err)
	f := h.Linked(directory.New{Provisioning: directory.Direct})
	hire := func(f *scimapitest.Feed, i int) string {
		return f.Do("POST", "/Users", string(benchUser(i, "Engineer"))).Want(201).Object()["id"].(string)
	}
	type leaver struct{ id, user string }
	leavers, other := make([]leaver, people), hire(without, 0)
	for i := range leavers {
		leavers[i].id = hire(f, i)
	}
	must(h.Directories.Provision(b.Context()))
	for i := range leavers {
		user, err := members.UserByEmail(b.Context(), fmt.Sprintf("u%07d@load.example", i))
		must(err)
		leavers[i].user = string(user.ID)
	}

	patch := func(f *scimapitest.Feed, id, attribute, value string) float64 {
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":%q,"value":%s}]}`, attribute, value)
		start := time.Now()
		f.Do("PATCH", "/Users/"+id, body).Want(200)
		return float64(time.Since(start)) / float64(time.Microsecond)
	}
	for i := range others {
		open(b, d, sessions, string(h.Organization.ID), fmt.Sprintf("user_other%d", i), sessionsEach)
	}
	var out, change, bare []float64
	turn := func(n int) {
		must(d.Analyze(b.Context())) // as a server does every few seconds
		leaver := leavers[n%people]
		open(b, d, sessions, string(h.Organization.ID), leaver.user, sessionsEach)
		for k := range plainEach {
			bare = append(bare, patch(without, other, "displayName", fmt.Sprintf("%q", fmt.Sprint(n, k))))
			change = append(change, patch(f, leaver.id, "displayName", fmt.Sprintf("%q", fmt.Sprint(n, k))))
		}
		out = append(out, patch(f, leaver.id, "active", "false"))
		patch(f, leaver.id, "active", "true")
		must(h.Directories.Provision(b.Context()))
	}
	for n := range warm { // each connection plans each statement six times before it keeps the plan
		turn(n)
	}
	out, change, bare = nil, nil, nil
	for n := warm; b.Loop(); n++ {
		turn(n)
	}
	var left int64
	must(d.QueryRow(b.Context(), `SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL AND user_id NOT LIKE 'user_other%'`).Scan(&left))
	if left != 0 {
		b.Fatalf("%d sessions are left", left)
	}
	middle := func(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }
	b.ReportMetric(middle(out), "µs/deactivation")
	b.ReportMetric(middle(change), "µs/patch")
	b.ReportMetric(middle(out)/middle(change), "patches/deactivation")
	b.ReportMetric(middle(change)/middle(bare), "patches/patch-without-accounts")
}

// waiting has every commit at a PostgreSQL wait before its fsync.
func waiting(address string, delay time.Duration) string {
	if address == "" || delay == 0 {
		return address
	}
	joint := "?"
	if strings.Contains(address, "?") {
		joint = "&"
	}
	return address + joint + "options=" + strings.ReplaceAll(url.QueryEscape(fmt.Sprintf("-c commit_delay=%d -c commit_siblings=0", delay.Microseconds())), "+", "%20")
}

// open gives somebody sessions.
func open(b *testing.B, d *db.DB, sessions *session.Service, organization, user string, n int) {
	b.Helper()
	var w db.Write
	for range n {
		sessions.StartInto(&w, session.New{
			Cookie: token.HashOf(token.NewSecret("cookie")), OrganizationID: organization, UserID: user, Method: session.SSO,
			Life: session.Life{Idle: time.Hour, Absolute: time.Hour},
		})
	}
	if err := d.Write(b.Context(), &w); err != nil {
		b.Fatal(err)
	}
}
