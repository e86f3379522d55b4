package directory_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/org"
)

func (h *house) standing(k directory.Keys) directory.Found {
	h.t.Helper()
	f, err := directory.StandingOf(ctx, h.db, string(h.org.ID), k)
	h.ok(err)
	return f
}

func (h *house) wantStanding(k directory.Keys, standing directory.Standing, by directory.JoinedBy, id directory.UserID) directory.Found {
	h.t.Helper()
	f := h.standing(k)
	if f.Standing != standing || f.JoinedBy != by || f.UserID != id {
		h.t.Fatalf("%+v: got %s by %q %s, want %s by %q %s", k, f.Standing, f.JoinedBy, f.UserID, standing, by, id)
	}
	return f
}

func TestStanding_is_found_by_external_id_then_user_name_then_verified_email(t *testing.T) {
	each(t, func(h *house) {
		ada := h.user(`{"userName":"ada@upn.example","externalId":"00u1","emails":[{"value":"Ada@Acme.example"}]}`)
		bob := h.user(`{"userName":"bob@acme.example","externalId":"00u2"}`)
		h.wantStanding(directory.Keys{IDPID: "00u1", NameID: "bob@acme.example"}, directory.StandingActive, directory.JoinedByExternalID, ada.ID)
		h.wantStanding(directory.Keys{IDPID: "x", ObjectID: "00u2"}, directory.StandingActive, directory.JoinedByExternalID, bob.ID)
		h.wantStanding(directory.Keys{IDPID: "x", NameID: "BOB@acme.example"}, directory.StandingActive, directory.JoinedByUserName, bob.ID)
		h.wantStanding(directory.Keys{IDPID: "x", UPN: "ada@upn.example"}, directory.StandingActive, directory.JoinedByUserName, ada.ID)
		h.wantStanding(directory.Keys{IDPID: "x", Email: "ada@ACME.example", EmailVerified: true}, directory.StandingActive, directory.JoinedByEmail, ada.ID)
		h.wantStanding(directory.Keys{IDPID: "x", Email: "bob@acme.example", EmailVerified: true}, directory.StandingActive, directory.JoinedByEmail, bob.ID)
		h.wantStanding(directory.Keys{IDPID: "x", Email: "ada@acme.example"}, directory.StandingUnknown, "", "")
		h.wantStanding(directory.Keys{IDPID: "nobody", Email: strings.Repeat("a", 5000) + "\x00"}, directory.StandingUnknown, "", "")
		h.wantStanding(directory.Keys{ObjectID: "nobody"}, directory.StandingUnknown, "", "")
		h.wantStanding(directory.Keys{}, directory.StandingUnknown, "", "")
	})
}

func TestStanding_of_one_who_is_out_is_inactive_until_any_directory_says_otherwise(t *testing.T) {
	each(t, func(h *house) {
		ada := h.user(`{"userName":"ada","externalId":"00u1"}`)
		h.activate(ada.ID, false)
		h.wantStanding(directory.Keys{IDPID: "00u1"}, directory.StandingInactive, directory.JoinedByExternalID, ada.ID)
		_, secret := h.directory(directory.New{Name: "Second"})
		first := h.a
		h.a = h.open(secret)
		again := h.user(`{"userName":"ada@second"}`)
		h.wantStanding(directory.Keys{IDPID: "00u1", NameID: "ada@second"}, directory.StandingActive, directory.JoinedByUserName, again.ID)
		h.a = first
		h.activate(ada.ID, true)
		h.wantStanding(directory.Keys{IDPID: "00u1", NameID: "ada@second"}, directory.StandingActive, directory.JoinedByExternalID, ada.ID)
	})
}

func TestStanding_knows_no_directory_of_another_organization(t *testing.T) {
	each(t, func(h *house) {
		h.user(`{"userName":"ada@acme.example","externalId":"00u1"}`)
		other, err := h.orgs.Create(ctx, actor(), org.New{Name: "Other"})
		h.ok(err)
		h.org = other
		k := directory.Keys{IDPID: "00u1", NameID: "ada@acme.example", Email: "ada@acme.example", EmailVerified: true}
		h.wantStanding(k, directory.StandingNone, "", "")
		_, secret := h.directory(directory.New{})
		h.wantStanding(k, directory.StandingNone, "", "") // its provider has not called yet, so it says nothing of anybody
		h.ok(h.s.NoteAccepted(ctx, h.open(secret)))
		h.wantStanding(k, directory.StandingUnknown, "", "")
	})
}

func TestStanding_names_the_mapping_that_misses(t *testing.T) {
	each(t, func(h *house) {
		ada := h.user(`{"userName":"ada@acme.example","externalId":"ada"}`)
		near := h.wantStanding(directory.Keys{IDPID: "9f2c", NameID: "ada@acme.example"}, directory.StandingActive, directory.JoinedByUserName, ada.ID).Near
		if near == nil || *near != (directory.NearMiss{Attribute: "externalId", Has: "ada", Wanted: "9f2c", UserID: ada.ID}) {
			t.Fatalf("joined by the second rule: %+v", near)
		}
		near = h.wantStanding(directory.Keys{IDPID: "9f2c", Email: "ada@acme.example"}, directory.StandingUnknown, "", "").Near
		if near == nil || near.Attribute != "externalId" || near.Has != "ada" || near.Wanted != "9f2c" {
			t.Fatalf("joined by none: %+v", near)
		}
		if near := h.standing(directory.Keys{IDPID: "ada"}).Near; near != nil {
			t.Fatalf("nothing is missed by the first rule: %+v", near)
		}
	})
}

func TestStanding_asks_first_about_whom_the_member_was_joined_with(t *testing.T) {
	each(t, func(h *house) {
		ada := h.user(`{"userName":"ada","externalId":"00u1"}`)
		h.user(`{"userName":"eve","externalId":"00u2"}`)
		h.activate(ada.ID, false)
		k := directory.Keys{Joined: ada.ID, IDPID: "00u2", NameID: "eve"}
		if f := h.wantStanding(k, directory.StandingInactive, directory.JoinedByMembership, ada.ID); f.JoinedGone {
			t.Fatal("she is there, and said to be gone")
		}
		k.Joined = "directory_user_gone"
		if f := h.standing(k); f.Standing != directory.StandingActive || !f.JoinedGone {
			t.Fatalf("%+v: want the next best, and that the first is gone", f)
		}
	})
}
