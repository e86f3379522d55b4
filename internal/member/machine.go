package member

import "slices"

// Claims are all that decides about one membership: what directories say, what hands did, how the person came in.
type Claims struct {
	// Deprovisioned: another organization, where the account is at home, has taken the account away by its directory. What the own
	// organization's directory does to its own people follows from Directories.
	Deprovisioned bool
	Directories   []Claim // one per directory person joined with the membership
	Blocked       bool    // by hand: operator, API or IT contact
	Reactivated   bool    // a hand has lifted the last block, or reinstated whom a directory that is gone had shut out
	RemovedByHand bool
	JoinedBy      JoinedVia // "": never came in
	Invited       bool      // by hand, and neither accepted nor revoked
	Expired       bool      // instead of it: that invitation has had its time. It goes on waiting for whom a directory wants in
}

// Claim is what one directory says of a person.
type Claim struct {
	DirectoryID  string
	Says         Says // active, inactive or removed
	Provisioning Provisioning
	Frozen       bool // the directory is gone: this is its last word, which holds until a living directory or a hand says otherwise
	Held         Held // what the brake makes of a word that shuts the person out
}

// Held says what the brake of a directory makes of its word that somebody is to be out.
type Held string

// The closed list. The zero value is a word that stands as it was said.
const (
	HeldWaiting Held = "waiting" // the person is out here, and nothing else follows until somebody releases or undoes the hold
	HeldKept    Held = "kept"    // the hold was undone: the person is in until the directory writes them again
)

// Provisioning says what becomes of a person whom a directory brings and who has no account yet.
type Provisioning string

// The settings of a directory.
const (
	Invite       Provisioning = "invite"        // a pending membership and a mail; active by the first sign-in
	Direct       Provisioning = "direct"        // active at once, no mail; outside verified domains as invite
	ExistingOnly Provisioning = "existing_only" // nobody is made: accounts in verified domains are linked
)

// JoinedVia says how somebody came in.
type JoinedVia string

// The ways in.
const (
	ViaSignIn     JoinedVia = "sign_in"
	ViaInvitation JoinedVia = "invitation"
	ViaDirectory  JoinedVia = "directory"
	ViaAPI        JoinedVia = "api"
)

// Verdict is what follows from claims.
type Verdict struct {
	State State
	Why   Why
}

// Decide is the whole precedence machine: the first line that applies decides. It is the table in docs/reference/membership.md.
func Decide(c Claims) Verdict {
	switch {
	case c.RemovedByHand && !c.Wanted():
		return Verdict{Removed, WhyRemoved}
	case c.Waits():
		return Verdict{Inactive, WhyHeldByBrake}
	case c.Out() && c.says(SaysInactive):
		return Verdict{Inactive, WhyDirectoryInactive}
	case c.Out():
		return Verdict{Removed, WhyDirectoryRemoved}
	case c.Deprovisioned && !c.in():
		return Verdict{Inactive, WhyAccountDeprovisioned}
	case c.Blocked:
		return Verdict{Inactive, WhyDeactivated}
	case c.JoinedBy != "":
		return Verdict{Active, c.joined()}
	case c.provides(Direct):
		return Verdict{Active, WhyDirectory}
	case c.provides(Invite):
		return Verdict{Pending, WhyInvitedByDirectory}
	case c.invitedAndKept():
		return Verdict{Pending, WhyHeldByBrake}
	case c.Invited, c.Expired && c.in():
		return Verdict{Pending, WhyInvited}
	case c.Expired:
		return Verdict{Removed, WhyInvitationExpired}
	}
	return Verdict{Removed, WhyRemoved}
}

// Told is what follows from claims for those who learn nothing of what the brake holds: as if what waits had not been said.
func Told(c Claims) Verdict {
	said := make([]Claim, len(c.Directories))
	for i, d := range c.Directories {
		if d.Held == HeldWaiting {
			d.Says, d.Held = SaysActive, ""
		}
		said[i] = d
	}
	c.Directories = said
	return Decide(c)
}

// Out says whether directories shut the person out: some have spoken, none says active, and the brake keeps in nobody of whom they speak.
func (c Claims) Out() bool { return len(c.Directories) > 0 && !c.in() }

// Waits says whether directories shut the person out, and the brake holds what one of them said: they are out, and nothing else follows.
func (c Claims) Waits() bool { return c.Out() && c.holds(HeldWaiting) }

// in says whether a directory wants the person in, or its brake keeps them.
func (c Claims) in() bool { return c.says(SaysActive) || c.holds(HeldKept) }

// invitedAndKept says whether the brake keeps in whom a directory asks in: such as did not wait for that are in already.
func (c Claims) invitedAndKept() bool {
	for _, d := range c.Directories {
		if d.Held == HeldKept && d.Provisioning != ExistingOnly {
			return true
		}
	}
	return false
}

func (c Claims) holds(held Held) bool {
	for _, d := range c.Directories {
		if d.Held == held {
			return true
		}
	}
	return false
}

// Barred says whether only a directory can let the person in again: they are out, and one of those who say so is still there.
func (c Claims) Barred() bool {
	if !c.Out() {
		return false
	}
	for _, d := range c.Directories {
		if !d.Frozen {
			return true
		}
	}
	return false
}

// living is what is claimed without the last words of directories that are gone.
func (c Claims) living() Claims {
	c.Directories = slices.DeleteFunc(slices.Clone(c.Directories), func(d Claim) bool { return d.Frozen })
	return c
}

// Wanted says whether a directory that is there wants the person in.
func (c Claims) Wanted() bool {
	for _, d := range c.Directories {
		if !d.Frozen && d.Says == SaysActive {
			return true
		}
	}
	return false
}

func (c Claims) says(what Says) bool {
	for _, d := range c.Directories {
		if d.Says == what {
			return true
		}
	}
	return false
}

func (c Claims) provides(how Provisioning) bool {
	for _, d := range c.Directories {
		if d.Says == SaysActive && d.Provisioning == how {
			return true
		}
	}
	return false
}

// joined is why somebody who came in is in.
func (c Claims) joined() Why {
	switch {
	case c.says(SaysActive):
		return WhyDirectory
	case c.holds(HeldKept):
		return WhyHeldByBrake
	case c.Reactivated:
		return WhyReactivated
	}
	return map[JoinedVia]Why{
		ViaSignIn: WhySignIn, ViaInvitation: WhyInvitation, ViaDirectory: WhyDirectory, ViaAPI: WhyAPI,
	}[c.JoinedBy]
}
