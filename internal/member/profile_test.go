package member_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/member"
)

func (h *house) wantProfile(when string, m member.Member, first, last, picture, locale string) {
	h.t.Helper()
	if u := m.User; u.FirstName != first || u.LastName != last || u.PictureURL != picture || u.Locale != locale {
		h.t.Errorf("%s: %q %q %q %q, want %q %q %q %q", when, u.FirstName, u.LastName, u.PictureURL, u.Locale, first, last, picture, locale)
	}
}

func TestProfile_what_the_directory_gives_no_more_goes_and_what_it_never_gave_stays(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		d := person(acme)
		d.Provisioning, d.PictureURL, d.Locale = member.Direct, "https://p.example/ada", "de"
		d.Mapped.LastName = ptr("King")
		m := h.applied(d, member.OutcomeActivated)
		h.wantProfile("it gives all", m, "Ada", "King", "https://p.example/ada", "de")

		less := d
		less.FirstName, less.PictureURL, less.Locale, less.Mapped = "", "", "", access.Mapped{}
		before := len(h.all(0))
		m = h.applied(less, member.OutcomeUpdated)
		h.wantProfile("it gives a last name, by no rule", m, "", "Lovelace", "", "")
		h.wantAll(before, "user.updated")
		h.applied(less, member.OutcomeUnchanged)

		u, err := h.members.UpdateUser(t.Context(), operator(), m.User.ID, member.UserChanges{Locale: ptr("fr"), PictureURL: ptr("https://p.example/own")})
		h.must(err)
		less.Mapped.Attributes = map[string]any{"title": "Countess"}
		h.wantProfile("it never gave the app's", h.applied(less, member.OutcomeUpdated), "", "Lovelace", u.PictureURL, "fr")

		second := d
		second.DirectoryID, second.DirectoryUserID, second.Mapped, second.PictureURL = "directory_2", "directory_user_2", access.Mapped{}, ""
		h.wantProfile("another directory", h.applied(second, member.OutcomeLinked), "Ada", "Lovelace", u.PictureURL, "de")
		h.applied(d, member.OutcomeUpdated)
		h.wantProfile("falls back to the other one's", h.applied(less, member.OutcomeUpdated), "Ada", "Lovelace", "", "de")

		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
			return h.members.FreezeTx(t.Context(), tx, acme, second.DirectoryID, directorys(second.DirectoryID))
		}))
		got, err := h.members.User(t.Context(), m.User.ID)
		h.must(err)
		h.wantProfile("a directory that is removed takes nothing", member.Member{User: got}, "Ada", "Lovelace", "", "de")
	})
}

func TestProfile_is_the_oldest_directorys_whichever_speaks_last(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		d := person(acme)
		d.Provisioning, d.Locale = member.Direct, "de"
		h.applied(d, member.OutcomeActivated)
		second := d
		second.DirectoryID, second.DirectoryUserID = "directory_2", "directory_user_2"
		second.FirstName, second.Locale, second.PictureURL = "Augusta", "fr", "https://p.example/two"
		h.wantProfile("the second says otherwise", h.applied(second, member.OutcomeLinked), "Ada", "Lovelace", "https://p.example/two", "de")
		d.Locale = "it"
		h.wantProfile("the first changes", h.applied(d, member.OutcomeUpdated), "Ada", "Lovelace", "https://p.example/two", "it")
		second.Locale = "es"
		h.wantProfile("the second changes", h.applied(second, member.OutcomeUpdated), "Ada", "Lovelace", "https://p.example/two", "it")
		d.Says = member.SaysInactive
		h.wantProfile("the first shuts her out", h.applied(d, member.OutcomeUpdated), "Augusta", "Lovelace", "https://p.example/two", "es")
	})
}

func TestProfile_what_the_directory_gives_no_more_while_it_shuts_the_person_out_is_gone_when_they_return(t *testing.T) {
	onEachInviting(t, func(h *house) {
		d := person(h.organization("Acme"))
		d.Provisioning, d.Locale = member.Direct, "de"
		h.applied(d, member.OutcomeActivated)
		d.Says = member.SaysInactive
		h.wantProfile("she is out", h.applied(d, member.OutcomeDeactivated), "Ada", "Lovelace", "", "de")
		d.Locale = ""
		h.wantProfile("it goes meanwhile", h.applied(d, member.OutcomeUpdated), "Ada", "Lovelace", "", "")
		d.Says = member.SaysActive
		h.wantProfile("she returns", h.applied(d, member.OutcomeReturned), "Ada", "Lovelace", "", "")
	})
}

func TestProfile_of_a_guest_is_not_the_directorys_to_take(t *testing.T) {
	onEachInviting(t, func(h *house) {
		home, acme := h.organization("Home"), h.organization("Acme")
		first := person(home)
		first.Provisioning, first.Locale = member.Direct, "de"
		h.applied(first, member.OutcomeActivated)
		guest := first
		guest.OrganizationID, guest.DirectoryID, guest.DirectoryUserID = acme, "directory_2", "directory_user_2"
		h.applied(guest, member.OutcomeLinked)
		guest.FirstName, guest.Locale = "", ""
		m := h.applied(guest, member.OutcomeUpdated)
		h.wantProfile("as the home has it", m, "Ada", "Lovelace", "", "de")
	})
}

func TestProfile_that_a_directory_gives_is_refused_by_hand_field_by_field(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		d := person(acme)
		d.Provisioning, d.PictureURL = member.Direct, "https://p.example/ada"
		m := h.applied(d, member.OutcomeActivated)
		change := func(c member.UserChanges) error {
			_, err := h.members.UpdateUser(t.Context(), operator(), m.User.ID, c)
			return err
		}
		h.must(change(member.UserChanges{Locale: ptr("fr")}))
		managed(t, change(member.UserChanges{PictureURL: ptr("https://p.example/own")}))
		managed(t, change(member.UserChanges{EmailVerified: ptr(false)}))
		d.Mapped.Locale = ptr("de")
		h.applied(d, member.OutcomeUpdated)
		managed(t, change(member.UserChanges{Locale: ptr("fr")}))
		managed(t, change(member.UserChanges{Locale: ptr("")}))
		h.must(change(member.UserChanges{Locale: ptr("de")})) // as it is
		d.FirstName = ""
		h.applied(d, member.OutcomeUpdated)
		managed(t, change(member.UserChanges{FirstName: ptr("Augusta")}))
		h.must(h.db.Tx(t.Context(), func(tx db.Tx) error {
			return h.members.FreezeTx(t.Context(), tx, acme, d.DirectoryID, directorys(d.DirectoryID))
		}))
		h.must(change(member.UserChanges{Locale: ptr("fr"), PictureURL: ptr(""), FirstName: ptr("Augusta"), EmailVerified: ptr(false)}))
	})
}
