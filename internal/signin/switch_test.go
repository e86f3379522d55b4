package signin_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/token"
)

func (w *world) switches() *lifecycle.Switches {
	return lifecycle.NewSwitches(lifecycle.SwitchOptions{
		DB: w.db, Events: w.events, IDs: token.NewSource(time.Now), Organizations: w.orgs, Directories: w.dirs, Connections: w.conns, Members: w.members,
		Access: w.members.Access(), Now: w.now,
	})
}

// group is a POST of a group.
func (f feed) group(document string, members ...directory.User) directory.Group {
	f.w.t.Helper()
	o, err := scim.ReadObject([]byte(document), scim.DefaultLimits)
	f.w.ok(err)
	refs := make([]scim.MemberRef, len(members))
	for i, m := range members {
		refs[i] = scim.MemberRef{Value: string(m.ID)}
	}
	g, err := f.dirs.CreateGroup(ctx, f.door, o, refs, nil)
	f.w.ok(err)
	return g
}

// moving is an organization with Okta that goes to Entra ID.
type moving struct {
	*world
	s            *lifecycle.Switches
	old, next    feed
	was, is      map[string]directory.User // by what stands before the @ of their address
	conn2        sso.Connection
	idp2         *samltest.IDP
	sw           switching.Switch
	engineers    directory.Group
	newEngineers directory.Group
}

func name(i int) string {
	if i == 1 {
		return "alice"
	}
	return fmt.Sprintf("p%02d", i)
}

const staff = 40

// settled is the organization before anything has begun: 40 people in Okta, of whom one has an address outside the verified domain, with teams
// that follow groups, and a role for engineers.
func settled(w *world) *moving {
	w.t.Helper()
	w.provisioned()
	m := &moving{world: w, s: w.switches(), was: map[string]directory.User{}, is: map[string]directory.User{}}
	m.old = w.feed(directory.New{Provisioning: directory.Direct})
	for i := 1; i <= staff; i++ {
		domain := "acme.example"
		if i == 12 {
			domain = "elsewhere.example"
		}
		m.was[name(i)] = m.old.hire(fmt.Sprintf(`{"userName":"%[1]s@%[2]s","externalId":"okta-%[1]s","name":{"givenName":"%[1]s"},"active":true}`, name(i), domain))
	}
	m.engineers = m.old.group(`{"displayName":"Engineering","externalId":"okta-g1"}`, m.was["alice"], m.was["p02"], m.was["p09"])
	m.old.group(`{"displayName":"Legal"}`, m.was["p03"])
	_, err := w.members.Access().CreateRole(ctx, operator(), access.NewRole{OrganizationID: string(w.org.ID), Slug: "editor", Name: "Editor"})
	w.ok(err)
	m.map1(string(m.old.door.Directory.ID), `[{"set":"role","to":"editor","when":{"group_id":"`+string(m.engineers.ID)+`"}}]`)
	m.old = w.enter(w.dirs, m.old.secret)
	w.provision()
	w.provision()
	return m
}

// map1 saves a mapping that drives roles, and teams that follow groups.
func (m *moving) map1(directoryID, rules string) {
	m.t.Helper()
	parsed, err := access.ParseRules([]byte(rules))
	m.ok(err)
	_, err = lifecycle.NewMappings(m.db, m.members.Access(), m.dirs).Set(ctx, operator(), access.NewMapping{
		OrganizationID: string(m.org.ID), SourceID: directoryID, DrivesRoles: true, DrivesTeams: true, TeamsFollow: true, Rules: parsed,
	})
	m.ok(err)
}

// toEntra has a switch to Entra ID in preparation: a connection, and a directory that has collected.
func toEntra(w *world) *moving {
	w.t.Helper()
	m := settled(w)
	m.idp2 = samltest.New("https://entra.example/metadata")
	m.conn2 = w.connect(w.org.ID, m.idp2, "")
	m.next = w.feed(directory.New{Provisioning: directory.Direct, Silent: true})
	m.begin()
	m.fill()
	w.provision()
	return m
}

func (m *moving) begin() {
	m.t.Helper()
	var err error
	m.sw, err = m.s.Create(ctx, operator(), m.org.ID, lifecycle.NewSwitch{
		Connection: switching.Pair{From: string(m.conn.ID), To: string(m.conn2.ID)},
		Directory:  switching.Pair{From: string(m.old.door.Directory.ID), To: string(m.next.door.Directory.ID)},
	})
	m.ok(err)
}

// fill brings the people of Entra ID: most under the same name; one by an address, one by the external id, two whom nobody can tell, two who are
// missing, one outside the verified domain, one who is not active there, and two who are new.
func (m *moving) fill() {
	m.t.Helper()
	for i := 1; i <= staff; i++ {
		switch n := name(i); i {
		case 5:
			m.is[n] = m.next.hire(`{"userName":"upn5","externalId":"e-p05","emails":[{"value":"P05@acme.example","primary":true}],"active":true}`)
		case 6:
			m.is[n] = m.next.hire(`{"userName":"renamed6@acme.example","externalId":"okta-p06","active":true}`)
		case 7:
			m.is["p07a"] = m.next.hire(`{"userName":"upn7a","emails":[{"value":"p07@acme.example"}],"active":false}`)
			m.is["p07b"] = m.next.hire(`{"userName":"upn7b","emails":[{"value":"p07@acme.example"}],"active":false}`)
		case 8:
			m.is["p08a"] = m.next.hire(`{"userName":"p08@acme.example","externalId":"e-p08","active":true}`)
			m.is["p08b"] = m.next.hire(`{"userName":"other8","externalId":"okta-p08","active":true}`)
		case 9, 10:
		case 11:
			m.is[n] = m.next.hire(`{"userName":"p11@acme.example","externalId":"e-p11","active":false}`)
		case 12:
			m.is[n] = m.next.hire(`{"userName":"upn12","emails":[{"value":"p12@elsewhere.example"}],"active":true}`)
		default:
			m.is[n] = m.next.hire(fmt.Sprintf(`{"userName":"%[1]s@acme.example","externalId":"e-%[1]s","active":true}`, n))
		}
	}
	m.is["p41"] = m.next.hire(`{"userName":"p41@acme.example","externalId":"e-p41","active":true}`)
	m.is["p42"] = m.next.hire(`{"userName":"p42@acme.example","externalId":"e-p42","active":true}`)
	m.newEngineers = m.next.group(`{"displayName":"engineering","externalId":"e-g1"}`, m.is["alice"], m.is["p02"], m.is["p41"])
	m.next.group(`{"displayName":"Sales"}`, m.is["p04"], m.is["p42"])
}

// through has the person of the world come in through one of the connections.
func (m *moving) through(b *browser, c sso.Connection, p *samltest.IDP, objectID string) answer {
	m.t.Helper()
	to := b.get(m.authorization("connection", string(c.ID), "scope", offline, "prompt", "login"))
	if to.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to.Header.Get("Location"), "https://idp.example") {
		return to
	}
	u := to.location(m.t)
	return m.answered(b, c, p, objectID, m.requestID(u), u.Query().Get("RelayState"))
}

func (m *moving) answered(b *browser, c sso.Connection, p *samltest.IDP, objectID, request, relay string) answer {
	m.t.Helper()
	at := c.Addresses(m.server.URL)
	msg := p.Message(samltest.To{EntityID: at.EntityID, ACS: at.ACS}, m.now())
	msg.InResponseTo, msg.ID, msg.AssertionID = request, "_r"+request, "_a"+request
	msg.Attributes[3].Values = []string{objectID}
	return b.post("/saml/"+c.Key+"/acs", posted(p.Respond(msg, samltest.AssertionSigned), relay))
}

// tested makes a test sign-in through the new connection.
func (m *moving) tested() {
	m.t.Helper()
	address, err := m.signIns.NewTest(ctx, m.conn2.ID)
	m.ok(err)
	b := m.browser()
	to := b.get(address).location(m.t)
	m.answered(b, m.conn2, m.idp2, "e-alice", m.requestID(to), to.Query().Get("RelayState"))
	if found := m.attempts(m.conn2); len(found) == 0 || found[0].State != sso.Succeeded {
		m.t.Fatalf("the test came to %+v", found)
	}
}

func number(n int) *int { return &n }

// expected are the right numbers.
func expected() lifecycle.Expected {
	return lifecycle.Expected{Unmatched: number(5), GroupsLost: number(1), Leaving: number(1)}
}

func (m *moving) cutOver() {
	m.t.Helper()
	m.tested()
	var err error
	m.sw, err = m.s.CutOver(ctx, operator(), m.org.ID, m.sw.ID, expected())
	m.ok(err)
}

// lines are those of a match, by what stands before the @ of the old side's user name, with the counterpart's id.
func (m *moving) lines(kind switching.Kind, match switching.Match) map[string]lifecycle.Pairing {
	m.t.Helper()
	out, after := map[string]lifecycle.Pairing{}, ""
	for {
		page, more, err := m.s.Pairings(ctx, m.org.ID, m.sw.ID, kind, lifecycle.PairingQuery{Match: match, After: after, Limit: 7, Ascending: true})
		m.ok(err)
		for _, l := range page {
			side := l.Old
			if side == nil {
				side = l.New
			}
			key := side.Name
			if kind == switching.People {
				key, _, _ = strings.Cut(side.UserName, "@")
			}
			out[key], after = l, l.ID
		}
		if !more {
			return out
		}
	}
}

// everybody is the place of each member, with role and teams, by address.
func (m *moving) everybody() map[string]string {
	m.t.Helper()
	out, after := map[string]string{}, ""
	for {
		page, more, err := m.members.List(ctx, member.ListQuery{OrganizationID: string(m.org.ID), Limit: 20, After: after, Ascending: true})
		m.ok(err)
		for _, one := range page {
			teams, err := access.PlacesIn(ctx, m.db, string(m.org.ID), string(one.Membership.ID))
			m.ok(err)
			out[one.User.Email] = fmt.Sprintf("%s %s %s %s %v", one.Membership.ID, one.Membership.State, one.Membership.Why, one.Membership.Role, teams)
			after = string(one.Membership.ID)
		}
		if !more {
			return out
		}
	}
}

func (m *moving) code(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return fmt.Sprint(err)
	}
	return f.Code
}

func differing(a, b map[string]string) (out []string) {
	for k := range a {
		if a[k] != b[k] {
			out = append(out, k+": "+a[k]+" → "+b[k])
		}
	}
	for k := range b {
		if _, there := a[k]; !there {
			out = append(out, k+": nothing → "+b[k])
		}
	}
	slices.Sort(out)
	return out
}

func TestSwitch_story_from_Okta_to_Entra_ID_and_back(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		before, asked := m.everybody(), len(w.invited())
		if !strings.Contains(before["alice@acme.example"], "editor") || len(before) != staff {
			t.Fatalf("%d members; alice is %s", len(before), before["alice@acme.example"])
		}
		b := w.browser()
		status, tokens := w.redeem(w.code(m.through(b, m.conn, w.idp, "okta-alice").location(t)))
		if status != http.StatusOK {
			t.Fatal(tokens)
		}
		before = m.everybody()
		sid := w.sid(tokens)

		got, err := m.s.Get(ctx, w.org.ID, m.sw.ID)
		w.ok(err)
		want := switching.Tally{People: switching.Counts{Matched: 35, Unmatched: 3, Ambiguous: 2, OnlyNew: 7}, Groups: switching.Counts{Matched: 1, Unmatched: 1, OnlyNew: 1}, Leaving: 1, GroupsLost: 1}
		if got.Counts != want {
			t.Errorf("counted %+v\nwant    %+v", got.Counts, want)
		}
		matched := m.lines(switching.People, switching.Matched)
		for key, by := range map[string]switching.Found{"alice": switching.ByUserName, "p05": switching.ByEmail, "p06": switching.ByExternalID, "p11": switching.ByUserName} {
			if l := matched[key]; l.By != by || l.New == nil || l.New.ID != string(m.is[key].ID) {
				t.Errorf("%s is matched by %q to %+v", key, l.By, l.New)
			}
		}
		ambiguous := m.lines(switching.People, switching.Ambiguous)
		if l := ambiguous["p08"]; len(ambiguous) != 2 || len(ambiguous["p07"].Candidates) != 2 || len(l.Candidates) != 2 {
			t.Errorf("ambiguous: %+v", ambiguous)
		}
		if un := m.lines(switching.People, switching.Unmatched); len(un) != 3 || un["p09"].ID == "" || un["p10"].ID == "" || un["p12"].ID == "" {
			t.Errorf("unmatched: %+v", un)
		}

		// Legal is followed by a team and lost: that has to be said too.
		m.tested()
		for code, e := range map[string]lifecycle.Expected{
			"people_unmatched": {Unmatched: number(4), GroupsLost: number(1), Leaving: number(1)},
			"groups_unmatched": {Unmatched: number(5), Leaving: number(1)},
			"people_leaving":   {Unmatched: number(5), GroupsLost: number(1)},
		} {
			_, err := m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, e)
			var unconfirmed *lifecycle.ConfirmationError
			if !errors.As(err, &unconfirmed) || m.code(err) != code {
				t.Errorf("%v, want %s", err, code)
			}
		}
		w.provision()
		if d := differing(before, m.everybody()); len(d) > 0 {
			t.Errorf("the preparation changed %v", d)
		}
		m.sw, err = m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, expected())
		w.ok(err)
		if d := differing(before, m.everybody()); len(d) > 0 {
			t.Errorf("the cut-over itself changed %v", d)
		}
		if got := m.joinedTo("alice@acme.example"); got != string(m.is["alice"].ID) {
			t.Errorf("alice is joined with %q", got)
		}
		w.provision()
		w.provision()

		after := m.everybody()
		changed := differing(before, after)
		for _, c := range changed {
			who, _, _ := strings.Cut(c, "@")
			if !slices.Contains([]string{"p03", "p04", "p06", "renamed6", "p11", "p41", "p42"}, who) {
				t.Errorf("changed: %s", c)
			}
		}
		if !strings.Contains(after["p41@acme.example"], "active directory editor") || !strings.Contains(after["p11@acme.example"], "inactive directory_inactive") {
			t.Errorf("new %s; not active there %s", after["p41@acme.example"], after["p11@acme.example"])
		}
		if got := w.invited(); len(got) != asked {
			t.Errorf("invited %v", got)
		}
		if got := after["p04@acme.example"]; !strings.Contains(got, "mapping") {
			t.Errorf("the team of a new group has nobody: %s", got)
		}

		// Sessions go on, silently and by their tokens; they end nowhere.
		if !w.refreshes(tokens) || len(w.revoked()) != 0 {
			t.Errorf("the session of before is gone: %v", w.revoked())
		}
		again := b.get(w.authorization("organization", string(w.org.ID), "scope", offline))
		if _, tokens := w.redeem(w.code(again.location(t))); w.sid(tokens) != sid {
			t.Error("the browser that was signed in got another session")
		}

		// The new connection leads to the same account, the old one nowhere.
		fresh := w.browser()
		_, tokens2 := w.redeem(w.code(m.through(fresh, m.conn2, m.idp2, "e-alice").location(t)))
		if w.claims(tokens2)["sub"] != w.claims(tokens)["sub"] {
			t.Errorf("another account: %v", w.claims(tokens2)["sub"])
		}
		refused := m.through(w.browser(), m.conn, w.idp, "okta-alice")
		if page := refused.body + refused.Header.Get("Location"); !strings.Contains(page, "switched") {
			t.Errorf("the old connection answers %d %s", refused.StatusCode, text(page))
		}

		// Okta goes on speaking, and nobody listens.
		m.old.active(m.was["p20"].ID, false)
		m.old.gone(m.was["p21"].ID)
		m.old.gone(m.was["p09"].ID) // not matched
		w.provision()
		if d := differing(after, m.everybody()); len(d) > 0 {
			t.Errorf("the retired directory changed %v", d)
		}

		// A request of before, written late, has brought a claim of the retired directory about.
		var late db.Write
		late.Exec(`INSERT INTO membership_claims (organization_id, directory_id, directory_user_id, membership_id, says, provisioning, outcome, claim, version, created_at, updated_at)
			VALUES ($1, $2, $3, $4, 'inactive', 'direct', 'updated', '{}', 1, 1, 1)`, string(w.org.ID), string(m.old.door.Directory.ID), string(m.was["p22"].ID),
			string(w.member("p22@acme.example").Membership.ID))
		w.ok(w.db.Write(ctx, &late))
		m.sw, err = m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		if got := m.joinedTo("alice@acme.example"); got != string(m.was["alice"].ID) || !slices.Contains(w.revoked(), "connection_ended") {
			t.Errorf("alice is joined with %q after the revert; sessions ended by %v", got, w.revoked())
		}
		w.provision()
		w.provision()
		back := m.everybody()
		for _, c := range differing(before, back) {
			who, _, _ := strings.Cut(c, "@")
			if !slices.Contains([]string{"p20", "p21", "p09", "p41", "p42"}, who) {
				t.Errorf("after the revert: %s", c)
			}
		}
		if !strings.Contains(back["p20@acme.example"], "inactive directory_inactive") || back["p21@acme.example"] != "" || back["p09@acme.example"] != "" {
			t.Errorf("who left Okta meanwhile is %q, %q and %q", back["p20@acme.example"], back["p21@acme.example"], back["p09@acme.example"])
		}
		if !strings.Contains(back["p41@acme.example"], "active") || !strings.Contains(back["p42@acme.example"], " hand}") {
			t.Errorf("who came by Entra ID alone is %q and %q", back["p41@acme.example"], back["p42@acme.example"])
		}
		if w.refreshes(tokens2) || !w.refreshes(tokens) {
			t.Error("sessions of the wrong connection ended")
		}
		_, tokens3 := w.redeem(w.code(m.through(w.browser(), m.conn, w.idp, "okta-alice").location(t)))
		if w.claims(tokens3)["sub"] != w.claims(tokens)["sub"] {
			t.Error("another account after the revert")
		}
		if a := m.through(w.browser(), m.conn2, m.idp2, "e-alice"); a.StatusCode == http.StatusSeeOther && strings.Contains(a.Header.Get("Location"), "code=") {
			t.Error("the new connection still lets people in")
		}
		w.wantTypes("identity_provider_switch.created", "identity_provider_switch.cut_over", "identity_provider_switch.reverted")
	})
}

// wantSame wants everybody as they were, after the workers were at it.
func (m *moving) wantSame(before map[string]string, what string) {
	m.t.Helper()
	m.provision()
	m.provision()
	if d := differing(before, m.everybody()); len(d) > 0 {
		m.t.Errorf("%s changed %v", what, d)
	}
}

func TestSwitch_in_preparation_restricts_links_and_invites_nobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		before, asked := m.everybody(), len(w.invited())
		m.next.active(m.is["alice"].ID, false)
		m.next.gone(m.is["p02"].ID)
		m.next.hire(`{"userName":"late@acme.example","active":true}`)
		m.wantSame(before, "a directory that collects")
		if len(w.invited()) != asked {
			t.Errorf("invited %v", w.invited())
		}
		if _, err := w.dirs.GoLive(ctx, operator(), m.next.door.Directory.ID); m.code(err) != "identity_provider_switching" {
			t.Errorf("went live by itself: %v", err)
		}
		if a := m.through(w.browser(), m.conn2, m.idp2, "e-alice"); !strings.Contains(a.Header.Get("Location")+a.body, "about+to+switch") {
			t.Errorf("the new connection answers %d %s %s", a.StatusCode, a.Header.Get("Location"), text(a.body))
		}
		// The organization has one entrance still, though two connections are switched on.
		w.code(m.answeredBy(w.browser(), w.authorization("organization", string(w.org.ID)), m.conn, w.idp).location(t))
	})
}

// answeredBy goes to where an authorization leads, and back.
func (m *moving) answeredBy(b *browser, authorization string, c sso.Connection, p *samltest.IDP) answer {
	m.t.Helper()
	request, relay := b.atProvider(authorization)
	return m.answered(b, c, p, "okta-alice", request, relay)
}

func TestSign_in_that_was_begun_before_it_ends_by_what_the_connection_is_then(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := settled(w)
		m.idp2 = samltest.New("https://entra.example/metadata")
		m.conn2 = w.connect(w.org.ID, m.idp2, "")
		m.next = w.feed(directory.New{Provisioning: directory.Direct, Silent: true})
		early := w.browser()
		request, relay := early.atProvider(w.authorization("connection", string(m.conn2.ID)))
		m.begin()
		m.fill()
		if a := m.answered(early, m.conn2, m.idp2, "e-alice", request, relay); a.StatusCode != http.StatusForbidden {
			t.Errorf("the connection that comes lets in whoever began before: %d", a.StatusCode)
		}
		late := w.browser()
		request, relay = late.atProvider(w.authorization("connection", string(m.conn.ID)))
		m.cutOver()
		w.refusedWith(m.answered(late, m.conn, w.idp, "okta-alice", request, relay), m.conn, sso.ConnectionInactive)
		found := w.attempts(m.conn)
		if got := found[0].Refused; got == nil || !strings.Contains(got.Got, "switched from") {
			t.Errorf("refused with %+v", got)
		}
	})
}

func TestSwitch_is_cut_over_once_of_two_at_the_same_time(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		m.tested()
		var at sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			at.Go(func() { _, errs[i] = m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, expected()) })
		}
		at.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if m.code(err) != "switch_state" {
				t.Error(err)
			}
		}
		if kinds := w.types(); done != 1 || len(slices.DeleteFunc(kinds, func(k string) bool { return k != "identity_provider_switch.cut_over" })) != 1 {
			t.Errorf("%d were cut over, events %v", done, kinds)
		}
	})
}

func TestSwitch_that_cannot_be_cut_over_changes_nothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		if _, err := m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, expected()); m.code(err) != "connection_not_tested" {
			t.Errorf("not tested, and %v", err)
		}
		m.tested()
		w.provision()
		before := m.everybody()
		_, err := w.conns.Update(ctx, operator(), m.conn2.ID, sso.Change{SSOURL: ref("")})
		w.ok(err)
		events := len(w.types())
		// Connections come last, when members and directories are done.
		if _, err := m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, expected()); m.code(err) != "invalid" && m.code(err) != "connection_incomplete" {
			t.Errorf("incomplete, and %v", err)
		}
		m.wantSame(before, "a cut-over that was refused")
		if len(w.types()) != events {
			t.Errorf("events %v", w.types()[events:])
		}
		old, err := w.dirs.Get(ctx, m.old.door.Directory.ID)
		w.ok(err)
		if m.sw, err = m.s.Get(ctx, w.org.ID, m.sw.ID); err != nil || m.sw.State != switching.Preparing || old.LiveAt.IsZero() {
			t.Errorf("is %s, the old directory live since %s: %v", m.sw.State, old.LiveAt, err)
		}
		if n := w.count("identity_provider_switch_matches"); n != 0 {
			t.Errorf("%d matches are stored", n)
		}
	})
}

func TestSwitch_is_finished_after_14_days_and_not_before(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		long := 30 * 24 * time.Hour
		_, err := w.policy.Set(ctx, operator(), w.org.ID, org.PolicyChange{Idle: &long, Life: &long}, nil)
		w.ok(err)
		_, tokens := w.redeem(w.code(m.through(w.browser(), m.conn, w.idp, "okta-alice").location(t)))
		m.cutOver()
		w.provision()
		w.later(5 * time.Minute) // everybody is looked at a second time
		w.provision()
		w.provision()
		after := m.everybody()
		w.later(14*24*time.Hour - 6*time.Minute)
		w.ok(m.s.Finish(ctx))
		if len(w.revoked()) != 0 {
			t.Errorf("sessions ended by %v", w.revoked())
		}
		if got, err := m.s.Get(ctx, w.org.ID, m.sw.ID); err != nil || got.State != switching.CutOver {
			t.Errorf("a minute before it is %s: %v", got.State, err)
		}
		if err := w.dirs.Delete(ctx, operator(), m.old.door.Directory.ID); m.code(err) != "identity_provider_switching" {
			t.Errorf("the old directory was deleted: %v", err)
		}
		if err := w.conns.Delete(ctx, operator(), m.conn.ID); m.code(err) != "identity_provider_switching" {
			t.Errorf("the old connection was deleted: %v", err)
		}
		w.later(time.Minute)
		if _, err := m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID); m.code(err) != "switch_state" {
			t.Errorf("reverted after 14 days: %v", err)
		}
		w.ok(m.s.Finish(ctx))
		w.ok(m.s.Finish(ctx))
		if got, err := m.s.Get(ctx, w.org.ID, m.sw.ID); err != nil || got.State != switching.Finished || got.EndedAt.IsZero() {
			t.Errorf("then it is %s: %v", got.State, err)
		}
		if n := w.count("teams WHERE directory_id = '" + string(m.old.door.Directory.ID) + "'"); n != 0 || !slices.Contains(w.revoked(), "connection_ended") {
			t.Errorf("%d teams follow the old directory still; sessions ended by %v", n, w.revoked())
		}
		finished := slices.DeleteFunc(w.types(), func(k string) bool { return k != "identity_provider_switch.finished" })
		if len(finished) != 1 || w.refreshes(tokens) {
			t.Errorf("%d events; the session of the old connection lives: %v", len(finished), w.refreshes(tokens))
		}
		w.ok(w.dirs.Delete(ctx, operator(), m.old.door.Directory.ID))
		w.ok(w.conns.Delete(ctx, operator(), m.conn.ID))
		m.wantSame(after, "deleting the old ones")
	})
}

func TestSwitch_that_is_cancelled_leaves_everything_as_it_was(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		before := m.everybody()
		err := w.db.Tx(ctx, func(tx db.Tx) error {
			return w.conns.HoldTx(ctx, tx, string(w.org.ID), sso.Pair{From: m.conn.ID, To: m.conn2.ID})
		})
		if m.code(err) != "identity_provider_switching" {
			t.Errorf("connections are in two switches: %v", err)
		}
		m.sw, err = m.s.Cancel(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		m.wantSame(before, "the cancelled switch")
		w.wantTypes("identity_provider_switch.cancelled")
		if _, err := m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, expected()); m.code(err) != "switch_state" {
			t.Errorf("cut over though cancelled: %v", err)
		}
		m.begin() // both are free for another
		m.cutOver()
		w.ok(m.policy.DeleteIdentityProvider(ctx, operator(), w.org.ID, number(len(before))))
	})
}

func TestMatch_by_hand_carries_over_before_and_after_the_cut_over(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		before := m.everybody()
		set := func(old, next string) error {
			_, err := m.s.SetMatch(ctx, operator(), w.org.ID, m.sw.ID, switching.People, string(m.was[old].ID), string(m.is[next].ID))
			return err
		}
		w.ok(set("p08", "p08b"))
		w.ok(set("p20", ""))
		if err := set("p10", "p08b"); m.code(err) != "counterpart_taken" {
			t.Errorf("two have one counterpart: %v", err)
		}
		_, err := m.s.SetMatch(ctx, operator(), w.org.ID, m.sw.ID, switching.People, string(m.was["p10"].ID), string(m.was["p10"].ID))
		if m.code(err) != "unknown_counterpart" {
			t.Errorf("a person of the old side is a counterpart: %v", err)
		}
		legal, sales := m.lines(switching.Groups, switching.Unmatched)["Legal"], m.lines(switching.Groups, switching.OnlyNew)["Sales"]
		_, err = m.s.SetMatch(ctx, operator(), w.org.ID, m.sw.ID, switching.Groups, legal.ID, sales.ID)
		w.ok(err)
		m.tested()
		m.sw, err = m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, lifecycle.Expected{Unmatched: number(5), Leaving: number(1)})
		w.ok(err)
		w.provision()
		w.provision()
		after := m.everybody()
		if before["p20@acme.example"] != after["p20@acme.example"] || before["p08@acme.example"] != after["p08@acme.example"] {
			t.Errorf("p20 is %q, p08 %q", after["p20@acme.example"], after["p08@acme.example"])
		}
		if !strings.Contains(after["p04@acme.example"], "group_") || strings.Contains(after["p03@acme.example"], "group_") {
			t.Errorf("the team of Legal has not gone to Sales: p03 %q, p04 %q", after["p03@acme.example"], after["p04@acme.example"])
		}
		if w.dirs.NotApplied() != 0 || w.count("directory_people_due") != 0 {
			t.Errorf("%d people could not be applied, %d are due", w.dirs.NotApplied(), w.count("directory_people_due"))
		}
		// p20 is held: the same person of Entra ID says nothing of them until they are matched.
		m.next.active(m.is["p20"].ID, false)
		w.provision()
		w.wantPlace("p20@acme.example", "primary active directory")
		m.next.active(m.is["p20"].ID, true)
		w.provision()
		if err := set("p20", "alice"); m.code(err) != "counterpart_taken" {
			t.Errorf("alice's counterpart is p20's too: %v", err)
		}
		if err := set("alice", "p20"); m.code(err) != "already_matched" {
			t.Errorf("alice was carried over twice: %v", err)
		}
		if err := set("p09", "p41"); m.code(err) != "counterpart_taken" {
			t.Errorf("a new member became another one: %v", err)
		}
		_, err = m.s.SetMatch(ctx, operator(), w.org.ID, m.sw.ID, switching.Groups, legal.ID, "")
		if m.code(err) != "switch_state" {
			t.Errorf("a group was matched after the cut-over: %v", err)
		}
		w.ok(set("p20", "p20"))
		w.provision()
		m.next.active(m.is["p20"].ID, false)
		w.wantPlace("p20@acme.example", "primary inactive directory_inactive")
		m.next.active(m.is["p20"].ID, true)
		w.provision()
		w.wantPlace("p20@acme.example", "primary active directory")

		m.sw, err = m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		w.provision()
		w.provision()
		back := m.everybody()
		for _, n := range []string{"alice", "p03", "p04", "p08", "p20"} {
			if back[n+"@acme.example"] != before[n+"@acme.example"] {
				t.Errorf("%s was %q and is %q", n, before[n+"@acme.example"], back[n+"@acme.example"])
			}
		}
		m.old.active(m.was["p20"].ID, false)
		w.wantPlace("p20@acme.example", "primary inactive directory_inactive")
	})
}

// open has the old connection let in people from elsewhere, and be the default.
func (m *moving) open() {
	m.t.Helper()
	_, err := m.conns.Update(ctx, operator(), m.conn.ID, sso.Change{Options: []byte(`{"allow_outside_domains":true,"default":true}`)})
	m.ok(err)
}

// guest has somebody sign in through the old connection whose address lies in no verified domain.
func (m *moving) guest() {
	m.t.Helper()
	b := m.browser()
	request, relay := b.atProvider(m.authorization("organization", string(m.org.ID)))
	msg := m.message(m.conn, request)
	msg.NameID, msg.Attributes = "mallory@elsewhere.example", []samltest.Attribute{{Name: "email", Values: []string{"mallory@elsewhere.example"}}}
	m.world.code(b.deliver(m.conn, msg, relay).location(m.t))
}

func TestSwitch_of_a_connection_alone_tells_who_will_not_be_known(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		m := &moving{world: w, s: w.switches()}
		m.open()
		_, tokens := w.redeem(w.code(m.through(w.browser(), m.conn, w.idp, "okta-alice").location(t)))
		m.guest()

		var err error
		m.idp2 = samltest.New("https://entra.example/metadata")
		m.conn2 = w.connect(w.org.ID, m.idp2, "")
		m.sw, err = m.s.Create(ctx, operator(), w.org.ID, lifecycle.NewSwitch{Connection: switching.Pair{From: string(m.conn.ID), To: string(m.conn2.ID)}})
		w.ok(err)
		counted, err := m.s.Get(ctx, w.org.ID, m.sw.ID)
		w.ok(err)
		if got := counted.Counts.People; got != (switching.Counts{Matched: 1, Unmatched: 1}) {
			t.Errorf("counted %+v", got)
		}
		page, _, err := m.s.Pairings(ctx, w.org.ID, m.sw.ID, switching.People, lifecycle.PairingQuery{Match: switching.Unmatched, Limit: 10})
		w.ok(err)
		if len(page) != 1 || page[0].Old.Email != "mallory@elsewhere.example" || page[0].Old.ID != page[0].Membership {
			t.Errorf("unmatched %+v", page)
		}
		m.tested()
		m.sw, err = m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, lifecycle.Expected{Unmatched: number(1)})
		w.ok(err)
		_, tokens2 := w.redeem(w.code(m.through(w.browser(), m.conn2, m.idp2, "e-alice").location(t)))
		if w.claims(tokens2)["sub"] != w.claims(tokens)["sub"] || !w.refreshes(tokens) {
			t.Error("another account, or the session ended")
		}
		found, err := w.conns.Get(ctx, m.conn2.ID)
		w.ok(err)
		if !found.Options.Default {
			t.Error("the organization has no default connection any more")
		}
		m.sw, err = m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		back, err := w.conns.Get(ctx, m.conn.ID)
		w.ok(err)
		if found, err = w.conns.Get(ctx, m.conn2.ID); err != nil || found.Options.Default || !back.Options.Default || back.State != sso.Active || found.State != sso.Inactive {
			t.Errorf("default %v %v, states %s %s: %v", back.Options.Default, found.Options.Default, back.State, found.State, err)
		}
	})
}

func TestMember_of_the_old_directory_who_also_signs_in_is_listed_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		m := &moving{world: w, s: w.switches(), was: map[string]directory.User{}, is: map[string]directory.User{}}
		m.open()
		m.guest()
		m.old, m.next = w.feed(directory.New{}), w.feed(directory.New{Silent: true})
		m.was["mallory"] = m.old.hire(`{"userName":"mallory@elsewhere.example","active":true}`) // a guest is never joined with anybody
		w.provision()
		m.is["mallory"] = m.next.hire(`{"userName":"mallory@elsewhere.example","active":true}`)
		m.idp2 = samltest.New("https://entra.example/metadata")
		m.conn2 = w.connect(w.org.ID, m.idp2, "")
		m.begin()
		page, _, err := m.s.Pairings(ctx, w.org.ID, m.sw.ID, switching.People, lifecycle.PairingQuery{Limit: 10})
		w.ok(err)
		before := w.member("mallory@elsewhere.example").Membership
		if len(page) != 1 || page[0].ID != string(m.was["mallory"].ID) || page[0].Match != switching.Matched || page[0].Membership != string(before.ID) {
			t.Errorf("listed %+v", page)
		}
		m.tested()
		m.sw, err = m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, lifecycle.Expected{})
		w.ok(err)
		if after := w.member("mallory@elsewhere.example").Membership; after.Version == before.Version || after.DirectoryUserID != "" {
			t.Errorf("whoever has read the member before would decide by it after: %+v", after)
		}
	})
}

// joinedTo is the directory person that a member was joined with for signing in.
func (m *moving) joinedTo(email string) string { return m.member(email).Membership.DirectoryUserID }

// invitationOf is the directory person that an invitation was born from.
func (m *moving) invitationOf(email string) (directoryID, person string) {
	m.t.Helper()
	m.ok(m.db.QueryRow(ctx, `SELECT directory_id, directory_user_id FROM invitations WHERE email = $1 AND state = 'pending'`, email).Scan(&directoryID, &person))
	return directoryID, person
}

func TestSwitch_carries_those_who_only_sign_in_and_those_who_were_only_invited(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		m := &moving{world: w, s: w.switches(), was: map[string]directory.User{}, is: map[string]directory.User{}}
		_, tokens := w.redeem(w.code(m.through(w.browser(), m.conn, w.idp, "okta-alice").location(t))) // before there is a directory
		m.old = w.feed(directory.New{})
		m.was["carl"] = m.old.hire(`{"userName":"carl@acme.example","active":true}`)
		w.provision()
		asked := len(w.invited())
		m.next = w.feed(directory.New{Silent: true})
		for _, n := range []string{"alice", "carl"} {
			m.is[n] = m.next.hire(`{"userName":"` + n + `@acme.example","active":true}`)
		}
		m.idp2 = samltest.New("https://entra.example/metadata")
		m.conn2 = w.connect(w.org.ID, m.idp2, "")
		m.begin()
		id := string(w.member("alice@acme.example").Membership.ID)
		page, _, err := m.s.Pairings(ctx, w.org.ID, m.sw.ID, switching.People, lifecycle.PairingQuery{Limit: 10, Ascending: true})
		w.ok(err)
		if len(page) != 2 || page[1].ID != id || page[1].Old.Email != "alice@acme.example" || page[1].New.ID != string(m.is["alice"].ID) {
			t.Fatalf("listed %+v", page)
		}
		m.tested()
		m.sw, err = m.s.CutOver(ctx, operator(), w.org.ID, m.sw.ID, lifecycle.Expected{})
		w.ok(err)
		if got := m.joinedTo("alice@acme.example"); got != string(m.is["alice"].ID) {
			t.Errorf("alice is joined with %q", got)
		}
		if d, p := m.invitationOf("carl@acme.example"); d != string(m.next.door.Directory.ID) || p != string(m.is["carl"].ID) {
			t.Errorf("carl's invitation is of %s in %s", p, d)
		}
		w.provision()
		w.provision()
		w.wantPlace("alice@acme.example", "primary active directory")
		w.wantPlace("carl@acme.example", "primary pending invited_by_directory")
		if len(w.invited()) != asked || !w.refreshes(tokens) {
			t.Errorf("invited %v; alice's session lives: %v", w.invited(), w.refreshes(tokens))
		}
		m.sw, err = m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		w.provision()
		w.provision()
		if got := m.joinedTo("alice@acme.example"); got != "" {
			t.Errorf("alice is joined with %q after the revert", got)
		}
		if d, p := m.invitationOf("carl@acme.example"); d != string(m.old.door.Directory.ID) || p != string(m.was["carl"].ID) {
			t.Errorf("carl's invitation is of %s in %s after the revert", p, d)
		}
		if !strings.Contains(w.place("alice@acme.example"), "primary active") {
			t.Errorf("alice is %q", w.place("alice@acme.example"))
		}
		w.wantPlace("carl@acme.example", "primary pending invited_by_directory")
	})
}

func TestMapping_of_the_new_directory_that_is_there_already_stays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		m.map1(string(m.next.door.Directory.ID), `[{"set":"role","to":"editor","when":{"group":"Sales"}}]`)
		m.cutOver()
		if m.sw.Before.DirectoryMapping != switching.MappingKept || m.sw.Before.ConnectionMapping != switching.NoMapping {
			t.Errorf("mappings %+v", m.sw.Before)
		}
		w.provision()
		w.provision()
		if got := w.member("p04@acme.example").Membership.Role; got != "editor" {
			t.Errorf("p04 is %s", got)
		}
		var err error
		m.sw, err = m.s.Revert(ctx, operator(), w.org.ID, m.sw.ID)
		w.ok(err)
		kept, err := access.MappingIn(ctx, w.db, string(w.org.ID), string(m.next.door.Directory.ID))
		w.ok(err)
		if kept.Version == 0 {
			t.Error("the mapping is gone")
		}
	})
}

func TestSwitch_ends_with_the_identity_provider_and_goes_with_the_organization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := toEntra(w)
		m.cutOver()
		before := m.everybody()
		err := w.policy.DeleteIdentityProvider(ctx, operator(), w.org.ID, nil)
		var unconfirmed *lifecycle.ConfirmationError
		if errors.As(err, &unconfirmed) {
			err = w.policy.DeleteIdentityProvider(ctx, operator(), w.org.ID, &unconfirmed.Number)
		}
		w.ok(err)
		if got, err := m.s.Get(ctx, w.org.ID, m.sw.ID); err != nil || got.State != switching.Finished {
			t.Errorf("is %s: %v", got.State, err)
		}
		for email, now := range m.everybody() {
			if now != strings.ReplaceAll(before[email], "mapping", "hand") {
				t.Errorf("%s was %q and is %q", email, before[email], now)
			}
		}
		deletions := lifecycle.NewService(w.db, w.orgs, w.dirs, w.members, w.now)
		deletions.SetConnections(w.conns)
		w.ok(deletions.DeleteOrganization(ctx, operator(), w.org.ID))
		if n := w.count("identity_provider_switches") + w.count("identity_provider_switch_matches"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

func TestSwitch_where_the_app_keeps_the_accounts_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := lifecycle.NewSwitches(lifecycle.SwitchOptions{DB: w.db, Organizations: w.orgs, ProfilesOnly: true})
		if _, err := s.Create(ctx, operator(), w.org.ID, lifecycle.NewSwitch{}); !fault.Is(err, fault.Conflict) {
			t.Error(err)
		}
	})
}
