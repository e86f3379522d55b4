package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// HoldEnd says what becomes of a directory's word that its brake holds.
type HoldEnd struct {
	OrganizationID  string
	DirectoryID     string
	DirectoryUserID string
	Kept            bool // the hold is undone: the person stays in until the directory writes them again. Else the word stands
}

// EndHoldInto ends what the brake holds of somebody: all that waited follows, or they are in again. Where nothing is held, nothing is
// written. The write is guarded: where it is lost the caller calls again with a new one.
func (s *Service) EndHoldInto(ctx context.Context, r db.Reader, w *db.Write, h HoldEnd, cause event.Context) error {
	known, err := readClaims(ctx, r, selectClaim, h.OrganizationID, h.DirectoryID, h.DirectoryUserID)
	if err != nil || len(known) == 0 || known[0].held == "" {
		return err
	}
	c := known[0]
	c.end(h.Kept)
	if c.membershipID == "" {
		claimInto(w, w.Guard, c, s.time())
		return nil
	}
	id, err := readID(ctx, r, selectUserIDOf, h.OrganizationID, string(c.membershipID))
	if err != nil || id == "" {
		return err
	}
	a, err := s.account(ctx, r, UserID(id))
	if err != nil {
		return fmt.Errorf("end the hold of directory user %s: %w", h.DirectoryUserID, err)
	}
	a.endHold(h)
	a.settle(s.time())
	if p := a.at(h.OrganizationID); p != nil {
		p.disinvite()
	}
	_, err = s.accountInto(ctx, r, w, a, cause)
	return err
}

// endHold ends it in the account's own claims.
func (a *account) endHold(h HoldEnd) {
	p := a.at(h.OrganizationID)
	if p == nil {
		return
	}
	for _, c := range p.claims {
		if c.directoryID == h.DirectoryID && c.directoryUserID == h.DirectoryUserID && c.held != "" {
			c.end(h.Kept)
		}
	}
}

func (c *claim) end(kept bool) {
	if c.held = ""; kept {
		c.held = HeldKept
	}
}
