package dashboard_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// evil is what a provider may call anything.
const evil = "\"><script>alert(1)</script>\u202e<img src=x onerror=alert(1)>"

// inert stops the test where a value of others stands in the page as markup, or a link leads to a script.
func (a answer) inert(t testing.TB) answer {
	t.Helper()
	for _, bad := range []string{"<script>alert", "<img src=x", `href="javascript:`, `action="javascript:`} {
		if strings.Contains(strings.ToLower(a.body), bad) {
			t.Fatalf("%s holds %q", a.Request.URL, bad)
		}
	}
	return a
}

// certificatePEM is of a provider of this name.
func (w *world) certificatePEM(name string, at time.Time) string {
	w.t.Helper()
	_, cert, err := saml.NewKeyPair(name, at)
	w.ok(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

// okta is a complete connection.
func (w *world) okta(o org.Organization, name string) sso.Connection {
	w.t.Helper()
	entity, at, certificates := "https://idp.example.com/"+string(o.ID), "https://idp.example.com/sso", []string{w.certificatePEM("idp", w.now())}
	c, err := w.conns.Create(ctx, tester(), sso.New{OrganizationID: string(o.ID), Provider: "okta", Settings: sso.Change{Name: &name, IDPEntityID: &entity, SSOURL: &at, Certificates: &certificates}})
	w.ok(err)
	return c
}

func of(c sso.Connection, parts ...string) string {
	return "/dashboard/connections/" + strings.Join(append([]string{string(c.ID)}, parts...), "/")
}

// active lets people in through a connection that somebody has come in by.
func (w *world) active(c sso.Connection) {
	w.t.Helper()
	var as db.Write
	as.Exec(`UPDATE connections SET first_success_at = 1, state = 'active' WHERE id = $1`, string(c.ID))
	w.ok(w.db.Write(ctx, &as))
}

func TestConnection_shows_what_has_to_be_entered_and_what_is_missing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		c := w.okta(acme, "Okta of Acme")
		b := w.as(operator.Admin)
		b.get("/dashboard/connections?search=OKTA").want(t, http.StatusOK).says(t, "Okta of Acme", "Waits for its first sign-in", "Acme")
		b.get("/dashboard/connections?search=nothing").want(t, http.StatusOK).says(t, "No connection yet")
		shown := c.Addresses(w.base)
		b.get(of(c)).want(t, http.StatusOK).says(t, shown.ACS, shown.EntityID, shown.Login, "https://idp.example.com/sso", "Signing certificates", "Valid", "Test sign-in")
		draft, err := w.conns.Create(ctx, tester(), sso.New{OrganizationID: string(acme.ID), Provider: "entra-id", Protocol: sso.OIDC, Settings: sso.Change{Name: new("Entra")}})
		w.ok(err)
		page := b.get(of(draft)).want(t, http.StatusOK).says(t, "Not complete yet", "Issuer, Client id, Client secret", draft.Addresses(w.base).RedirectURI)
		if strings.Contains(page.text(), "Test sign-in") {
			t.Error("a draft can be tested")
		}
		for _, nothing := range []string{"/dashboard/connections/conn_1", "/dashboard/connections/" + evil, "/dashboard/connections/conn_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			b.get((&url.URL{Path: nothing}).EscapedPath()).want(t, http.StatusNotFound).inert(t)
		}
		b.get("/dashboard/connections?after=../x").want(t, http.StatusBadRequest)
	})
}

func TestConnection_is_changed_by_its_forms(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		c, b := w.okta(acme, "Okta"), w.as(operator.Admin)
		settings := []string{"name", "Okta two", "metadata_url", "", "metadata_xml", "", "idp_entity_id", c.IDPEntityID, "sso_url", "https://idp.example.com/other", "slo_url", ""}
		b.get(of(c, "settings")).want(t, http.StatusOK).says(t, "From the provider", "Options")
		b.send(of(c, "settings"), settings...).location(t)
		w.byOperator(t, "connection.updated")
		settings[1], settings[9] = "", "no address at all"
		b.send(of(c, "settings"), settings...).want(t, http.StatusUnprocessableEntity).says(t, "needs a name")
		b.send(of(c, "options"), "clock_skew", "180", "force_authn", "on", "unsolicited", "refuse").location(t)
		after, err := w.conns.Get(ctx, c.ID)
		w.ok(err)
		if after.Name != "Okta two" || after.SSOURL != "https://idp.example.com/other" || after.Options.ClockSkew != 180 || !after.Options.ForceAuthn || after.Options.Unsolicited != sso.Refuse || after.Options.AllowCBC {
			t.Errorf("%+v", after)
		}
		b.send(of(c, "options"), "clock_skew", "120", "unsolicited", "refuse").location(t)
		if after, err = w.conns.Get(ctx, c.ID); err != nil || after.Options.ForceAuthn {
			t.Errorf("what is not ticked stays on: %+v %v", after.Options, err)
		}
		for _, skew := range []string{"999", "x", ""} {
			b.send(of(c, "options"), "clock_skew", skew, "unsolicited", "refuse").want(t, http.StatusUnprocessableEntity)
		}
		b.send(of(c, "options"), "clock_skew", "120", "unsolicited", evil).want(t, http.StatusUnprocessableEntity).inert(t)
	})
}

func TestCertificates_are_added_and_removed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, b := w.okta(w.organization("Acme"), "Okta"), w.as(operator.Admin)
		b.send(of(c, "certificates"), "certificate", "no certificate").want(t, http.StatusUnprocessableEntity).says(t, "no certificate")
		b.send(of(c, "certificates"), "certificate", w.certificatePEM("next", w.now())).location(t)
		w.byOperator(t, "connection.updated")
		after, err := w.conns.Get(ctx, c.ID)
		w.ok(err)
		if len(after.Certificates) != 2 {
			t.Fatalf("%d certificates", len(after.Certificates))
		}
		b.send(of(c, "certificates", c.Certificates[0].Fingerprint)).location(t)
		if after, err = w.conns.Get(ctx, c.ID); err != nil || len(after.Certificates) != 1 || after.Certificates[0].Fingerprint == c.Certificates[0].Fingerprint {
			t.Errorf("%+v %v", after.Certificates, err)
		}
		b.send(of(c, "certificates", strings.Repeat("0", 64))).want(t, http.StatusNotFound)
	})
}

func TestOnly_way_in_is_switched_off_and_deleted_by_the_number_it_shuts_out(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		w.people(acme, "ada@acme.example", "alan@acme.example")
		c, b := w.okta(acme, "Okta"), w.as(operator.Admin)
		w.active(c)
		b.get(of(c, "deactivate")).want(t, http.StatusOK).says(t, "2 people have no other way in", "Type 2 to confirm")
		b.send(of(c, "deactivate")).want(t, http.StatusConflict).says(t, "confirm 2 to go on")
		b.send(of(c, "deactivate"), "confirm", "1").want(t, http.StatusConflict)
		b.send(of(c, "delete"), "confirm", "Okta").want(t, http.StatusConflict)
		b.send(of(c, "deactivate"), "confirm", "2").location(t)
		w.byOperator(t, "connection.deactivated")
		b.get(of(c)).says(t, "Switched off")
		b.send(of(c, "activate")).location(t)
		w.byOperator(t, "connection.activated")
		b.send(of(c, "delete"), "confirm", "2").location(t)
		w.byOperator(t, "connection.deleted")
		b.get(of(c)).want(t, http.StatusNotFound)

		spare := w.okta(acme, "Spare")
		b.get(of(spare, "delete")).says(t, "Type Spare to confirm")
		b.send(of(spare, "delete"), "confirm", "spare").want(t, http.StatusUnprocessableEntity).says(t, "Nothing was changed")
		if b.send(of(spare, "delete"), "confirm", "Spare").location(t) == "" {
			t.Error("it leads nowhere")
		}
	})
}

func TestTest_sign_in_is_offered_as_an_address(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, b := w.okta(w.organization("Acme"), "Okta"), w.as(operator.Admin)
		page := b.send(of(c, "test")).want(t, http.StatusOK).says(t, "Open the test")
		if !strings.Contains(page.body, `href="`+w.base) || page.Header.Get("Location") != "" {
			t.Error("no address of the test")
		}
	})
}

// attempt stores one that was refused, with everything in it that others may say.
func (w *world) attempt(c sso.Connection, email string) sso.AttemptID {
	w.t.Helper()
	id := sso.AttemptID(token.NewSource(time.Now).NewID(sso.AttemptPrefix))
	refused, err := json.Marshal(sso.Refused{Code: sso.AudienceMismatch, Message: "Made for another application. " + email, Wanted: "https://sp.example " + email, Got: email, Fixer: sso.ITAdmin, Advice: "Enter the SP entity id."})
	w.ok(err)
	checks, err := json.Marshal([]sso.Check{{Name: "signature", Passed: true, Wanted: "a signature", Got: email}, {Name: email, Wanted: email, Got: email}})
	w.ok(err)
	var as db.Write
	as.Exec(`INSERT INTO sign_in_attempts (id, organization_id, connection_id, kind, state, code, fault, checks, idp_id, email, ip, user_agent, created_at, finished_at, expires_at)
		VALUES ($1, $2, $3, 'sign_in', 'failed', 'audience_mismatch', $4, $5, $6, $7, '198.51.100.7', $8, $9, $9, $9)`,
		string(id), c.OrganizationID, string(c.ID), refused, checks, email, email, email, w.now().UnixMicro())
	w.ok(w.db.Write(ctx, &as))
	return id
}

func TestSign_ins_say_what_was_wrong_and_who_mends_it(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		c, b := w.okta(acme, "Okta"), w.as(operator.ReadOnly)
		b.get(of(c, "sign-ins")).want(t, http.StatusOK).says(t, "Nobody has come this way yet")
		id := w.attempt(c, "ada@acme.example")
		b.get(of(c, "sign-ins")).want(t, http.StatusOK).says(t, "ada@acme.example", "Refused", "Made for another application.", "IT admin")
		b.get(of(c, "sign-ins", string(id))).want(t, http.StatusOK).says(t, "Who mends it: IT admin", "Enter the SP entity id.", "audience_mismatch", "The answer is signed", "198.51.100.7")
		other := w.okta(acme, "Other")
		b.get(of(other, "sign-ins", string(id))).want(t, http.StatusNotFound) // another connection's
		for range 30 {
			w.attempt(c, "bob@acme.example")
		}
		first := b.get(of(c, "sign-ins")).want(t, http.StatusOK)
		next := nextPage.FindStringSubmatch(first.body)
		if next == nil {
			t.Fatal("no further page")
		}
		b.get(of(c, "sign-ins")+strings.ReplaceAll(next[1], "&amp;", "&")).want(t, http.StatusOK).says(t, "ada@acme.example", "First page", "Previous")
	})
}

func memberAt(m member.Member, parts ...string) string {
	return "/dashboard/members/" + strings.Join(append([]string{string(m.Membership.ID)}, parts...), "/")
}

// memberOf is the place of an account in an organization.
func (w *world) memberOf(o org.Organization, u member.User) member.Member {
	w.t.Helper()
	m, err := w.members.MemberOf(ctx, string(o.ID), u.ID)
	w.ok(err)
	return m
}

func TestMembers_are_listed_by_state_with_why(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		users := w.people(acme, "ada@acme.example", "alan@acme.example")
		w.people(globex, "hank@globex.example")
		_, err := w.members.Deactivate(ctx, tester(), w.memberOf(acme, users[1]).Membership.ID)
		w.ok(err)
		b := w.as(operator.ReadOnly)
		b.get("/dashboard/members").want(t, http.StatusOK).says(t, "Choose an organization", "Acme", "Globex")
		list := "/dashboard/members?organization=" + string(acme.ID)
		if all := b.get(list).want(t, http.StatusOK).says(t, "ada@acme.example", "alan@acme.example", "Blocked by hand.", "made them a member"); strings.Contains(all.text(), "globex.example") {
			t.Error("another organization's people are shown")
		}
		if some := b.get(list+"&state=inactive").says(t, "alan@acme.example"); strings.Contains(some.text(), "ada@acme.example") {
			t.Error("the filter leaves those of other states")
		}
		b.get(list+"&state=nobody").want(t, http.StatusUnprocessableEntity)
		b.get("/dashboard/members?organization=org_1").want(t, http.StatusUnprocessableEntity)
		b.get("/dashboard/members?organization=org_01ARZ3NDEKTSV4RRFFQ69G5FAV").want(t, http.StatusNotFound)
		b.get("/dashboard/members?email=HANK@globex.example").says(t, "Globex", "Active")
		b.get("/dashboard/members?email=nobody@globex.example").says(t, "Nobody has the address")
	})
}

func TestMember_is_blocked_let_in_again_and_removed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		m := w.memberOf(acme, w.people(acme, "ada@acme.example")[0])
		b := w.as(operator.Admin)
		state := func(want member.State) {
			t.Helper()
			if got, err := w.members.Member(ctx, m.Membership.ID); err != nil || got.Membership.State != want {
				t.Fatalf("%s %v, want %s", got.Membership.State, err, want)
			}
		}
		b.get(memberAt(m)).want(t, http.StatusOK).says(t, "Ada Lovelace", "made them a member", "The role is everybody's", "No sessions", "In no team")
		b.get(memberAt(m, "block")).want(t, http.StatusOK).says(t, "Block Ada Lovelace?")
		state(member.Active)
		b.send(memberAt(m, "block")).location(t)
		state(member.Inactive)
		w.byOperator(t, "organization_membership.updated")
		b.get(memberAt(m)).says(t, "Blocked by hand", "Lift the block")
		b.send(memberAt(m, "unblock")).location(t)
		state(member.Active)
		b.get(memberAt(m, "remove")).want(t, http.StatusOK).says(t, "Remove Ada Lovelace?")
		b.send(memberAt(m, "remove")).location(t)
		state(member.Removed)
		w.byOperator(t, "organization_membership.deleted")
		b.send(memberAt(m, "unblock")).want(t, http.StatusNotFound)
	})
}

func TestMember_gets_role_licence_and_teams_by_hand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		m, b := w.memberOf(acme, w.people(acme, "ada@acme.example")[0]), w.as(operator.Admin)
		rights := w.members.Access()
		_, err := rights.CreateRole(ctx, tester(), access.NewRole{Slug: "editor", Name: "Editor"})
		w.ok(err)
		seats := int64(1)
		_, err = rights.CreateLicenceType(ctx, tester(), access.NewLicenceType{OrganizationID: string(acme.ID), Slug: "pro", Name: "Pro", Seats: &seats, OverLimit: access.Admit})
		w.ok(err)
		team, err := rights.CreateTeam(ctx, tester(), access.NewTeam{OrganizationID: string(acme.ID), Name: "Crew"})
		w.ok(err)
		foreign, err := rights.CreateTeam(ctx, tester(), access.NewTeam{OrganizationID: string(globex.ID), Name: "Globex crew"})
		w.ok(err)
		b.send(memberAt(m, "access"), "role", "editor", "licence", "pro").location(t)
		w.byOperator(t, "organization_membership.updated")
		b.send(memberAt(m, "access"), "role", "nothing", "licence", "pro").want(t, http.StatusUnprocessableEntity)
		b.send(memberAt(m, "teams"), "team", string(team.ID)).location(t)
		w.byOperator(t, "group.member_added")
		b.send(memberAt(m, "teams"), "team", string(foreign.ID)).want(t, http.StatusNotFound)
		b.send(memberAt(m, "teams"), "team", evil).want(t, http.StatusNotFound).inert(t)
		page := b.get(memberAt(m)).want(t, http.StatusOK).says(t, "The role was given by hand.", "Crew", "Hand")
		if strings.Contains(page.text(), "Globex crew") {
			t.Error("another organization's team is offered")
		}
		b.send(memberAt(m, "teams", string(team.ID), "leave")).location(t)
		w.byOperator(t, "group.member_removed")
		got, err := w.members.Member(ctx, m.Membership.ID)
		if err != nil || got.Membership.Role != "editor" || got.Membership.Licence != "pro" {
			t.Errorf("%+v %v", got.Membership, err)
		}
	})
}

// seated starts a session of somebody.
func (w *world) seated(o org.Organization, u member.User) session.Session {
	w.t.Helper()
	var write db.Write
	s := w.sessions.StartInto(&write, session.New{
		Cookie: token.HashOf(token.NewSecret("s")), OrganizationID: string(o.ID), UserID: string(u.ID), Method: session.MagicAuth, IP: "198.51.100.7", UserAgent: evil,
	})
	w.ok(w.db.Write(ctx, &write))
	return s
}

func TestSessions_are_ended_one_by_one_and_all_of_the_organization_only(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		users := w.people(acme, "ada@acme.example", "alan@acme.example")
		_, err := w.members.CreateMembership(ctx, tester(), member.NewMembership{OrganizationID: string(globex.ID), UserID: users[0].ID})
		w.ok(err)
		one, two, elsewhere, others := w.seated(acme, users[0]), w.seated(acme, users[0]), w.seated(globex, users[0]), w.seated(acme, users[1])
		m, b := w.memberOf(acme, users[0]), w.as(operator.Admin)
		living := func(s session.Session) bool {
			found, err := w.sessions.Get(ctx, s.ID)
			w.ok(err)
			return found.Living(w.now())
		}
		b.get(memberAt(m)).want(t, http.StatusOK).says(t, "Going on", "198.51.100.7").inert(t)
		b.send(memberAt(m, "sessions", one.ID, "end")).location(t)
		w.byOperator(t, "session.revoked")
		for _, not := range []session.Session{others, elsewhere} {
			b.send(memberAt(m, "sessions", not.ID, "end")).want(t, http.StatusNotFound)
		}
		if living(one) || !living(two) || !living(others) || !living(elsewhere) {
			t.Error("the wrong sessions ended")
		}
		b.send(memberAt(m, "sessions", "end")).location(t)
		if living(two) || !living(elsewhere) || !living(others) {
			t.Error("all here: the wrong sessions ended")
		}
	})
}

func TestRoles_and_permissions_are_kept_for_all_and_for_one_organization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		b := w.as(operator.Admin)
		b.send("/dashboard/permissions", "slug", "posts:write", "name", "Write posts").location(t)
		w.byOperator(t, "permission.created")
		b.send("/dashboard/permissions", "slug", "Posts Write", "name", "x").want(t, http.StatusUnprocessableEntity)
		b.send("/dashboard/roles", "slug", "editor", "name", "Editor", "priority", "").location(t)
		w.byOperator(t, "role.created")
		b.send("/dashboard/roles", "slug", "editor", "name", "Editor").want(t, http.StatusConflict)
		b.send("/dashboard/roles", "slug", "x", "name", "x", "priority", "first").want(t, http.StatusUnprocessableEntity)
		b.send("/dashboard/roles/editor", "name", "Editors", "priority", "5", "is_admin", "on", "permission", "posts:write").location(t)
		role, err := w.members.Access().Role(ctx, "", "editor")
		if err != nil || role.Name != "Editors" || role.Priority != 5 || !role.IsAdmin || !slices.Equal(role.Permissions, []string{"posts:write"}) {
			t.Errorf("%+v %v", role, err)
		}
		b.get("/dashboard/roles/editor").want(t, http.StatusOK).says(t, "Editors", "Write posts")

		b.send(at(acme, "roles"), "slug", "", "name", "Night shift").location(t)
		w.byOperator(t, "organization_role.created")
		b.get(at(acme, "roles")).says(t, "Night shift", "Editors", "For all organizations")
		own, err := w.members.Access().Roles(ctx, string(acme.ID))
		w.ok(err)
		slug := own[slices.IndexFunc(own, func(r access.Role) bool { return r.Name == "Night shift" })].Slug
		b.get(at(acme, "roles", slug)).want(t, http.StatusOK)
		for _, foreign := range []string{at(globex, "roles", slug), at(acme, "roles", "editor"), "/dashboard/roles/" + slug} {
			b.get(foreign).want(t, http.StatusNotFound)
			b.send(foreign, "name", "Mine").want(t, http.StatusNotFound)
			b.send(foreign+"/delete").want(t, http.StatusNotFound)
		}
		b.send(at(acme, "roles", slug, "delete")).location(t)
		w.byOperator(t, "organization_role.deleted")
		b.send("/dashboard/permissions/posts:write", "name", "Write all posts").location(t)
		w.byOperator(t, "permission.updated")
		b.send("/dashboard/permissions/posts:write/delete").location(t)
		w.byOperator(t, "permission.deleted")
	})
}

func TestTeams_belong_to_their_organization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		m, b := w.memberOf(acme, w.people(acme, "ada@acme.example")[0]), w.as(operator.Admin)
		b.send(at(acme, "teams"), "name", "").want(t, http.StatusUnprocessableEntity)
		path := strings.Split(b.send(at(acme, "teams"), "name", evil, "description", "Crew").location(t), "?")[0]
		w.byOperator(t, "group.created")
		b.get(path).want(t, http.StatusOK).says(t, "Nobody is in this team").inert(t)
		id := access.TeamID(path[strings.LastIndex(path, "/")+1:])
		_, err := w.members.Access().AddToTeam(ctx, tester(), string(acme.ID), id, string(m.Membership.ID))
		w.ok(err)
		b.get(path).says(t, "ada@acme.example")
		for _, part := range []string{"", "/delete"} {
			b.get(at(globex, "teams", string(id))+part).want(t, http.StatusNotFound)
			b.send(at(globex, "teams", string(id))+part, "name", "Mine").want(t, http.StatusNotFound)
		}
		b.send(at(globex, "teams", string(id), "members", string(m.Membership.ID), "remove")).want(t, http.StatusNotFound)
		b.send(path, "name", "Crew", "description", "").location(t)
		w.byOperator(t, "group.updated")
		b.send(path + "/members/" + string(m.Membership.ID) + "/remove").location(t)
		w.byOperator(t, "group.member_removed")
		b.get(path+"/delete").want(t, http.StatusOK).says(t, "Delete the team Crew?")
		b.send(path + "/delete").location(t)
		w.byOperator(t, "group.deleted")
	})
}

func TestLicences_show_how_many_seats_are_taken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		m, b := w.memberOf(acme, w.people(acme, "ada@acme.example")[0]), w.as(operator.Admin)
		b.send(at(acme, "licences"), "slug", "pro", "name", "Pro", "seats", "3", "over_limit", "refuse").location(t)
		w.byOperator(t, "licence_type.created")
		b.send(at(acme, "licences"), "slug", "x", "name", "x", "seats", "many", "over_limit", "admit").want(t, http.StatusUnprocessableEntity).says(t, "whole number")
		b.send(memberAt(m, "access"), "licence", "pro").location(t)
		b.get(at(acme, "licences")).says(t, "1 of 3 taken", "Let nobody in")
		b.get(at(globex, "licences", "pro")).want(t, http.StatusNotFound)
		b.send(at(globex, "licences", "pro", "delete")).want(t, http.StatusNotFound)
		b.send(at(acme, "licences", "pro"), "name", "Pro", "seats", "", "over_limit", "admit").location(t)
		w.byOperator(t, "licence_type.updated")
		b.get(at(acme, "licences", "pro")).says(t, "1 taken, no limit")
		u, err := w.members.Access().Licence(ctx, string(acme.ID), "pro")
		if err != nil || u.Type.Seats != nil || u.Type.OverLimit != access.Admit {
			t.Errorf("%+v %v", u, err)
		}
		b.get(at(acme, "licences", "pro", "delete")).want(t, http.StatusOK)
	})
}

// fed is a directory with somebody in it.
func (w *world) fed(o org.Organization, document string) directory.Directory {
	w.t.Helper()
	d, secret, err := w.dirs.Create(ctx, tester(), directory.New{OrganizationID: string(o.ID), Name: "Feed", Type: directory.GenericSCIM})
	w.ok(err)
	door, err := w.dirs.Authenticate(ctx, "", secret)
	w.ok(err)
	w.ok(w.dirs.NoteAccepted(ctx, door))
	read, err := scim.ReadObject([]byte(document), scim.DefaultLimits)
	w.ok(err)
	person, err := scim.Standard().User.Prepare(read, scim.Mode{})
	w.ok(err)
	_, _, err = w.dirs.CreateUser(ctx, door, person, func(directory.Outcome) *directory.Exchange {
		return &directory.Exchange{At: time.Now(), Method: "POST", Path: "/Users", Status: 201, RequestID: "req"}
	})
	w.ok(err)
	return d
}

func TestMapping_shows_who_gains_and_loses_before_it_is_saved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		_, err := w.members.Access().CreateRole(ctx, tester(), access.NewRole{Slug: "editor", Name: "Editor"})
		w.ok(err)
		name, err := json.Marshal(evil)
		w.ok(err)
		d := w.fed(acme, `{"userName":"ada@acme.example","displayName":`+string(name)+`,"title":"Writer","active":true}`)
		path, b := "/dashboard/directories/"+string(d.ID)+"/mapping", w.as(operator.Admin)
		b.get(path).want(t, http.StatusOK).says(t, "No rules.", "Show who gains and loses")
		rules := `[{"set":"role","to":"editor","when":{"path":"title","equals":"Writer"}},{"set":"attribute","name":"job","from":"title"}]`
		page := b.send(path, "do", "preview", "drives_roles", "on", "rules", rules, "version", "0").want(t, http.StatusOK)
		page.says(t, "1 person was looked at.", "member → editor", "job: – → Writer", "role Editor, where title is Writer", "Save the mapping").inert(t)
		if saved, err := w.members.Access().Mapping(ctx, string(acme.ID), string(d.ID)); err != nil || saved.Version != 0 {
			t.Fatalf("looking saves: %+v %v", saved, err)
		}
		b.send(path, "do", "preview", "rules", `[]`, "version", "0").says(t, "Nobody gains or loses anything")
		b.send(path, "do", "save", "drives_roles", "on", "rules", `[{"set":"role"}]`, "version", "0").want(t, http.StatusUnprocessableEntity).says(t, "Rule 1")
		b.send(path, "do", "preview:directory_user_x", "rules", `[]`).want(t, http.StatusBadRequest)
		b.send(path, "do", "add", "rules", rules, "group", evil, "give", "role:editor").want(t, http.StatusOK).says(t, "in the group \"><script>").inert(t)
		b.send(path, "do", "add", "rules", rules, "group", "x", "give", "nothing").want(t, http.StatusUnprocessableEntity)
		b.send(path, "do", "save", "drives_roles", "on", "rules", rules, "version", "0").location(t)
		w.byOperator(t, "mapping.updated")
		saved, err := w.members.Access().Mapping(ctx, string(acme.ID), string(d.ID))
		if err != nil || !saved.DrivesRoles || saved.DrivesTeams || len(saved.Rules) != 2 {
			t.Errorf("%+v %v", saved, err)
		}
		b.send(path, "do", "save", "drives_roles", "on", "rules", rules, "version", "0").want(t, http.StatusPreconditionFailed) // somebody was faster

		c := w.okta(acme, "Okta")
		b.get(of(c, "mapping")).want(t, http.StatusOK).says(t, "Save the mapping")
		b.send(of(c, "mapping"), "do", "save", "drives_roles", "on", "rules", `[{"set":"role","to":"editor","when":{"group":"Editors"}}]`).location(t)
		b.get(of(c, "mapping")).says(t, "role Editor, where in the group Editors")
	})
}

func TestEvents_are_filtered_and_shown_with_their_cause(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization(evil)
		w.people(acme, "ada@acme.example")
		b := w.as(operator.ReadOnly)
		b.get("/dashboard/events").want(t, http.StatusOK).says(t, "user.created", "ada@acme.example", "organization.created").inert(t)
		own := b.get("/dashboard/events?organization="+string(globex.ID)).want(t, http.StatusOK).inert(t)
		if strings.Contains(own.text(), "ada@acme.example") {
			t.Error("the filter leaves another organization's")
		}
		only := b.get("/dashboard/events?type=user.created").want(t, http.StatusOK).says(t, "ada@acme.example")
		if eventLink.FindStringSubmatch(only.body) == nil || strings.Count(only.body, `href="/dashboard/events/event_`) != 1 {
			t.Fatal("the filter by type leaves others")
		}
		one := eventLink.FindStringSubmatch(only.body)[1]
		b.get(one).want(t, http.StatusOK).says(t, `"event" : "user.created"`, "Cause", "test (API)", "No deliveries")
		tomorrow := w.now().Add(48 * time.Hour).UTC().Format(time.DateOnly)
		b.get("/dashboard/events?from="+tomorrow).says(t, "No events")
		b.get("/dashboard/events?until="+tomorrow).says(t, "ada@acme.example")
		for _, bad := range []string{"type=x.y", "from=yesterday", "organization=1", "after=event_x", "before=" + url.QueryEscape(evil)} {
			if got := b.get("/dashboard/events?" + bad).inert(t).StatusCode; got != http.StatusUnprocessableEntity && got != http.StatusBadRequest {
				t.Errorf("%s: %d", bad, got)
			}
		}
		b.get("/dashboard/events/event_01ARZ3NDEKTSV4RRFFQ69G5FAV").want(t, http.StatusNotFound)
		b.get("/dashboard/events/x").want(t, http.StatusNotFound)
	})
}

func TestPages_of_events_lead_to_each_other(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 30 {
			w.organization("Acme")
		}
		b := w.as(operator.ReadOnly)
		ids := func(a answer) (out []string) {
			for _, m := range eventLink.FindAllStringSubmatch(a.body, -1) {
				out = append(out, m[1])
			}
			return out
		}
		follow := func(a answer, rel string) answer {
			t.Helper()
			m := pageLink(rel).FindStringSubmatch(a.body)
			if m == nil {
				t.Fatalf("no %s page", rel)
			}
			return b.get("/dashboard/events"+strings.ReplaceAll(m[1], "&amp;", "&")).want(t, http.StatusOK)
		}
		first := b.get("/dashboard/events?type=organization.created")
		second := follow(first, "next")
		again := follow(second, "prev")
		if len(ids(first)) != 25 || len(ids(second)) != 5 || !slices.Equal(ids(first), ids(again)) || slices.Contains(ids(first), ids(second)[0]) {
			t.Errorf("%d, %d, %d events", len(ids(first)), len(ids(second)), len(ids(again)))
		}
		if pageLink("next").MatchString(second.body) {
			t.Error("the last page has a next one")
		}
	})
}

func TestWebhook_endpoint_shows_its_secret_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b, looks := w.as(operator.Admin), w.as(operator.ReadOnly)
		b.get("/dashboard/webhooks/new").want(t, http.StatusOK).says(t, "Every event")
		b.send("/dashboard/webhooks/new", "endpoint_url", "javascript:alert(1)", "all", "on").want(t, http.StatusUnprocessableEntity).inert(t)
		made := b.send("/dashboard/webhooks/new", "endpoint_url", "http://127.0.0.1:9/hook", "events", "user.created").want(t, http.StatusOK).says(t, "This is shown once")
		w.byOperator(t, "webhook_endpoint.created")
		all, _, err := w.webhooks.List(ctx, webhook.Page{Limit: 10})
		if err != nil || len(all) != 1 || !strings.Contains(made.body, all[0].Secret.Reveal()) || len(all[0].Types) != 1 {
			t.Fatalf("%+v %v", all, err)
		}
		e := all[0]
		path := "/dashboard/webhooks/" + string(e.ID)
		for _, page := range []string{"/dashboard/webhooks", path, path + "/edit", path + "/delete"} {
			if strings.Contains(b.get(page).want(t, http.StatusOK).body, e.Secret.Reveal()) {
				t.Errorf("%s shows the secret again", page)
			}
		}
		looks.get(path).want(t, http.StatusOK)
		looks.get(path+"/edit").want(t, http.StatusForbidden)
		b.send(path+"/edit", "endpoint_url", "http://127.0.0.1:9/other", "all", "on").location(t)
		w.byOperator(t, "webhook_endpoint.updated")
		if e, err = w.webhooks.Get(ctx, e.ID); err != nil || len(e.Types) < 50 || e.URL != "http://127.0.0.1:9/other" {
			t.Errorf("%+v %v", e, err)
		}
		rotated := b.send(path+"/secret").want(t, http.StatusOK).says(t, "This is shown once")
		w.byOperator(t, "webhook_endpoint.secret_rotated")
		if after, err := w.webhooks.Get(ctx, e.ID); err != nil || after.Secret == e.Secret || !strings.Contains(rotated.body, after.Secret.Reveal()) || strings.Contains(rotated.body, e.Secret.Reveal()) {
			t.Errorf("%v", err)
		}
		b.send(path + "/disable").location(t)
		b.get(path).says(t, "Disabled", "Hand")
		b.send(path+"/replay", "what", "failed").want(t, http.StatusConflict)
		b.send(path + "/enable").location(t)
		b.send(path + "/delete").location(t)
		w.byOperator(t, "webhook_endpoint.deleted")
		b.get(path).want(t, http.StatusNotFound)
	})
}

func TestDelivery_shows_its_attempts_and_is_sent_again(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.as(operator.Admin)
		e, err := w.webhooks.Create(ctx, webhook.New{URL: "http://127.0.0.1:9/hook", Types: []event.Type{"organization.created"}})
		w.ok(err)
		w.organization("Acme")
		path := "/dashboard/webhooks/" + string(e.ID)
		today := w.now().UTC().Format(time.DateOnly)
		b.send(path+"/replay", "what", "span", "from", today, "until", today).location(t)
		found, _, err := w.webhooks.Deliveries(ctx, e.ID, webhook.DeliveryQuery{Page: webhook.Page{Limit: 10}})
		if err != nil || len(found) != 1 {
			t.Fatalf("%+v %v", found, err)
		}
		var as db.Write
		as.Exec(`INSERT INTO webhook_attempts (id, delivery_id, at, micros, status, error, answer) VALUES ('wha_1', $1, $2, 41000, 500, NULL, $3)`, string(found[0].ID), w.now().UnixMicro(), evil)
		w.ok(w.db.Write(ctx, &as))
		b.get(path).says(t, "organization.created", "Waits")
		b.get(path+"?state=failed").says(t, "No deliveries")
		b.get(path+"?state=x").want(t, http.StatusUnprocessableEntity)
		one := "/dashboard/webhook-deliveries/" + string(found[0].ID)
		b.get(one).want(t, http.StatusOK).says(t, "Answered 500", "41 ms", "Deliver again").inert(t)
		if to := b.send(one + "/replay").location(t); strings.HasPrefix(to, one) {
			t.Error("a replay is a delivery of its own, and leads there")
		}
		b.send(path+"/replay", "what", "span", "from", "x").want(t, http.StatusUnprocessableEntity)
		b.get("/dashboard/webhook-deliveries/whd_1").want(t, http.StatusNotFound)
	})
}

func TestAudit_is_filtered_and_taken_along(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("=1+1")
		b := w.as(operator.ReadOnly)
		k, _, err := w.orgs.CreateAPIKey(ctx, tester(), acme.ID, org.NewAPIKey{Name: evil})
		w.ok(err)
		b.get("/dashboard/audit").want(t, http.StatusOK).says(t, "organization.created", "api_key.created").inert(t)
		if some := b.get("/dashboard/audit?action=api_key.created&target="+k.ID+"&organization="+string(acme.ID)).want(t, http.StatusOK).says(t, "api_key.created"); strings.Contains(some.text(), "organization.created") {
			t.Error("the filter leaves others")
		}
		b.get("/dashboard/audit?actor=nobody").says(t, "No entries")
		csv := b.get("/dashboard/audit/export?format=csv&organization="+string(acme.ID)).want(t, http.StatusOK)
		if !strings.HasPrefix(csv.body, "created_at,id,organization_id,action,") || !strings.Contains(csv.body, "organization.created") || csv.Header.Get("Content-Disposition") != `attachment; filename="audit.csv"` {
			t.Errorf("%v\n%.300s", csv.Header, csv.body)
		}
		lines := strings.Split(strings.TrimSpace(b.get("/dashboard/audit/export?format=jsonl&organization="+string(acme.ID)).want(t, http.StatusOK).body), "\n")
		for _, line := range lines {
			var entry struct{ Object, OrganizationID string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Object != "audit_entry" || !strings.Contains(line, string(acme.ID)) {
				t.Errorf("%s: %v", line, err)
			}
		}
		if len(lines) != 2 {
			t.Errorf("%d lines, want two", len(lines))
		}
		for _, bad := range []string{"", "?format=", "?format=pdf", "?format=csv&from=x", "?format=csv&action=A"} {
			b.get("/dashboard/audit/export"+bad).want(t, http.StatusUnprocessableEntity)
		}
		b.get("/dashboard/audit?after=x").want(t, http.StatusBadRequest)
		b.get("/dashboard/audit?actor="+strings.Repeat("x", 101)).want(t, http.StatusUnprocessableEntity)
	})
}

func TestAPI_key_shows_its_value_once_and_is_revoked_where_it_belongs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		b := w.as(operator.Admin)
		list := "/dashboard/api-keys?organization=" + string(acme.ID)
		b.get("/dashboard/api-keys").says(t, "Acme", "Globex")
		b.get(list).want(t, http.StatusOK).says(t, "No key yet")
		b.send("/dashboard/api-keys", "organization", string(acme.ID), "name", "").want(t, http.StatusUnprocessableEntity).says(t, "needs a name")
		b.send("/dashboard/api-keys", "organization", string(acme.ID), "name", "x", "expires_at", "2001-01-01").want(t, http.StatusUnprocessableEntity)
		b.send("/dashboard/api-keys", "organization", "org_1", "name", "x").want(t, http.StatusNotFound)
		made := b.send("/dashboard/api-keys", "organization", string(acme.ID), "name", "Okta", "scim", "on", "permissions", "posts:read\r\n posts:write ").want(t, http.StatusOK).says(t, "This is shown once")
		w.byOperator(t, "api_key.created")
		keys, _, err := w.orgs.APIKeys(ctx, org.APIKeyQuery{OrganizationID: acme.ID, Limit: 10})
		if err != nil || len(keys) != 1 || !slices.Equal(keys[0].Permissions, []string{"posts:read", "posts:write", "scim"}) {
			t.Fatalf("%+v %v", keys, err)
		}
		value := secretIn.FindStringSubmatch(made.body)
		if value == nil {
			t.Fatal("the value is not shown")
		}
		if _, living, err := w.orgs.AuthenticateAPIKey(ctx, token.Secret(value[1])); err != nil || !living {
			t.Error("the value that is shown opens nothing", err)
		}
		if page := b.get(list).says(t, "Okta", "Never", "Valid"); strings.Contains(page.body, value[1]) {
			t.Error("the value is shown again")
		}
		b.send("/dashboard/api-keys/"+string(globex.ID)+"/"+keys[0].ID+"/revoke").want(t, http.StatusNotFound)
		path := "/dashboard/api-keys/" + string(acme.ID) + "/" + keys[0].ID + "/revoke"
		b.get(path).want(t, http.StatusOK).says(t, "Revoke Okta?")
		b.send(path).location(t)
		w.byOperator(t, "api_key.revoked")
		if _, living, err := w.orgs.AuthenticateAPIKey(ctx, token.Secret(value[1])); err != nil || living {
			t.Error("it still opens", err)
		}
	})
}

func TestApplication_is_made_changed_and_deleted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, b := w.organization("Acme"), w.as(operator.Admin)
		uri := "https://app.example.com/callback"
		b.send("/dashboard/applications/new", "name", "", "kind", "confidential", "signing_alg", "RS256").want(t, http.StatusUnprocessableEntity)
		b.send("/dashboard/applications/new", "name", "x", "kind", "confidential", "signing_alg", "none").want(t, http.StatusUnprocessableEntity)
		b.send("/dashboard/applications/new", "name", "x", "kind", "confidential", "signing_alg", "RS256", "redirect_uris", "javascript:alert(1)").want(t, http.StatusUnprocessableEntity).inert(t)
		path := strings.Split(b.send("/dashboard/applications/new", "name", evil, "kind", "confidential", "signing_alg", "ES256", "redirect_uris", uri+"\r\nhttps://app.example.com/two").location(t), "?")[0]
		w.byOperator(t, "connect_application.created")
		id := path[strings.LastIndex(path, "/")+1:]
		a, err := w.issuer.Get(ctx, id)
		if err != nil || a.Public || !a.FirstParty || a.Algorithm != "ES256" || a.DefaultURI() != uri || len(a.SignIn) != 2 {
			t.Fatalf("%+v %v", a, err)
		}
		b.get("/dashboard/applications").want(t, http.StatusOK).inert(t)
		b.get(path).want(t, http.StatusOK).says(t, a.ClientID, "No secret yet", "True worst gap", "5m", "the life of an access token", "None yet").inert(t)
		form := []string{"name", "Shop", "description", "", "redirect_uris", "https://app.example.com/two", "post_logout_redirect_uris", "https://app.example.com/bye", "backchannel_logout_uri", "", "initiate_login_uri", "", "signing_alg", "RS256", "uses_pkce", "on"}
		b.send(path, form...).location(t)
		w.byOperator(t, "connect_application.updated")
		if a, err = w.issuer.Get(ctx, id); err != nil || a.Name != "Shop" || a.DefaultURI() != "https://app.example.com/two" || len(a.SignOut) != 1 || !a.UsesPKCE || a.Algorithm != "RS256" {
			t.Errorf("%+v %v", a, err)
		}
		form[9] = "http://10.0.0.1/logout"
		b.send(path, form...).want(t, http.StatusUnprocessableEntity)

		made := b.send(path+"/secrets").want(t, http.StatusOK).says(t, "This is shown once")
		w.byOperator(t, "client_secret.created")
		secrets, err := w.issuer.Secrets(ctx, id)
		w.ok(err)
		value := clientSecretIn.FindStringSubmatch(made.body)
		if len(secrets) != 1 || value == nil || !strings.HasSuffix(value[1], secrets[0].Hint) {
			t.Fatalf("%+v %v", secrets, value)
		}
		if strings.Contains(b.get(path).body, value[1]) {
			t.Error("the secret is shown again")
		}
		other, err := w.issuer.Create(ctx, issuer.New{Name: "Other", OrganizationID: string(acme.ID)})
		w.ok(err)
		b.send("/dashboard/applications/"+other.ID+"/secrets/"+secrets[0].ID+"/delete").want(t, http.StatusNotFound)
		b.send(path + "/secrets/" + secrets[0].ID + "/delete").location(t)
		w.byOperator(t, "client_secret.deleted")
		b.send(path+"/delete", "confirm", "shop").want(t, http.StatusUnprocessableEntity)
		b.send(path+"/delete", "confirm", "Shop").location(t)
		w.byOperator(t, "connect_application.deleted")
		if _, err := w.issuer.Get(ctx, id); !fault.Is(err, fault.NotFound) {
			t.Errorf("it is still there: %v", err)
		}
		b.send("/dashboard/applications/new", "name", "Phone", "kind", "public", "signing_alg", "RS256", "organization_id", string(acme.ID)).location(t)
		b.get("/dashboard/applications").says(t, "Phone", "Without secret", "Of one organization")
	})
}

func TestSigning_keys_are_replaced(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.issuer.JWKS(ctx)
		w.ok(err)
		before, err := w.issuer.Keys(ctx)
		w.ok(err)
		b := w.as(operator.Admin)
		b.send("/dashboard/signing-keys", "signing_alg", "none").want(t, http.StatusUnprocessableEntity)
		b.send("/dashboard/signing-keys", "signing_alg", "ES256").location(t)
		w.byOperator(t, "signing_key.created")
		after, err := w.issuer.Keys(ctx)
		if err != nil || len(after) != len(before)+1 {
			t.Errorf("%d keys, were %d: %v", len(after), len(before), err)
		}
		b.get("/dashboard/signing-keys").want(t, http.StatusOK).says(t, "ES256", "Comes next")
	})
}

func TestSettings_say_what_holds_and_where_it_comes_from(t *testing.T) {
	w := small(t, func(o *dashboard.Options) {
		o.Settings = []dashboard.Setting{{Name: "listen", Value: ":8080", Origin: "ROLLCALL_LISTEN"}, {Name: "api-key", Value: "•••", Origin: "default"}, {Name: "dns-server", Origin: "default"}}
		o.Version, o.Database = "1.2.3", "/var/lib/rollcall/rollcall.db"
	})
	w.as(operator.ReadOnly).get("/dashboard/settings").want(t, http.StatusOK).says(t, "listen", ":8080", "ROLLCALL_LISTEN", "•••", "Not set", "Default", "1.2.3", "/var/lib/rollcall/rollcall.db", w.base)
}

func TestWhere_the_app_keeps_the_accounts_pages_about_them_say_so(t *testing.T) {
	w := small(t, func(o *dashboard.Options) { o.Members, o.Sessions = nil, nil })
	acme, b := w.organization("Acme"), w.as(operator.Admin)
	for _, page := range []string{"/dashboard/members", "/dashboard/roles", "/dashboard/permissions", at(acme, "teams"), at(acme, "licences"), at(acme, "roles")} {
		b.get(page).want(t, http.StatusForbidden).says(t, "keeps no accounts")
	}
	c := w.okta(acme, "Okta")
	if page := b.get(of(c)).want(t, http.StatusOK); strings.Contains(page.body, of(c, "mapping")) {
		t.Error("a mapping of nobody is offered")
	}
	b.get(of(c, "mapping")).want(t, http.StatusForbidden)
}

func TestWhat_others_called_things_is_text_on_every_page(t *testing.T) {
	w := small(t)
	acme := w.organization(evil)
	_, err := w.members.CreateUser(ctx, tester(), member.NewUser{Email: "eve@acme.example", FirstName: evil, LastName: evil})
	w.ok(err)
	u, err := w.members.UserByEmail(ctx, "eve@acme.example")
	w.ok(err)
	m, err := w.members.CreateMembership(ctx, tester(), member.NewMembership{OrganizationID: string(acme.ID), UserID: u.ID})
	w.ok(err)
	c := w.okta(acme, evil)
	w.active(c)
	attempt := w.attempt(c, evil)
	w.seated(acme, u)
	b := w.as(operator.Admin)
	for _, page := range []string{
		"/dashboard/connections", of(c), of(c, "sign-ins"), of(c, "sign-ins", string(attempt)), of(c, "settings"), of(c, "mapping"), of(c, "delete"), of(c, "deactivate"),
		"/dashboard/members", "/dashboard/members?organization=" + string(acme.ID), memberAt(m), memberAt(m, "block"), memberAt(m, "remove"), "/dashboard/events", "/dashboard/audit",
		"/dashboard/api-keys?organization=" + string(acme.ID), at(acme, "roles"), at(acme, "teams"), at(acme, "licences"),
		"/dashboard/members?search=" + url.QueryEscape(evil), "/dashboard/connections?search=" + url.QueryEscape(evil), "/dashboard/members?email=" + url.QueryEscape(evil),
	} {
		b.get(page).want(t, http.StatusOK).inert(t)
	}
}

var (
	nextPage       = pageLink("next")
	eventLink      = regexp.MustCompile(`href="(/dashboard/events/event_[0-9A-Z]+)"`)
	secretIn       = regexp.MustCompile(`id="api-key">([^<]+)<`)
	clientSecretIn = regexp.MustCompile(`id="client-secret">([^<]+)<`)
)

// pageLink finds the address of a neighbouring page.
func pageLink(rel string) *regexp.Regexp {
	return regexp.MustCompile(`href="(\?[^"]*)"[^>]*rel="` + rel + `"`)
}
