package api

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

const invitationsPath = "/user_management/invitations"

func (w *world) invited(organizationID, email string) reply {
	w.Helper()
	return w.send("POST", invitationsPath, `{"email":"`+email+`","organization_id":"`+organizationID+`"}`).wants(201)
}

// later has the mails of all invitations lie an hour back.
func (w *world) later() {
	w.Helper()
	var write db.Write
	write.Exec(`UPDATE invitations SET updated_at = updated_at - 3600000000`)
	w.must(w.db.Write(w.Context(), &write))
}

// everyChangeOfAnInvitation makes one event of each type that invitations have.
func (w *world) everyChangeOfAnInvitation(organizationID string) {
	w.Helper()
	one, two := w.invited(organizationID, "eve@home.example").text("id"), w.invited(organizationID, "fay@home.example").text("id")
	w.later()
	w.send("POST", invitationsPath+"/"+one+"/resend", `{}`).wants(200)
	w.send("POST", invitationsPath+"/"+one+"/accept", ``).wants(200)
	w.send("POST", invitationsPath+"/"+two+"/revoke", ``).wants(200)
	w.server.o.Events.Nudge()
}

func TestInvitation_is_made_found_accepted_and_not_a_second_time(t *testing.T) {
	onBoth(t, func(w *world) {
		acme := w.organization("Acme")
		grace := w.signIn(acme, "1", "grace@acme.example")
		made := w.send("POST", invitationsPath, `{"email":"Ada@home.example","organization_id":"`+acme+`","role_slug":"member","expires_in_days":30,"inviter_user_id":"`+
			string(grace.User.ID)+`","locale":"de-AT","team_ids":null,"licence":null}`).wants(201)
		id, secret := made.text("id"), made.text("token")
		if made.text("state") != "pending" || made.text("accept_invitation_url") != publicURL+"/invitations/"+secret || made.text("inviter_user_id") != string(grace.User.ID) ||
			made.text("role_slug") != "member" || !strings.Contains(made.text("warning"), "--smtp-url") {
			t.Errorf("%s", made.raw)
		}
		for _, path := range []string{"/" + id, "/by_token/" + secret} {
			if got := w.get(invitationsPath + path).wants(200); got.text("id") != id || got.text("token") != secret {
				t.Errorf("%s: %s", path, got.raw)
			}
		}
		w.send("POST", invitationsPath, `{"email":"ada@HOME.example","organization_id":"`+acme+`"}`).refused(400, "email_already_invited_to_organization", "email")
		if got := w.send("POST", invitationsPath+"/"+id+"/accept", "").wants(200); got.text("state") != "accepted" || got.text("token") != "" || got.text("accepted_user_id") == "" ||
			got.text("accept_invitation_url") != "" || got.object["warning"] != nil {
			t.Errorf("%s", got.raw)
		}
		w.send("POST", invitationsPath+"/"+id+"/accept", "").refused(400, "invite_not_pending", "")
		w.send("POST", invitationsPath+"/"+id+"/revoke", "").refused(400, "invite_not_pending", "")
		w.send("POST", invitationsPath+"/"+id+"/resend", "{}").refused(400, "invite_accepted", "")
		w.get(invitationsPath + "/by_token/" + secret).wants(200)
		members := w.get("/user_management/organization_memberships?organization_id=" + acme).wants(200).data()
		if len(members) != 2 {
			t.Errorf("%d members", len(members))
		}
	})
}

func TestInvitations_are_listed_resent_and_revoked(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		one, two := w.invited(acme, "one@home.example").text("id"), w.invited(acme, "two@home.example").text("id")
		w.invited(other, "one@home.example")
		same(t, "of Acme", w.get(invitationsPath+"?order=asc&organization_id="+acme).wants(200).each("id"), []string{one, two})
		if n := len(w.get(invitationsPath + "?email=ONE@home.example").wants(200).data()); n != 2 {
			t.Errorf("%d of one address", n)
		}
		if pending := w.get("/user_management/organization_memberships?statuses=pending&organization_id=" + acme).wants(200).data(); len(pending) != 2 {
			t.Errorf("%d pending members", len(pending))
		}
		w.send("POST", invitationsPath+"/"+one+"/resend", `{"locale":"fr"}`).refused(429, "too_many_mails", "")
		w.later()
		w.send("POST", invitationsPath+"/"+one+"/resend", `{"locale":"fr"}`).wants(200)
		if got := w.send("POST", invitationsPath+"/"+one+"/revoke", "").wants(200); got.text("state") != "revoked" || got.text("revoked_at") == "" {
			t.Errorf("%s", got.raw)
		}
		w.send("POST", invitationsPath+"/"+one+"/resend", "").refused(400, "invite_revoked", "")
		w.invited(acme, "one@home.example")
	})
}

func TestInvitation_says_what_is_wrong_with_it(t *testing.T) {
	onOne(t, func(w *world) {
		acme := w.organization("Acme")
		in := w.signIn(acme, "1", "in@acme.example")
		for body, want := range map[string]struct {
			status      int
			code, field string
		}{
			`{}`:                                   {422, "invalid_request_parameters", "email"},
			`{"email":"ada"}`:                      {422, "invalid_request_parameters", "email"},
			`{"email":"a@b.example","locale":"<"}`: {422, "invalid_request_parameters", "locale"},
			`{"email":"a@b.example","organization_id":"org_x"}`:                           {404, "entity_not_found", ""},
			`{"email":"a@b.example","inviter_user_id":"user_x"}`:                          {404, "entity_not_found", ""},
			`{"email":"a@b.example","expires_in_days":0}`:                                 {400, "expires_in_days_too_short", "expires_in_days"},
			`{"email":"a@b.example","expires_in_days":31}`:                                {400, "expires_in_days_too_long", "expires_in_days"},
			`{"email":"a@b.example","organization_id":"` + acme + `","role_slug":"king"}`: {400, "invalid_role", "role_slug"},
			`{"email":"a@b.example","organization_id":"` + acme + `","team_ids":["x"]}`:   {422, "invalid_request_parameters", "team_ids"},
			`{"email":"` + in.User.Email + `","organization_id":"` + acme + `"}`:          {400, "user_already_organization_member", "email"},
			`{"email":"` + in.User.Email + `"}`:                                           {400, "user_already_exists", "email"},
		} {
			w.send("POST", invitationsPath, body).refused(want.status, want.code, want.field)
		}
		w.get(invitationsPath+"/invitation_x").refused(404, "entity_not_found", "")
		w.get(invitationsPath+"/by_token/x").refused(404, "entity_not_found", "")
		w.server.o.Members = nil
		w.send("POST", invitationsPath, `{"email":"a@b.example"}`).refused(403, "accounts_not_kept", "")
		w.get(invitationsPath).refused(403, "accounts_not_kept", "")
	})
}
