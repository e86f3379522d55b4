package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// LeftOutReason says why somebody might not get in through the provider.
type LeftOutReason string

// The reasons.
const (
	NeverCameIn    LeftOutReason = "never_signed_in"  // never through this connection
	NotInDirectory LeftOutReason = "not_in_directory" // the organization has one, and it does not want the person in
	// The address lies in no verified domain, and the connection demands one or a mailed code first. Who has come in by both is not outside.
	OutsideDomains LeftOutReason = "outside_domains"

	// Of those who could not come in without a provider.
	NoMailSent       LeftOutReason = "no_mail_sent"       // neither codes nor invitations are mailed
	AddressNotProven LeftOutReason = "address_not_proven" // nobody has ever proven it, by a code or by a verified domain
)

// LeftOut is a member who might not get in any more if the provider was required, or was gone. Only for that are pending ones looked at.
type LeftOut struct {
	Member  member.Member
	Reasons []LeftOutReason
}

// Name is what people know them by.
func (l LeftOut) Name() string { return cmp.Or(l.Member.User.Name(), l.Member.User.Email) }

// LeftOutQuery selects a page of them. Before and After are ids of memberships.
type LeftOutQuery struct {
	OrganizationID org.ID
	As             org.SSOPolicy // whom it would bind; "": everybody
	ConnectionID   sso.ID        // "": those that let people in
	Without        bool          // as if the organization had no identity provider, which binds nobody: As and ConnectionID say nothing then
	Before, After  string
	Limit          int
	Ascending      bool
}

// membersAtOnce is how many members are read at once.
const membersAtOnce = 200

// LeftOut gives a page of those who would be left out, and whether more follow in the direction read. Break-glass users are not: they are exempt.
func (s *Policies) LeftOut(ctx context.Context, q LeftOutQuery) (out []LeftOut, more bool, err error) {
	if q.Without {
		return s.leftWithout(ctx, q)
	}
	l, err := s.looker(ctx, q)
	if err != nil {
		return nil, false, err
	}
	backwards := q.Before != "" && q.After == ""
	before, after := q.Before, q.After
	for {
		page, follow, err := s.o.Members.List(ctx, member.ListQuery{
			OrganizationID: string(q.OrganizationID), States: []member.State{member.Active}, Before: before, After: after, Limit: membersAtOnce, Ascending: q.Ascending,
		})
		if err != nil {
			return nil, false, err
		}
		found, err := l.among(ctx, page, true)
		if err != nil {
			return nil, false, err
		}
		if backwards {
			out = append(found, out...)
		} else {
			out = append(out, found...)
		}
		if len(out) > q.Limit || !follow || len(page) == 0 {
			break
		}
		if backwards {
			before = string(page[0].Membership.ID)
		} else {
			before, after = "", string(page[len(page)-1].Membership.ID)
		}
	}
	if len(out) <= q.Limit {
		return out, false, nil
	}
	if backwards {
		return out[len(out)-q.Limit:], true, nil
	}
	return out[:q.Limit], true, nil
}

// CountLeftOut is how many they are in all. It looks at every active member.
func (s *Policies) CountLeftOut(ctx context.Context, q LeftOutQuery) (int, error) {
	if q.Without {
		return s.countStranded(ctx, s.o.DB, q.OrganizationID)
	}
	all, err := s.everyLeftOut(ctx, q)
	return all.number, err
}

// looker is what is asked about each member.
type looker struct {
	s         *Policies
	q         LeftOutQuery
	ways      []string // ids of the connections
	domains   []string // verified ones
	anywhere  bool     // a connection lets in addresses outside them
	directory bool     // there is one that is live and linked
	exempt    map[string]bool
}

func (s *Policies) looker(ctx context.Context, q LeftOutQuery) (*looker, error) {
	if q.As == "" {
		q.As = org.RequiredForAll
	}
	l := &looker{s: s, q: q}
	o, err := s.o.Organizations.Get(ctx, q.OrganizationID)
	if err != nil {
		return nil, err
	}
	for _, d := range o.Domains {
		if d.State == org.Verified {
			l.domains = append(l.domains, d.Domain)
		}
	}
	ways, err := s.waysOf(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, c := range ways {
		l.ways, l.anywhere = append(l.ways, string(c.ID)), l.anywhere || c.Options.AllowOutsideDomains
	}
	found, err := directory.StandingOf(ctx, s.o.DB, string(q.OrganizationID), directory.Keys{})
	if err != nil {
		return nil, err
	}
	l.directory = found.Standing != directory.StandingNone
	l.exempt, err = org.ExemptIn(ctx, s.o.DB, q.OrganizationID, s.time())
	return l, err
}

// waysOf are the connections that are meant. One that is another organization's is not there.
func (s *Policies) waysOf(ctx context.Context, q LeftOutQuery) ([]sso.Connection, error) {
	if q.ConnectionID == "" {
		return s.ways(ctx, q.OrganizationID)
	}
	c, err := s.o.Connections.Get(ctx, q.ConnectionID)
	if err == nil && c.OrganizationID != string(q.OrganizationID) {
		err = sso.NotFound(string(q.ConnectionID))
	}
	return []sso.Connection{c}, err
}

// among finds who of some members is left out. Where only the number counts, the directory is asked about those alone for whom it decides.
func (l *looker) among(ctx context.Context, members []member.Member, reasons bool) ([]LeftOut, error) {
	users := make([]member.UserID, len(members))
	for i, m := range members {
		users[i] = m.User.ID
	}
	came, err := member.CameThrough(ctx, l.s.o.DB, string(l.q.OrganizationID), l.ways, users)
	if err != nil {
		return nil, err
	}
	var out []LeftOut
	for _, m := range members {
		if !l.q.As.Binds(m.Membership.Primary) || l.exempt[string(m.User.ID)] {
			continue
		}
		one := LeftOut{Member: m}
		if !came[m.User.ID] {
			one.Reasons = append(one.Reasons, NeverCameIn)
		}
		inside := l.inside(m.User.Email)
		if proves := came[m.User.ID] && l.s.mails(); !inside && !l.anywhere && !proves {
			one.Reasons = append(one.Reasons, OutsideDomains)
		}
		if l.directory && (reasons || len(one.Reasons) == 0) {
			known, err := l.known(ctx, m, inside)
			if err != nil {
				return nil, err
			}
			if !known {
				one.Reasons = append(one.Reasons, NotInDirectory)
			}
		}
		if len(one.Reasons) > 0 {
			out = append(out, one)
		}
	}
	return out, nil
}

func (l *looker) inside(email string) bool {
	domain, ok := org.EmailDomain(email)
	return ok && slices.Contains(l.domains, domain)
}

func (l *looker) known(ctx context.Context, m member.Member, inside bool) (bool, error) {
	found, err := directory.StandingOf(ctx, l.s.o.DB, string(l.q.OrganizationID), directory.Keys{
		Joined: directory.UserID(m.Membership.DirectoryUserID), Email: m.User.Email, EmailVerified: inside,
	})
	if err != nil {
		return false, fmt.Errorf("look for a member in the directories: %w", err)
	}
	return found.Standing == directory.StandingActive, nil
}

// namesInRefusal is how many people a refusal names.
const namesInRefusal = 5

// tally is a number of people and the first of them by name.
type tally struct {
	number int
	names  []string
}

func (t *tally) add(name string) {
	t.number++
	if len(t.names) < namesInRefusal {
		t.names = append(t.names, name)
	}
}

// everyLeftOut goes through all members of an organization.
func (s *Policies) everyLeftOut(ctx context.Context, q LeftOutQuery) (out tally, err error) {
	l, err := s.looker(ctx, q)
	if err != nil {
		return out, err
	}
	return out, s.everyMember(ctx, q.OrganizationID, func(page []member.Member) error {
		found, err := l.among(ctx, page, false)
		for _, one := range found {
			out.add(one.Name())
		}
		return err
	})
}

// everyMember shows fn the active members of an organization, a page in memory at a time.
func (s *Policies) everyMember(ctx context.Context, id org.ID, fn func([]member.Member) error) error {
	for after := ""; ; {
		page, more, err := s.o.Members.List(ctx, member.ListQuery{
			OrganizationID: string(id), States: []member.State{member.Active}, After: after, Limit: membersAtOnce, Ascending: true,
		})
		if err == nil {
			err = fn(page)
		}
		if err != nil || !more {
			return err
		}
		after = string(page[len(page)-1].Membership.ID)
	}
}

// confirmed refuses where there is anybody and the caller has not said how many. The sentence takes who they are, the organization's id and
// the number.
func (t tally) confirmed(confirm *int, code, sentence, id string) error {
	if t.number == 0 || confirm != nil && *confirm == t.number {
		return nil
	}
	return &ConfirmationError{t.number, slices.Clone(t.names), fault.New(fault.Conflict, code, sentence, t.sentence(), id, t.number)}
}

// sentence says how many are left out, and who the first are.
func (t tally) sentence() string {
	switch others := t.number - len(t.names); {
	case others > 0:
		return fmt.Sprintf("%d people would be left without a way in: %s and %d others", t.number, strings.Join(t.names, ", "), others)
	case t.number == 1:
		return "1 person would be left without a way in: " + t.names[0]
	}
	return fmt.Sprintf("%d people would be left without a way in: %s", t.number, strings.Join(t.names, ", "))
}
