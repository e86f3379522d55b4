package directory_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func TestPeople_who_came_while_the_app_kept_the_accounts_wait_for_somebodys_word(t *testing.T) {
	each(t, func(h *house) {
		ada, bob := h.person("ada@acme.example"), h.person("bob@acme.example") // nobody keeps accounts
		if paused, err := h.s.Pause(ctx); err != nil || len(paused) != 0 {
			t.Fatalf("%+v, %v", paused, err)
		}
		h.taken() // and from now on they are kept here
		paused, err := h.s.Pause(ctx)
		h.ok(err)
		if len(paused) != 1 || paused[0].Directory.ID != h.dir.ID || paused[0].People != 2 || paused[0].Directory.Live() {
			t.Fatalf("%+v", paused)
		}
		h.reopen()
		h.edit(ada.ID, put("title", "Countess"))
		h.provision(h.s)
		h.edit(bob.ID, set(scim.Member{Name: "active", Value: scim.BoolOf(false)}))
		h.provision(h.s)
		h.wantTold(nil, []string{string(bob.ID) + " inactive"}) // what restricts waits for nobody's word
		if n := h.due(); n != 0 {
			t.Errorf("%d are due for ever", n)
		}
		if again, err := h.s.Pause(ctx); err != nil || len(again) != 1 {
			t.Errorf("it is told only once: %+v, %v", again, err)
		}
		found, err := h.s.GoLive(ctx, actor(), h.dir.ID)
		h.ok(err)
		if !found.Live() {
			t.Errorf("%+v", found)
		}
		h.reopen()
		h.provision(h.s)
		h.wantTold([]string{string(ada.ID) + " active", string(bob.ID) + " inactive"}, nil)
		h.newEvents()
	})
}

func TestDirectory_whose_people_are_members_is_never_paused(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		none := func(when string) {
			t.Helper()
			if paused, err := h.s.Pause(ctx); err != nil || len(paused) != 0 {
				t.Errorf("%s: %+v, %v", when, paused, err)
			}
		}
		none("it is empty")
		u := h.person("ada@acme.example")
		none("its person is about to be looked at")
		h.provision(h.s)
		h.claimed(u.ID)
		none("its person was looked at")
		_, err := h.s.GoLive(ctx, actor(), h.dir.ID)
		h.ok(err)
	})
}

// claimed is what members keep of a person.
func (h *house) claimed(id directory.UserID) {
	h.t.Helper()
	_, err := h.exec(`INSERT INTO membership_claims (organization_id, directory_id, directory_user_id, says, provisioning, outcome, claim, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'invite', 'invited', '{}', 1, 1, 1)`, h.dir.OrganizationID, string(h.dir.ID), string(id), string(member.SaysActive))
	h.ok(err)
}
