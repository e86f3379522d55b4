package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// signIn lets somebody in as a sign-in through an identity provider does.
func (w *world) signIn(organizationID, idpID, email string) member.Admission {
	w.Helper()
	a := member.Arrival{
		OrganizationID: organizationID, ConnectionID: "conn_of_" + organizationID, IDPID: idpID, Email: email, FirstName: "Cal", LastName: "O'Hara <c>", EmailVerified: true,
		Standing: member.Standing{Says: member.NoDirectory}, JIT: member.JITVerifiedDomain,
	}
	f, err := w.members.Facts(w.Context(), w.db, a)
	w.must(err)
	ad, err := member.Admit(f, a, time.Now())
	w.must(err)
	var write db.Write
	w.must(w.members.AdmitInto(w.Context(), &write, ad, event.Context{Actor: event.Actor{ID: "conn_1", Source: event.System}}))
	w.sessions.StartInto(&write, session.New{
		Cookie: token.HashOf(token.NewSecret("cookie")), OrganizationID: organizationID, UserID: string(ad.User.ID), ConnectionID: "conn_1", Method: session.SSO,
	})
	w.must(w.db.Write(w.Context(), &write))
	w.server.o.Events.Nudge()
	return ad
}

// everyChangeOfAMember makes one event of each type that users, memberships, sessions and mailed codes have.
func (w *world) everyChangeOfAMember(organizationID string) {
	w.Helper()
	actor := event.Actor{ID: "test", Source: event.API}
	cal := w.signIn(organizationID, "1", "cal@example.com")
	w.signIn(organizationID, "1", "cal.ohara@example.com") // user.updated
	_, err := w.members.Deactivate(w.Context(), actor, cal.Membership.ID)
	w.must(err)
	w.must(w.members.DeleteUser(w.Context(), actor, cal.User.ID))

	visitor := session.Visitor{Browser: token.HashOf(token.NewSecret("browser"))}
	var write db.Write
	m, _, link, err := w.sessions.MagicInto(w.Context(), w.db, &write, session.NewMagic{Email: "dan@example.com", EmailKey: "dan@example.com", Browser: visitor.Browser})
	w.must(err)
	w.must(w.db.Write(w.Context(), &write))
	if _, err := w.sessions.CheckCode(w.Context(), m.ID, "wrong", visitor); err == nil {
		w.Error("a wrong code is right")
	}
	m, err = w.sessions.CheckLink(w.Context(), link, visitor)
	w.must(err)
	write = db.Write{}
	dan, err := w.members.SignUpInto(w.Context(), &write, m.Email, event.Context{Actor: actor})
	w.must(err)
	w.sessions.RedeemMagicInto(&write, m, string(dan.ID), visitor)
	w.must(w.db.Write(w.Context(), &write))
	w.server.o.Events.Nudge()
}

func TestSnapshot_has_accounts_and_members(t *testing.T) {
	onBoth(t, func(w *world) {
		acme, other := w.organization("Acme"), w.organization("Other")
		one, two := w.signIn(acme, "1", "one@example.com"), w.signIn(acme, "2", "two@example.com")
		w.must(w.members.Remove(w.Context(), event.Actor{ID: "test", Source: event.API}, two.Membership.ID))
		w.signIn(other, "1", "one@example.com")
		kinds := func(query string) (out []string) {
			t.Helper()
			got := w.get("/events/snapshot" + query).wants(http.StatusOK)
			lines := got.lines()
			for _, line := range lines[1 : len(lines)-1] {
				out = append(out, line["event"].(string))
				line["id"], line["context"] = "event_x", map[string]any{}
				for _, fault := range w.contract.FaultsOf("EventSchema", line) {
					t.Errorf("%v: %s", line, fault)
				}
				if data := line["data"].(map[string]any); line["event"] == "organization_membership.created" && data["user_id"] != string(one.User.ID) {
					t.Errorf("a membership of %v", data["user_id"])
				}
			}
			return out
		}
		same(t, "everything", kinds(""), []string{
			"user.created", "user.created", "organization.created", "organization_membership.created", "organization.created", "organization_membership.created",
		})
		same(t, "of one organization", kinds("?organization_id="+acme), []string{"organization.created", "user.created", "organization_membership.created"})
	})
}
