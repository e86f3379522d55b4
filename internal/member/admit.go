package member

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Admission is the decision to let somebody in, and what has to be written for it.
type Admission struct {
	User       User // as they will be
	Membership Membership
	Identity   Identity
	Why        string // how the account was found and why it is let in, for the attempt's record

	userBefore       *User
	membershipBefore *Membership
	identityBefore   *Identity
	replaces         []Identity // former identities of the same directory person at this connection
	proves           bool       // an address that nobody had proven
	byProof          bool
	via              JoinedVia // how somebody comes in who was not in
	standing         Standing
	unlinked         []*claim // what directories say that have meant nobody, and mean who comes in
}

// ByProof tells whether the person was let in because this browser had proven their address, and not by the connection's word alone.
func (a Admission) ByProof() bool { return a.byProof }

// Created tells whether the account is new.
func (a Admission) Created() bool { return a.userBefore == nil }

// Joined tells whether the membership is new, or has come back.
func (a Admission) Joined() bool {
	return a.membershipBefore == nil || a.membershipBefore.State == Removed
}

// Refusal codes of Admit. All are faults of kind Forbidden, with what was wanted and what was got.
const (
	CodeDeprovisioned      = "user_deprovisioned"       // the IT admin mends it, in the directory
	CodeEmailDomain        = "email_domain_not_allowed" // the IT admin
	CodeNotInDirectory     = "not_in_directory"         // the IT admin
	CodeNotAMember         = "not_a_member"             // the IT admin: just-in-time creation is off
	CodeMembershipInactive = "membership_inactive"      // the operator: Reactivate
	CodeIdentityConflict   = "identity_conflict"        // the operator: Unlink, or the IT admin: the idp id
	CodeMissingAttribute   = "missing_attribute"        // the IT admin: no usable idp id or email
	CodeLicenceLimit       = "licence_limit_reached"    // the operator: more seats
)

const (
	maxIDPID = 1024 // bytes; NameIDs have at most 256 characters (SAML core section 8.3.7), subjects 255 (OpenID Connect core section 2)
	maxName  = 255  // characters of a first or last name that are kept
)

// Admit finds the account, links it, creates it just in time, or refuses with a *fault.Error of one of the codes above. It is
// pure: ids of what may be new come with the facts.
func Admit(f Facts, a Arrival, now time.Time) (Admission, error) {
	key, err := usable(a)
	if err != nil {
		return Admission{}, err
	}
	d := decision{f: f, a: a, key: key, now: now.UTC().Truncate(time.Microsecond)}
	person, err := d.person()
	if err != nil {
		return Admission{}, err
	}
	if err := d.place(person); err != nil {
		return Admission{}, err
	}
	d.account(person)
	d.membership(person)
	d.identity(person)
	return d.ad, nil
}

// usable refuses what nobody can be admitted by, whoever they are.
func usable(a Arrival) (emailKey string, err error) {
	if a.IDPID == "" || len(a.IDPID) > maxIDPID || !storable(a.IDPID) {
		return "", refuse(CodeMissingAttribute, "The identity provider says no usable id of this person.").
			Compared(fmt.Sprintf("an id of 1 to %d bytes", maxIDPID), shown(a.IDPID)).On("idp_id")
	}
	key, ok := EmailKey(a.Email)
	if !ok {
		return "", refuse(CodeMissingAttribute, "The identity provider says no usable email address of this person.").
			Compared("an address like person@example.com", shown(a.Email)).On("email")
	}
	if a.Standing.Says == SaysInactive {
		return "", refuse(CodeDeprovisioned, "The organization's directory says that this person is not active. Activate them in the identity provider.").
			Compared("active", "inactive")
	}
	if !a.EmailVerified && !a.Trust && a.Proven == "" {
		return "", outside(a)
	}
	return key, nil
}

// outside answers alike for addresses that have an account and those that have none.
func outside(a Arrival) *fault.Error {
	domain := EmailDomain(a.Email)
	return refuse(CodeEmailDomain,
		"The organization has not verified the domain %.200s. Verify it, or let the identity provider send an address in a domain that is verified. "+
			"A guest whom the organization has invited begins with that address on the sign-in page, and proves it by a mailed code before the provider is asked.", domain).
		Compared("an address in a verified domain of the organization", domain).On("email")
}

func refuse(code, format string, args ...any) *fault.Error {
	return fault.New(fault.Forbidden, code, format, args...)
}

// decision gathers an admission.
type decision struct {
	f     Facts
	a     Arrival
	key   string // of the address
	now   time.Time
	found LinkedBy // how the account was found; "" for the identity
	ad    Admission
}

// person is whose account it is; nil for nobody's yet. Where the connection may not speak for the address, it is the one who has proven it.
func (d *decision) person() (*Person, error) {
	p, err := d.find()
	if err != nil || d.a.EmailVerified {
		return p, err
	}
	if d.ad.byProof = d.proven(p); !d.ad.byProof && !d.a.Trust {
		return nil, outside(d.a)
	}
	return p, nil
}

// proven tells whether this browser has just proven the asserted address, as that of a guest of the organization, or of one who accepts its
// invitation with this sign-in. No other word than that of the address counts: the provider may give its own ids to whom it likes.
func (d *decision) proven(p *Person) bool {
	if p == nil || d.a.Proven != p.User.ID || !p.has(d.key) || p.Membership == nil {
		return false
	}
	m := p.Membership
	return m.State == Active || m.State == Pending && m.InvitationID != "" && m.InvitationID == d.a.InvitationID
}

func (d *decision) find() (*Person, error) {
	switch {
	case d.f.ByIdentity != nil:
		return d.known(d.f.ByIdentity)
	case d.f.ByDirectory != nil && (d.a.EmailVerified || d.a.Trust):
		return d.byDirectory(d.f.ByDirectory)
	case d.f.ByEmail != nil:
		return d.byEmail(d.f.ByEmail)
	}
	d.found = LinkedByCreation
	return nil, nil //nolint:nilnil // nobody yet
}

// known is somebody whose idp id is known, unless the directory says that it is somebody else's now.
func (d *decision) known(p *Person) (*Person, error) {
	if d.f.ByDirectory != nil && !d.f.ByDirectory.is(p) {
		return nil, d.conflict("The directory says that this sign-in is a person who has another account here.")
	}
	if p.linkedByProof(d.a.IDPID) && !d.proven(p) && !(d.a.EmailVerified && p.has(d.key)) {
		if !d.a.EmailVerified {
			return nil, outside(d.a)
		}
		return nil, d.conflict("The id is that of a guest, who is signed in to only with their own address, proven by them.")
	}
	return p, d.samePerson(p)
}

// byDirectory is the member that was joined with the person in the directory. Another idp id of the same connection takes their place
// only where the directory knows the person under it.
func (d *decision) byDirectory(p *Person) (*Person, error) {
	if !d.a.EmailVerified && d.a.Standing.JoinedBy == JoinedByEmail {
		return nil, outside(d.a)
	}
	if len(p.Identities) > 0 && !d.a.Standing.vouches(d.a.IDPID) {
		return nil, d.conflict("The account of this directory person is signed in to under another id of the same connection.")
	}
	d.found, d.ad.replaces = LinkedByDirectory, p.Identities
	return p, nil
}

// byEmail links an account by its address, inside a verified domain, or where this browser has proven the address.
func (d *decision) byEmail(p *Person) (*Person, error) {
	if !d.a.EmailVerified && !d.proven(p) {
		return nil, outside(d.a)
	}
	if len(p.Identities) > 0 {
		return nil, d.conflict("The account with this address is signed in to under another id of the same connection.")
	}
	if d.found = LinkedByEmail; !d.a.EmailVerified {
		d.found = LinkedByProof
	}
	return p, d.samePerson(p)
}

// samePerson refuses where the account's member was joined with a directory person who is gone, or who is not the one that the
// directory has now: addresses and names are given to others.
func (d *decision) samePerson(p *Person) error {
	was, s := p.joined(), d.a.Standing
	switch {
	case was == "" || was == s.Succeeds || s.Says == NoDirectory, s.Says == SaysUnknown && p.kept():
		return nil
	case s.Says == SaysUnknown:
		return refuse(CodeDeprovisioned, "The organization's directory does not have this person any more. Assign them again in the identity provider.").
			Compared("a person whom the directory knows", "one whom it has dropped")
	case was == s.DirectoryUserID || s.JoinedBy == JoinedByExternalID && s.vouches(d.a.IDPID):
		return nil
	}
	return d.conflict("The directory has another person now than the one this account was joined with.")
}

func (d *decision) conflict(what string) error {
	return refuse(CodeIdentityConflict,
		"%s If both are one person, an administrator of the app unlinks the former id; else the identity provider has to send an id that it gives to nobody else.", what).
		Compared("the id that the account was linked by", shown(d.a.IDPID)).On("idp_id")
}

// place refuses whom the organization does not take.
func (d *decision) place(p *Person) error {
	switch {
	case p == nil:
		if c := d.claims(nil); c.Barred() {
			return barred(c, Decide(c))
		}
		return d.justInTime()
	case p.Membership != nil && p.Membership.State == Active: // what directories and hands say of who is in is settled already
		return nil
	}
	c := d.claims(p)
	if v := Decide(c); v.State != Active {
		return barred(c, v)
	}
	if p.Membership == nil || p.Membership.State == Removed {
		return d.justInTime()
	}
	return nil
}

// claims are all that decides about the membership once the person has come in. The directory's present word counts, whatever members have
// taken over of it.
func (d *decision) claims(p *Person) Claims {
	one := place{m: Membership{OrganizationID: d.a.OrganizationID}}
	var u User
	var said []Claim
	if p != nil {
		u, said = p.User, p.Claims
		if p.Membership != nil {
			one.m = *p.Membership
		}
	}
	one.join(d.via(one.m), d.now)
	c := one.decides(u)
	c.Directories = said
	c = c.with(d.f.unlinked)
	if d.a.Standing.Says == SaysActive {
		c.Directories = append(c.Directories, Claim{DirectoryID: d.a.Standing.DirectoryID, Says: SaysActive})
	}
	return c
}

// via is how the person comes in.
func (d *decision) via(m Membership) JoinedVia {
	switch {
	case m.InvitationID != "" && m.State == Pending:
		return ViaInvitation
	case d.a.Standing.Says == SaysActive:
		return ViaDirectory
	}
	return ViaSignIn
}

// barred words a verdict that keeps somebody out, for those who can change it.
func barred(c Claims, v Verdict) error {
	switch {
	case c.Barred():
		return refuse(CodeDeprovisioned, "A directory has shut this member out. Activate the person in the identity provider.").Compared("active", string(v.Why))
	case v.Why == WhyAccountDeprovisioned:
		return refuse(CodeDeprovisioned, "The organization that the account belongs to has taken it away.").Compared("active", string(v.Why))
	case c.Out():
		return refuse(CodeMembershipInactive, "A directory that is gone had shut this member out. An administrator of the app can reinstate them.").
			Compared("active", string(v.Why))
	}
	return refuse(CodeMembershipInactive, "This member was deactivated. An administrator of the app can reactivate them.").Compared("active", string(v.Why))
}

func (d *decision) justInTime() error {
	switch d.a.JIT {
	case JITDirectory:
		if d.a.Standing.Says == SaysActive {
			return nil
		}
		return refuse(CodeNotInDirectory, "The organization takes in people whom its directory knows, and it does not know this one. Assign the person to the directory sync application.").
			Compared("a person in the directory", string(d.a.Standing.Says))
	case JITVerifiedDomain: // others were refused before, or are let in by the connection's option
		return nil
	}
	return refuse(CodeNotAMember, "The organization takes in nobody just by signing in, and this person is no member yet.").
		Compared("a member", "somebody who is none")
}

// account decides what becomes of the user.
func (d *decision) account(p *Person) {
	if p == nil {
		d.ad.User = User{
			ID: d.f.newUser, Email: d.a.Email, EmailVerified: d.a.EmailVerified, FirstName: name(d.a.FirstName), LastName: name(d.a.LastName),
			LastSignInAt: d.now, Version: 1, CreatedAt: d.now, UpdatedAt: d.now,
		}
		if d.a.EmailVerified {
			d.ad.User.HomeOrganizationID = d.a.OrganizationID
		}
		d.names(&d.ad.User)
		return
	}
	before := p.User
	d.ad.userBefore, d.ad.User = &before, before
	u := &d.ad.User
	own, _ := EmailKey(u.Email)
	if d.a.EmailVerified && own == d.key {
		d.ad.proves = !u.EmailVerified
		u.EmailVerified = true
		if u.HomeOrganizationID == "" {
			u.HomeOrganizationID = d.a.OrganizationID
		}
	}
	d.email(u, own)
	d.names(u)
	if changed(before, *u) {
		u.Version, u.UpdatedAt = before.Version+1, d.now
	}
	u.LastSignInAt = d.now
}

// email follows the identity provider only where the account is at home, into a verified domain, to an address that is free.
func (d *decision) email(u *User, own string) {
	taken := d.f.ByEmail != nil && d.f.ByEmail.User.ID != u.ID
	if own != d.key && u.HomeOrganizationID == d.a.OrganizationID && d.a.EmailVerified && !taken {
		u.Email, u.EmailVerified = d.a.Email, true
	}
}

// names follow it where the account is at home, or where nobody but identity providers has ever said anything about it. What is mapped
// counts only of somebody whom no directory has.
func (d *decision) names(u *User) {
	if u.HomeOrganizationID != d.a.OrganizationID && (u.HomeOrganizationID != "" || u.EmailVerified) {
		return
	}
	for _, field := range []struct {
		to     *string
		said   string
		mapped *string
	}{
		{&u.FirstName, d.a.FirstName, d.a.Mapped.FirstName},
		{&u.LastName, d.a.LastName, d.a.Mapped.LastName},
		{&u.PictureURL, "", d.a.Mapped.PictureURL},
		{&u.Locale, "", d.a.Mapped.Locale},
	} {
		said := field.said
		if field.mapped != nil && d.a.Standing.Says != SaysActive {
			said = *field.mapped
		}
		if said = name(said); said != "" {
			*field.to = said
		}
	}
}

// changed tells whether more than the time of the last sign-in differs.
func changed(a, b User) bool {
	return a.Email != b.Email || a.EmailVerified != b.EmailVerified || a.FirstName != b.FirstName || a.LastName != b.LastName ||
		a.PictureURL != b.PictureURL || a.Locale != b.Locale || a.HomeOrganizationID != b.HomeOrganizationID
}

// membership decides what becomes of the membership, after the account.
func (d *decision) membership(p *Person) {
	m := Membership{
		ID: d.f.newMembership, OrganizationID: d.a.OrganizationID, UserID: d.ad.User.ID, Role: RoleMember, Version: 1, CreatedAt: d.now, UpdatedAt: d.now,
	}
	if p != nil && p.Membership != nil {
		m = *p.Membership
		before := m
		d.ad.membershipBefore = &before
	}
	if m.State != Active {
		d.ad.via = d.via(m)
		v := Decide(d.claims(p))
		one := place{m: m}
		one.join(d.ad.via, d.now)
		m = one.m
		m.State, m.Why, m.Told = v.State, v.Why, Verdict{}
	}
	d.ad.unlinked = d.f.unlinked
	m.Primary = d.ad.User.HomeOrganizationID == d.a.OrganizationID
	if !d.ad.byProof { // else whoever keeps the directory could sign in as the guest
		d.ad.standing = d.a.Standing
		if d.a.Standing.Says == SaysActive && m.DirectoryUserID != d.a.Standing.DirectoryUserID {
			m.DirectoryUserID, m.DirectoryManaged = d.a.Standing.DirectoryUserID, true
		}
	}
	m.asserted = d.a.asserts()
	if before := d.ad.membershipBefore; before != nil && !m.same(*before) {
		m.Version, m.UpdatedAt = before.Version+1, d.now
	}
	d.ad.Membership = m
}

// identity decides what becomes of the identity, after the account.
func (d *decision) identity(p *Person) {
	if d.found == "" {
		for _, i := range p.Identities {
			if i.IDPID == d.a.IDPID {
				before := i
				d.ad.identityBefore, d.ad.Identity = &before, i
			}
		}
		d.ad.Identity.LastUsedAt = d.now
	} else {
		d.ad.Identity = Identity{
			ConnectionID: d.a.ConnectionID, IDPID: d.a.IDPID, OrganizationID: d.a.OrganizationID, UserID: d.ad.User.ID, LinkedBy: d.found,
			CreatedAt: d.now, LastUsedAt: d.now,
		}
	}
	d.ad.Why = d.sentence()
}

// sentence is the whole of why, for people.
func (d *decision) sentence() string {
	found := map[LinkedBy]string{
		"":                "known by the id of the identity provider",
		LinkedByDirectory: "linked, being the member joined with the person in the directory",
		LinkedByEmail:     "linked by the address, in a verified domain",
		LinkedByProof:     "linked by the address, which the person has proven",
		LinkedByCreation:  "created just in time",
	}[d.found]
	if len(d.ad.replaces) > 0 {
		found += ", in place of a former id of the same person"
	}
	place := "guest"
	if d.ad.Membership.Primary {
		place = "primary member"
	}
	if d.ad.Joined() {
		place = "new " + place
	}
	return fmt.Sprintf("Account %s; %s, %s: %s.", found, place, d.ad.Membership.State, d.ad.Membership.Why)
}

// name makes of what a provider says a name that can be stored.
func name(said string) string {
	said = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(said, "�"), "\x00", ""))
	if utf8.RuneCountInString(said) <= maxName {
		return said
	}
	return string([]rune(said)[:maxName])
}

func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// shown is a value in a refusal: short, and never anything that a log or page would stumble over.
func shown(value string) string {
	if value == "" {
		return "nothing"
	}
	return fmt.Sprintf("%.200q", value)
}
