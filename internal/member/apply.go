package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// ApplyInto takes over what a directory says of somebody now: it invites, makes, links, returns, names, deactivates or removes them. Doing
// it twice is doing it once, and the order of people does not matter. The write is guarded: where it is lost the caller calls again with a
// new one. After the commit the caller nudges events, and mails where somebody was invited. known may be nil: it is read then.
func (s *Service) ApplyInto(ctx context.Context, r db.Reader, w *db.Write, p DirectoryPerson, known *Foreknown, cause event.Context) (Outcome, error) {
	read := s.claimed
	if known != nil {
		read = known.read
	}
	_, outcome, err := s.apply(ctx, r, w, p, cause, read)
	return outcome, err
}

func (s *Service) apply(ctx context.Context, r db.Reader, w *db.Write, p DirectoryPerson, cause event.Context, known knowing) (*application, Outcome, error) {
	f, err := s.applying(ctx, r, p, known)
	if err != nil {
		return nil, "", fmt.Errorf("apply directory user %s: %w", p.DirectoryUserID, err)
	}
	if f.settled {
		return f, OutcomeUnchanged, nil
	}
	outcome, err := s.applyInto(ctx, r, w, f, cause)
	if err != nil {
		return nil, "", fmt.Errorf("apply directory user %s: %w", p.DirectoryUserID, err)
	}
	return f, outcome, nil
}

// RestrictInto is ApplyInto for somebody who is to be out (SaysInactive or SaysRemoved), in the write of the request that says so: sessions,
// codes and tokens end with it. known may be nil: it is read then.
func (s *Service) RestrictInto(ctx context.Context, r db.Reader, w *db.Write, p DirectoryPerson, known *Foreknown, cause event.Context) error {
	if p.Says != SaysInactive && p.Says != SaysRemoved {
		return fmt.Errorf("restrict directory user %s: the directory says %q", p.DirectoryUserID, p.Says)
	}
	if known == nil {
		known = &Foreknown{}
		if err := db.Ask(ctx, r, s.AskLeaver(p.OrganizationID, p.DirectoryID, p.DirectoryUserID, known)...); err != nil {
			return err
		}
	}
	f, _, err := s.apply(ctx, r, w, p, cause, known.read)
	if err != nil {
		return err
	}
	if c := f.claim; c.was != nil && !c.changed() {
		// Nothing has to be written, which rests on this claim alone: an earlier word that is being applied at this moment must not come after.
		w.GuardSelect(guardClaim+s.db.ForShare(), c.organizationID, c.directoryID, c.directoryUserID, c.was.version)
	}
	return nil
}

// application is a directory person and what is known here of them.
type application struct {
	p       DirectoryPerson
	claim   *claim
	account *account // nil: nobody, or nobody who may be meant
	place   *place   // in the organization
	now     time.Time
	settled bool // all of it has been taken over already
	taken   bool // the address is another account's
	held    bool // the address is that of a member whom a switch of the identity provider leaves as they are
}

// applying reads it: by what was claimed before, by the join of a sign-in, by the address.
func (s *Service) applying(ctx context.Context, r db.Reader, p DirectoryPerson, read knowing) (f *application, err error) {
	f = &application{p: p, now: s.time()}
	known, at, err := read(ctx, r, p)
	if err != nil {
		return nil, err
	}
	f.claim = &claim{organizationID: p.OrganizationID, directoryID: p.DirectoryID, directoryUserID: p.DirectoryUserID}
	if len(known) > 0 {
		f.claim = known[0]
	}
	if f.settled = f.settles(); f.settled {
		return f, nil
	}
	if f.account = at; !f.joined() {
		id, err := s.meant(ctx, r, f)
		if err != nil || id == "" {
			f.account = nil
			return f, err
		}
		if f.account, err = s.account(ctx, r, id); err != nil {
			return nil, err
		}
	}
	f.place = f.account.at(p.OrganizationID)
	f.own()
	if key, ok := EmailKey(p.Email); ok && !f.hasAddress(key) {
		other, err := readID(ctx, r, selectUserIDFor, key)
		if err != nil {
			return nil, err
		}
		f.taken = other != ""
	}
	return f, nil
}

// settles puts the directory's word into the claim and tells whether nothing follows from it.
func (f *application) settles() bool {
	f.say()
	return f.claim.was != nil && f.claim.membershipID != "" && !f.claim.changed() && !f.wantsSeat()
}

// knowing reads what was claimed of a directory person before, and may read the account that was joined by it.
type knowing func(ctx context.Context, r db.Reader, p DirectoryPerson) (known []*claim, at *account, err error)

// claimed reads the claim alone: most people whom the applier looks at are settled by it.
func (s *Service) claimed(ctx context.Context, r db.Reader, p DirectoryPerson) ([]*claim, *account, error) {
	known, err := readClaims(ctx, r, selectClaim, p.OrganizationID, p.DirectoryID, p.DirectoryUserID)
	return known, nil, err
}

// joined tells whether the account that was read is still that of the claim: each was read in its turn.
func (f *application) joined() bool {
	if f.account == nil || f.claim.membershipID == "" {
		return false
	}
	place := f.account.at(f.p.OrganizationID)
	return place != nil && place.m.ID == f.claim.membershipID
}

// wantsSeat tells whether a licence is driven: a seat may have become free since.
func (f *application) wantsSeat() bool { return f.p.Mapped.DrivesLicences && f.p.Mapped.Licence != "" }

// say puts the directory's word into the claim.
func (f *application) say() {
	f.claim.says, f.claim.said = f.p.Says, encode(sayingOf(f.p))
	if f.claim.emailKey, _ = EmailKey(f.p.Email); f.p.Says == SaysRemoved { // whom the directory has no more it knows by nothing
		f.claim.emailKey = ""
	}
	f.claim.provisioning = f.p.Provisioning
	if f.p.Provisioning == Direct && !f.p.EmailVerified { // outside its domains an organization can only invite
		f.claim.provisioning = Invite
	}
	f.claim.frozenAt = time.Time{}
	if f.claim.held = f.p.Held; f.p.Says == SaysActive {
		f.claim.held = ""
	}
}

// own puts the claim that was read with the account in the place of the one that was read alone: they are the same row.
func (f *application) own() {
	if f.place == nil {
		return
	}
	for i, c := range f.place.claims {
		if c.directoryID == f.claim.directoryID && c.directoryUserID == f.claim.directoryUserID {
			f.claim.was = c.was
			f.place.claims[i] = f.claim
		}
	}
}

// meant is the account that a directory person is, "" for nobody's. Outside its verified domains an organization means its own members
// alone, and others whom it asks in.
func (s *Service) meant(ctx context.Context, r db.Reader, f *application) (UserID, error) {
	if f.claim.membershipID != "" {
		if id, err := readID(ctx, r, selectUserIDOf, f.p.OrganizationID, string(f.claim.membershipID)); err != nil || id != "" {
			return UserID(id), err
		}
		f.claim.membershipID = ""
	}
	id, err := readID(ctx, r, selectJoinedTo, f.p.OrganizationID, f.p.DirectoryUserID)
	if err != nil || id != "" {
		return UserID(id), err
	}
	key, ok := EmailKey(f.p.Email)
	if !ok {
		return "", nil
	}
	id, err = readID(ctx, r, selectUserIDFor, key)
	if err == nil && id != "" {
		f.held, err = s.heldBack(ctx, r, f.p, UserID(id))
	}
	if err != nil || f.held {
		f.claim.emailKey = "" // nor does what the directory says of the address count for the member by another way
		return "", err
	}
	return UserID(id), nil
}

func readID(ctx context.Context, r db.Reader, text string, args ...any) (id string, err error) {
	err = r.QueryRow(ctx, text, args...).Scan(&id)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for an account: %w", err)
	}
	return id, nil
}

// readIDs reads the one column of a query.
func readIDs(ctx context.Context, r db.Reader, text string, args ...any) (ids []string, err error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("look for accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look for accounts: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (f *application) hasAddress(key string) bool {
	own, ok := EmailKey(f.account.user.Email)
	return ok && own == key
}

// full tells whether somebody new would need a licence of which none is left, where that keeps them out.
func (s *Service) full(ctx context.Context, r db.Reader, f *application) (bool, error) {
	m := f.p.Mapped
	if !m.DrivesLicences || m.Licence == "" {
		return false, nil
	}
	use, found, err := access.UseIn(ctx, r, f.p.OrganizationID, m.Licence)
	return found && !use.Free() && use.Type.OverLimit == access.Refuse, err
}

// applyInto decides and writes.
func (s *Service) applyInto(ctx context.Context, r db.Reader, w *db.Write, f *application, cause event.Context) (Outcome, error) {
	nobody, err := s.cast(ctx, r, f)
	if err != nil {
		return "", err
	}
	f.claim.keepOut(nobody, f.p.Mapped.Licence, f.now)
	if nobody != "" {
		f.claim.membershipID, f.claim.outcome, f.claim.held = "", nobody, ""
		if f.claim.emailKey != "" {
			w.GuardSelect(guardNobody, f.p.OrganizationID, f.claim.emailKey)
		}
		claimInto(w, w.Guard, f.claim, f.now)
		return nobody, nil
	}
	f.place.hear(f.claim)
	f.profile()
	f.account.settle(f.now)
	outcome := f.outcome()
	if outcome != OutcomeUpdated || f.claim.changed() {
		f.claim.outcome = outcome
	}
	if err := s.askIn(ctx, w, f, cause); err != nil {
		return "", err
	}
	changed, err := s.accountInto(ctx, r, w, f.account, cause)
	if err == nil && !changed {
		return OutcomeUnchanged, nil
	}
	return outcome, err
}

// cast finds or makes the membership that is meant; else it says why nobody is.
func (s *Service) cast(ctx context.Context, r db.Reader, f *application) (nobody Outcome, err error) {
	switch {
	case f.place != nil:
		return "", nil
	case f.p.Says != SaysActive:
		return OutcomeStored, nil
	}
	if nobody := f.unmade(); nobody != "" {
		return nobody, nil
	}
	if full, err := s.full(ctx, r, f); err != nil || full {
		return OutcomeRefused, err
	}
	if f.account == nil {
		f.account = s.newAccount(f)
	}
	f.place = s.newPlace(f)
	f.account.places = append(f.account.places, f.place)
	return "", nil
}

// unmade says why nobody is made, or linked.
func (f *application) unmade() Outcome {
	if f.held {
		return OutcomeUnmatched
	}
	if _, ok := EmailKey(f.p.Email); !ok {
		return OutcomeNoEmail
	}
	if f.p.Provisioning == ExistingOnly && (f.account == nil || !f.p.EmailVerified) {
		return OutcomeNotExisting
	}
	return ""
}

func (s *Service) newAccount(f *application) *account {
	u := User{ID: UserID(s.ids.NewID(userPrefix)), Email: f.p.Email, EmailVerified: f.p.EmailVerified, Version: 1, CreatedAt: f.now, UpdatedAt: f.now}
	if f.p.EmailVerified {
		u.HomeOrganizationID = f.p.OrganizationID
	}
	return &account{user: u}
}

// newPlace is the membership of somebody who was none. Who has an account in a verified domain is in at once; where it is not certain that
// it is theirs, as who has none.
func (s *Service) newPlace(f *application) *place {
	p := &place{m: Membership{
		ID: MembershipID(s.ids.NewID(membershipPrefix)), OrganizationID: f.p.OrganizationID, UserID: f.account.user.ID, Role: RoleMember, Version: 1,
		CreatedAt: f.now, UpdatedAt: f.now,
	}}
	if f.account.was != nil && f.p.EmailVerified && (f.account.user.EmailVerified || f.p.Provisioning == ExistingOnly) {
		p.join(ViaDirectory, f.now)
	}
	return p
}

// askIn adds the invitation of somebody whom the directory wants and who has not come in.
func (s *Service) askIn(ctx context.Context, w *db.Write, f *application, cause event.Context) error {
	m := &f.place.m
	if !f.asks() {
		return nil
	}
	i, err := s.inviteInto(ctx, w, NewInvitation{
		OrganizationID: m.OrganizationID, Email: f.account.user.Email, Locale: f.p.Locale, DirectoryID: f.p.DirectoryID, DirectoryUserID: f.p.DirectoryUserID,
		MembershipID: m.ID,
	}, cause)
	m.InvitationID = string(i.ID)
	return err
}

// asks tells whether the directory asks the person in now, and lets go of an invitation that has come to nothing.
func (f *application) asks() bool {
	m := &f.place.m
	return !f.place.disinvite() && m.State == Pending && m.Why == WhyInvitedByDirectory && !f.place.asked()
}

// disinvite lets go of the invitation of somebody who is gone and never came in: it is taken back, and who returns is asked in anew.
func (p *place) disinvite() bool {
	gone := p.m.State == Removed && p.m.JoinedBy == "" && p.m.InvitationID != ""
	if gone {
		p.m.InvitationID = ""
	}
	return gone
}

// asked tells whether a directory has asked the person in, and nothing has come of it yet. What the brake holds is no end of it.
func (p *place) asked() bool {
	return p.was != nil && p.was.told().Why == WhyInvitedByDirectory && p.m.InvitationID != ""
}

// outcome says what became of it.
func (f *application) outcome() Outcome {
	was, is := State(""), f.place.m.State
	if f.place.was != nil {
		was = f.place.was.State
	}
	switch {
	case is == was && f.claim.was == nil && is == Active:
		return OutcomeLinked
	case is == was:
		return OutcomeUpdated
	case is == Pending:
		return OutcomeInvited
	case f.place.m.Held():
		return OutcomeHeld
	case is == Inactive:
		return OutcomeDeactivated
	case is == Removed:
		return OutcomeRemoved
	case was == "" && f.account.was != nil:
		return OutcomeLinked
	case f.place.was == nil || f.place.was.JoinedBy == "":
		return OutcomeActivated
	}
	return OutcomeReturned
}
