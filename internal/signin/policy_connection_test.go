package signin_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// wantConfirmation: the refusal of what shuts out n people.
func (w *world) wantConfirmation(err error, n int) {
	w.t.Helper()
	var unconfirmed *lifecycle.ConfirmationError
	if !errors.As(err, &unconfirmed) || unconfirmed.Number != n || !fault.Is(err, fault.Conflict) {
		w.t.Errorf("got %v, want a confirmation of %d", err, n)
	}
}

func TestOnly_way_in_is_taken_away_only_by_who_knows_how_many_it_shuts_out(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shut := func(want int, names ...string) {
			t.Helper()
			got, err := w.policy.ShutOutWithout(ctx, w.conn.ID)
			w.ok(err)
			if got.Number != want || !slices.Equal(got.Names, names) {
				t.Errorf("shuts out %+v, want %d %v", got, want, names)
			}
		}
		guest := "guest@home.example"
		w.joined(w.org.ID, guest, false)
		shut(0) // nobody has come in through it: nothing is required yet
		w.browser().signIn()
		got, err := w.policy.ShutOutWithout(ctx, w.conn.ID)
		w.ok(err)
		if got.Number != 2 || len(got.Names) != 2 {
			t.Fatalf("shuts out %+v, want two", got)
		}
		_, err = w.policy.CloseConnection(ctx, operator(), w.conn.ID, nil)
		w.wantConfirmation(err, 2)
		_, err = w.policy.CloseConnection(ctx, operator(), w.conn.ID, ref(1))
		w.wantConfirmation(err, 2)
		w.wantConfirmation(w.policy.DeleteConnection(ctx, operator(), w.conn.ID, nil), 2)

		w.set(org.PolicyChange{SSO: ref(org.RequiredForPrimary)})
		if got, err = w.policy.ShutOutWithout(ctx, w.conn.ID); err != nil || got.Number != 1 || slices.Contains(got.Names, guest) {
			t.Errorf("required for primary members: %+v %v", got, err)
		}
		w.optional()
		shut(0)
		w.set(org.PolicyChange{SSO: ref(org.RequiredForAll)}, 1)
		u, err := w.members.UserByEmail(ctx, guest)
		w.ok(err)
		_, err = w.policy.NameBreakGlass(ctx, operator(), w.org.ID, lifecycle.NewBreakGlass{UserID: u.ID, Reason: "keeps a way in", ExpiresAt: w.now().Add(24 * time.Hour)})
		w.ok(err)
		if got, err = w.policy.ShutOutWithout(ctx, w.conn.ID); err != nil || got.Number != 1 {
			t.Errorf("a break-glass user counts: %+v %v", got, err)
		}

		off, err := w.policy.CloseConnection(ctx, operator(), w.conn.ID, ref(1))
		w.ok(err)
		if off.State != sso.Inactive {
			t.Errorf("it is %s", off.State)
		}
		shut(0) // it lets nobody in as it is
		w.ok(w.policy.DeleteConnection(ctx, operator(), w.conn.ID, nil))
		if _, err := w.conns.Get(ctx, w.conn.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("it is still there: %v", err)
		}
		if _, err := w.policy.CloseConnection(ctx, operator(), w.conn.ID, nil); !fault.Is(err, fault.NotFound) {
			t.Errorf("closing what is gone: %v", err)
		}
		if err := w.policy.DeleteConnection(ctx, operator(), w.conn.ID, nil); !fault.Is(err, fault.NotFound) {
			t.Errorf("deleting what is gone: %v", err)
		}
	})
}
