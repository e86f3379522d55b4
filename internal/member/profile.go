package member

// profile takes over what a directory says of the account itself. Inside its verified domains an organization takes an account home that is
// at home nowhere; it names whom it has at home, and whom nobody else has.
func (f *application) profile() {
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

func (f *application) name() {
	u := &f.account.user
	if u.HomeOrganizationID != f.p.OrganizationID && (u.HomeOrganizationID != "" || u.EmailVerified) {
		return
	}
	for _, field := range []struct {
		to     *string
		said   string
		mapped *string
	}{
		{&u.FirstName, f.p.FirstName, f.p.Mapped.FirstName},
		{&u.LastName, f.p.LastName, f.p.Mapped.LastName},
		{&u.PictureURL, f.p.PictureURL, f.p.Mapped.PictureURL},
		{&u.Locale, f.p.Locale, f.p.Mapped.Locale},
	} {
		said := field.said
		if field.mapped != nil {
			said = *field.mapped
		}
		if said = name(said); said != "" {
			*field.to = said
		}
	}
}

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
