package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// Standing is what the directories of an organization say of a person who signs in.
type Standing string

// The standings. None: the organization has no directory that has ever brought anybody, so nothing is said of anybody.
const (
	StandingNone     Standing = "none"
	StandingUnknown  Standing = "unknown"
	StandingActive   Standing = "active"
	StandingInactive Standing = "inactive"
)

// JoinedBy says what a sign-in and a directory user have in common.
type JoinedBy string

// The rules, in the order in which they are tried.
const (
	JoinedByMembership JoinedBy = "membership" // they were joined before
	JoinedByExternalID JoinedBy = "external_id"
	JoinedByUserName   JoinedBy = "user_name"
	JoinedByEmail      JoinedBy = "email"
)

// Keys are what a sign-in knows a person by. Empty ones are not looked for.
type Keys struct {
	Joined   UserID // whom the member behind the sign-in was joined with before
	IDPID    string // what identifies the person at the connection
	ObjectID string // the provider's immutable id, if another attribute carries it
	NameID   string // SAML NameID, or the OpenID subject
	UPN      string // user principal name or preferred user name
	Email    string
	// EmailVerified: the email lies in a domain that the organization has verified. Only then may it join anybody.
	EmailVerified bool
}

// Found is where a person stands. UserID and DirectoryID are set when the standing is active or inactive.
type Found struct {
	Standing    Standing
	DirectoryID ID
	UserID      UserID
	JoinedBy    JoinedBy
	Near        *NearMiss
	// JoinedGone: whom the member was joined with before is in no directory any more.
	JoinedGone bool
}

// NearMiss is an attribute of a directory user that would have joined a sign-in, or would have done so by a better rule, had the
// mapping at the identity provider been another.
type NearMiss struct {
	Attribute string // of the directory: externalId, userName or emails
	Has       string // what the directory has there
	Wanted    string // what the sign-in would have found
	UserID    UserID
}

// candidate is a directory user who shares some value with a sign-in.
type candidate struct {
	directory  ID
	id         UserID
	externalID *string
	userName   string // key
	active     bool
	suspended  bool
	byEmail    bool
}

// StandingOf finds a person in the directories of an organization: whom the member was joined with
// before, then by externalId, then by user name, then by an email in a verified domain. With several directories the person is in while any says so. Somebody whom a refused request has suspended is not in. It
// reads by indexes alone.
func StandingOf(ctx context.Context, r db.Reader, organizationID string, k Keys) (Found, error) {
	var s Seen
	q := Looking(organizationID, k, &s)
	rows, err := r.Query(ctx, q.SQL, q.Args...)
	if err == nil {
		defer rows.Close()
		err = q.Read(rows)
	}
	if err != nil {
		return Found{}, fmt.Errorf("find a person in the directories of %s: %w", organizationID, err)
	}
	return s.found(), nil
}

// Seen is whom the directories of an organization have under the keys of a sign-in.
type Seen struct {
	keys   Keys
	people []candidate
	linked bool // some directory is live and linked
}

// Looking is the first half of StandingOf, to be asked beside other questions: also while somebody else reads whom the member was
// joined with before.
func Looking(organizationID string, k Keys, into *Seen) db.Question {
	*into = Seen{keys: k}
	q := candidates(organizationID, k)
	q.Read = into.read
	return q
}

// For is the other half, where Look did not know whom the member was joined with. It is not ok if they were not seen by any other key:
// then StandingOf has to look for them.
func (s Seen) For(joined UserID) (f Found, ok bool) {
	if joined != "" {
		at := slices.IndexFunc(s.people, func(c candidate) bool { return c.id == joined })
		if at < 0 {
			return Found{}, false
		}
		first := s.people[at] // as if they had been looked for
		s.people = slices.Insert(slices.Delete(slices.Clone(s.people), at, at+1), 0, first)
	}
	s.keys.Joined = joined
	return s.found(), true
}

func (s Seen) found() Found {
	found := decide(s.people, s.keys)
	found.JoinedGone = s.keys.Joined != "" && !slices.ContainsFunc(s.people, func(c candidate) bool { return c.id == s.keys.Joined })
	if found.Standing == StandingUnknown && !s.linked {
		found.Standing = StandingNone
	}
	return found
}

// candidates finds them, and whether any directory of the organization is live and linked.
func candidates(organizationID string, k Keys) db.Question {
	external, names, email := k.values(), k.names(), strings.Join(distinct(scim.FoldKey(k.Email)), "")
	args := []any{organizationID, email, string(k.Joined)}
	place := func(values []string) string {
		if len(values) == 0 {
			return "NULL" // finds nobody
		}
		marks := make([]string, len(values))
		for i, v := range values {
			args = append(args, v)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		return strings.Join(marks, ", ")
	}
	text := fmt.Sprintf(selectCandidates, place(external), place(names), candidateIn)
	return db.Question{SQL: text, Args: args}
}

// read reads what candidates finds.
func (s *Seen) read(rows db.Rows) error {
	for rows.Next() {
		var c candidate
		if err := rows.Scan((*string)(&c.directory), (*string)(&c.id), &c.externalID, &c.userName, &c.active, &c.suspended, &c.byEmail); err != nil {
			return err
		}
		if c.id == "" {
			s.linked = true
			continue
		}
		at := slices.IndexFunc(s.people, func(o candidate) bool { return o.directory == c.directory && o.id == c.id })
		if at < 0 {
			s.people = append(s.people, c)
		} else {
			s.people[at].byEmail = s.people[at].byEmail || c.byEmail
		}
	}
	return rows.Err()
}

// values are all that an externalId could have been made of.
func (k Keys) values() []string {
	return distinct(k.IDPID, k.ObjectID, k.NameID, k.UPN, k.Email)
}

// names are the keys of all that a user name could have been made of.
func (k Keys) names() []string {
	return distinct(scim.UserNameKey(k.NameID), scim.UserNameKey(k.UPN), scim.UserNameKey(k.Email), scim.UserNameKey(k.IDPID))
}

func distinct(values ...string) []string {
	var out []string
	for _, v := range values {
		// What is longer than any key cannot be one, and PostgreSQL knows no zero byte.
		if v != "" && len(v) <= longestKey && !strings.ContainsRune(v, 0) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// rule is what joins a person with a sign-in; "" if nothing may.
func (c candidate) rule(k Keys) JoinedBy {
	switch email := scim.FoldKey(k.Email); {
	case k.Joined != "" && c.id == k.Joined:
		return JoinedByMembership
	case c.externalID != nil && *c.externalID != "" && (*c.externalID == k.IDPID || *c.externalID == k.ObjectID):
		return JoinedByExternalID
	case c.userName != "" && (k.NameID != "" && c.userName == scim.UserNameKey(k.NameID) || k.UPN != "" && c.userName == scim.UserNameKey(k.UPN)):
		return JoinedByUserName
	case k.EmailVerified && email != "" && (c.byEmail || c.userName == email):
		return JoinedByEmail
	}
	return ""
}

// decide takes of each directory the people whom its best rule finds. Of two in one directory by the same rule one who is out would be
// reason enough to ask, yet a person is in while any record says so.
func decide(people []candidate, k Keys) Found {
	out := Found{Standing: StandingUnknown}
	order := []JoinedBy{JoinedByMembership, JoinedByExternalID, JoinedByUserName, JoinedByEmail}
	rank := func(j JoinedBy) int { return slices.Index(order, j) }
	best := map[ID]JoinedBy{}
	for _, c := range people {
		if rule := c.rule(k); rule != "" && (best[c.directory] == "" || rank(rule) < rank(best[c.directory])) {
			best[c.directory] = rule
		}
	}
	for _, c := range people {
		rule := c.rule(k)
		if rule == "" || rule != best[c.directory] {
			continue
		}
		standing := StandingInactive
		if c.active && !c.suspended {
			standing = StandingActive
		}
		better := out.Standing == StandingUnknown || standing == StandingActive && (out.Standing == StandingInactive || rank(rule) < rank(out.JoinedBy))
		if better {
			out.Standing, out.DirectoryID, out.UserID, out.JoinedBy, out.Near = standing, c.directory, c.id, rule, c.near(k)
		}
	}
	if out.Standing == StandingUnknown && len(people) > 0 {
		out.Near = people[0].near(k)
	}
	return out
}

// near tells which value of the directory keeps it from the best rule.
func (c candidate) near(k Keys) *NearMiss {
	wanted := k.ObjectID
	if wanted == "" {
		wanted = k.IDPID
	}
	if rule := c.rule(k); wanted == "" || rule == JoinedByExternalID || rule == JoinedByMembership {
		return nil
	}
	has := ""
	if c.externalID != nil {
		has = *c.externalID
	}
	if c.rule(k) == "" && has == "" {
		return &NearMiss{Attribute: "userName", Has: c.userName, Wanted: k.NameID, UserID: c.id}
	}
	return &NearMiss{Attribute: "externalId", Has: has, Wanted: wanted, UserID: c.id}
}
