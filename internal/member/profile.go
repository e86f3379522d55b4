package member

// profile takes over what a directory says of the account itself. Inside its verified domains an organization takes an account home that is
// at home nowhere; it names whom it has at home, and whom nobody else has.
func (f *application) profile() {
	if f.p.Says == SaysInactive {
		f.name()
	}
	if f.p.Says != SaysActive {
		return
	}
	f.vouch()
	f.readdress()
	f.name()
	f.unite()
}

// vouch proves the address of the account where it is the one that the directory says, inside a verified domain.
func (f *application) vouch() {
	u := &f.account.user
	key, ok := EmailKey(f.p.Email)
	if !ok || !f.p.EmailVerified || !f.hasAddress(key) {
		return
	}
	if !u.EmailVerified {
		f.account.provenAt = f.p.OrganizationID
	}
	u.EmailVerified = true
	if u.HomeOrganizationID == "" {
		u.HomeOrganizationID = f.p.OrganizationID
	}
}

// readdress follows the directory only where the account is at home, into a verified domain, to an address that is free.
func (f *application) readdress() {
	u := &f.account.user
	key, ok := EmailKey(f.p.Email)
	if ok && !f.hasAddress(key) && !f.taken && f.p.EmailVerified && u.HomeOrganizationID == f.p.OrganizationID {
		u.Email, u.EmailVerified = f.p.Email, true
	}
}

// name takes over the fields that directories give, of several the oldest one's. What this one gave before and gives no more goes, where the account
// still has it of the directory and no other gives it. What it never gave is somebody else's, and stays.
func (f *application) name() {
	u := &f.account.user
	if u.HomeOrganizationID != f.p.OrganizationID && (u.HomeOrganizationID != "" || u.EmailVerified) {
		return
	}
	is := sayingOf(f.p)
	all := f.sayings(is)
	for _, field := range profileFields() {
		to, said := field.of(u), ""
		for i := 0; i < len(all) && said == ""; i++ {
			said = field.said(all[i])
		}
		switch {
		case said != "":
			*to = said
		case *to != "" && field.said(is) == "" && *to == field.said(f.claim.saidBefore()):
			*to = ""
		}
	}
}

// sayings are those of living directories that want the person in, the oldest directory's first; is is what this one says.
func (f *application) sayings(is saying) (out []saying) {
	for _, c := range f.place.claims {
		if c.says != SaysActive || !c.frozenAt.IsZero() {
			continue
		}
		one := is
		if c != f.claim {
			var err error
			if one, err = c.read(); err != nil {
				continue // it names nobody
			}
		}
		out = append(out, one)
	}
	return out
}

// profileField is a field of an account that directories give, beside its address.
type profileField struct {
	name string // in the API
	of   func(*User) *string
	said func(saying) string // "": it is not given
}

func profileFields() []profileField {
	// A rule's word goes before what the directory says by itself.
	given := func(said string, mapped *string) string {
		if mapped != nil {
			said = *mapped
		}
		return name(said)
	}
	return []profileField{
		{"first_name", func(u *User) *string { return &u.FirstName }, func(s saying) string { return given(s.First, s.Mapped.First) }},
		{"last_name", func(u *User) *string { return &u.LastName }, func(s saying) string { return given(s.Last, s.Mapped.Last) }},
		{"profile_picture_url", func(u *User) *string { return &u.PictureURL }, func(s saying) string { return given(s.Picture, s.Mapped.Picture) }},
		{"locale", func(u *User) *string { return &u.Locale }, func(s saying) string { return given(s.Locale, s.Mapped.Locale) }},
	}
}

// names tells whether it is one of a name, of which a directory says all, or that there is none.
func (f profileField) names() bool { return f.name == "first_name" || f.name == "last_name" }

// unite joins the membership with the directory person, so that sign-ins find it by them. An account that is neither at home here nor has an
// address in a verified domain is never joined: whoever keeps the directory could sign in as somebody who is only their guest.
func (f *application) unite() {
	m := &f.place.m
	key, ok := EmailKey(f.p.Email)
	owns := f.account.user.HomeOrganizationID == f.p.OrganizationID || ok && f.p.EmailVerified && f.hasAddress(key)
	if !owns || m.DirectoryUserID == f.p.DirectoryUserID {
		return
	}
	for _, c := range f.place.claims {
		if c.directoryUserID == m.DirectoryUserID && c.says == SaysActive && c.frozenAt.IsZero() {
			return
		}
	}
	m.DirectoryUserID = f.p.DirectoryUserID
}
