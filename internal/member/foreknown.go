package member

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/session"
)

// Foreknown is what is known here of a directory person, read before ApplyInto or RestrictInto looks at them: what was claimed of them, and the
// account that was joined by it. What has changed since is found by the guards of the write.
type Foreknown struct {
	claims []*claim
	at     []*account // one, or none: it is nobody's, or was not read
	living *[]session.Open

	together bool
}

// read gives what was read before.
func (k *Foreknown) read(context.Context, db.Reader, DirectoryPerson) ([]*claim, *account, error) {
	if len(k.at) == 0 {
		return k.claims, nil, nil
	}
	k.at[0].living, k.at[0].together = k.living, k.together
	return k.claims, k.at[0], nil
}

// AskLeaver are the questions for what RestrictInto rests on, the person's sessions too, to be asked with others just before it: they cost no
// round trip of their own then.
func (s *Service) AskLeaver(organizationID, directoryID, directoryUserID string, into *Foreknown) []db.Question {
	*into = Foreknown{living: new([]session.Open)}
	who := []any{organizationID, directoryID, directoryUserID}
	return []db.Question{
		askClaims(&into.claims, selectClaim, who...), askAccounts("= "+meantByClaim, who, &into.at), s.sessions.AskLiving(meantByClaim, who, into.living),
	}
}

// ReadAhead reads what is known of people of one directory, for whom ApplyInto is to be called: in two round trips, instead of up to three for
// each of them. Accounts are read of those alone for whom something follows from what the directory says now.
func (s *Service) ReadAhead(ctx context.Context, r db.Reader, people []DirectoryPerson) ([]Foreknown, error) {
	out := make([]Foreknown, len(people))
	if len(people) == 0 {
		return out, nil
	}
	ids := make([]string, len(people))
	for i, p := range people {
		if ids[i] = p.DirectoryUserID; p.OrganizationID != people[0].OrganizationID || p.DirectoryID != people[0].DirectoryID {
			return nil, fmt.Errorf("read ahead: directory user %s is of another directory", p.DirectoryUserID)
		}
	}
	organizationID := people[0].OrganizationID
	claims, err := readClaims(ctx, r, s.claimsAmong(), organizationID, people[0].DirectoryID, db.List(ids))
	if err != nil {
		return nil, err
	}
	var joined []string
	for i, p := range people {
		at := slices.IndexFunc(claims, func(c *claim) bool { return c.directoryUserID == p.DirectoryUserID })
		if at < 0 {
			continue
		}
		out[i].claims = claims[at : at+1]
		if f := (&application{p: p, claim: claims[at]}); !f.settles() && f.claim.membershipID != "" {
			joined = append(joined, string(f.claim.membershipID))
		}
	}
	if len(joined) == 0 {
		return out, nil
	}
	accounts, err := s.accountsOf(ctx, r, organizationID, joined)
	if err != nil {
		return nil, err
	}
	for i := range out {
		for _, c := range out[i].claims { // of two directory people who are one, the second is read when the first is written
			if a := accounts[c.membershipID]; a != nil {
				out[i].at, out[i].together = []*account{a}, len(people) > 1
			}
			delete(accounts, c.membershipID)
		}
	}
	return out, nil
}

// claimsAmong is the statement for the claims of people of a directory, by a list of them.
func (s *Service) claimsAmong() string {
	return selectClaimsIn + s.db.Among("c.directory_user_id", "$3")
}

// accountsAmong is the condition that the users of memberships of an organization meet, by a list of those.
func (s *Service) accountsAmong() string {
	return "IN (SELECT user_id FROM organization_memberships WHERE organization_id = $1 AND " + s.db.Among("id", "$2") + ")"
}

// accountsOf reads the accounts of memberships of an organization.
func (s *Service) accountsOf(ctx context.Context, r db.Reader, organizationID string, memberships []string) (map[MembershipID]*account, error) {
	var found []*account
	if err := db.Ask(ctx, r, askAccounts(s.accountsAmong(), []any{organizationID, db.List(memberships)}, &found)); err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	out := make(map[MembershipID]*account, len(memberships))
	for _, a := range found {
		if p := a.at(organizationID); p != nil {
			out[p.m.ID] = a
		}
	}
	return out, nil
}
