package directory_test

import (
	"reflect"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
)

// Whoever is looked for before it is known whom the member was joined with is found as by StandingOf, or has to be looked for again.
func TestStanding_is_the_same_when_the_joined_person_is_named_afterwards(t *testing.T) {
	each(t, func(h *house) {
		ada := h.user(`{"userName":"ada@acme.example","externalId":"00u1"}`)
		bob := h.user(`{"userName":"bob@acme.example","externalId":"00u2"}`)
		out := h.user(`{"userName":"out@acme.example"}`)
		h.activate(out.ID, false)
		_, secret := h.directory(directory.New{Name: "Second"})
		first := h.a
		h.a = h.open(secret)
		twin := h.user(`{"userName":"out@acme.example"}`)
		h.activate(twin.ID, false)
		h.a = first
		for _, k := range []directory.Keys{
			{IDPID: "00u1"}, {IDPID: "00u1", NameID: "bob@acme.example"}, {IDPID: "x", NameID: "out@acme.example"}, {IDPID: "x"},
		} {
			for _, joined := range []directory.UserID{"", ada.ID, bob.ID, out.ID, twin.ID, "directory_user_gone"} {
				var seen directory.Seen
				h.ok(h.db.Ask(ctx, directory.Looking(string(h.org.ID), k, &seen)))
				with := k
				with.Joined = joined
				want := h.standing(with)
				if got, ok := seen.For(joined); ok && !reflect.DeepEqual(got, want) {
					t.Errorf("%+v: got %+v, want %+v", with, got, want)
				} else if !ok && (joined == "" || joined == ada.ID && k.IDPID == "00u1") {
					t.Errorf("%+v: nobody was seen", with)
				}
			}
		}
		var seen directory.Seen
		h.ok(h.db.Ask(ctx, directory.Looking(string(h.org.ID), directory.Keys{IDPID: "00u1"}, &seen)))
		if f, ok := seen.For(bob.ID); ok {
			t.Errorf("somebody who was not seen is found: %+v", f)
		}
	})
}
