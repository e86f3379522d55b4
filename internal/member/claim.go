package member

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
)

// claim is what a directory says of a person, as members last took it over.
type claim struct {
	organizationID, directoryID, directoryUserID string

	membershipID MembershipID // "" while nobody is meant
	says         Says
	provisioning Provisioning
	outcome      Outcome
	held         Held
	said         []byte // JSON of saying
	frozenAt     time.Time
	emailKey     string // of the address that the directory says
	waitsFor     string // slug of the licence whose seats are all taken, where that keeps the person out
	waitsSince   time.Time
	version      int64
	createdAt    time.Time
	updatedAt    time.Time

	was *claim // as it was read; nil: new
}

// saying is the rest of it. Who somebody is is not decided by what is personal in it: it tells whether anything has changed, and which values of an
// account are the directory's.
type saying struct {
	Directory string `json:"directory"`
	Email     string `json:"email,omitzero"`
	Verified  bool   `json:"verified,omitzero"`
	First     string `json:"first_name,omitzero"`
	Last      string `json:"last_name,omitzero"`
	Picture   string `json:"picture_url,omitzero"`
	Locale    string `json:"locale,omitzero"`
	Mapped    mapped `json:"mapped"`
}

// mapped is access.Mapped as it is stored.
type mapped struct {
	Roles      *[]string      `json:"roles,omitzero"` // null: not driven
	Teams      *[]string      `json:"teams,omitzero"`
	Licence    *string        `json:"licence,omitzero"`
	Attributes map[string]any `json:"attributes,omitzero"`
	First      *string        `json:"first_name,omitzero"`
	Last       *string        `json:"last_name,omitzero"`
	Picture    *string        `json:"picture_url,omitzero"`
	Locale     *string        `json:"locale,omitzero"`
}

func sayingOf(p DirectoryPerson) saying {
	return saying{
		Directory: p.DirectoryName, Email: p.Email, Verified: p.EmailVerified, First: p.FirstName, Last: p.LastName, Picture: p.PictureURL, Locale: p.Locale,
		Mapped: storedMapped(p.Mapped),
	}
}

func storedMapped(m access.Mapped) (out mapped) {
	if m.DrivesRoles {
		out.Roles = &m.Roles
	}
	if m.DrivesTeams {
		out.Teams = &m.Teams
	}
	if m.DrivesLicences {
		out.Licence = &m.Licence
	}
	out.Attributes, out.First, out.Last, out.Picture, out.Locale = m.Attributes, m.FirstName, m.LastName, m.PictureURL, m.Locale
	return out
}

// read gives the saying. One that cannot be read drives nothing and names nobody; it is written anew by the directory's next word.
func (c *claim) read() (out saying, err error) {
	if err := json.Unmarshal(c.said, &out); err != nil {
		return out, fmt.Errorf("claim of directory user %s: %w", c.directoryUserID, err)
	}
	return out, nil
}

// saidBefore is what the directory said before its new word; nothing where that was nothing, or cannot be read any more.
func (c *claim) saidBefore() saying {
	if c.was == nil {
		return saying{}
	}
	was, err := c.was.read()
	if err != nil {
		return saying{}
	}
	return was
}

func (c *claim) pure() Claim {
	return Claim{DirectoryID: c.directoryID, Says: c.says, Provisioning: c.provisioning, Frozen: !c.frozenAt.IsZero(), Held: c.held}
}

// has tells whether the directory is there and has the person, in or out. Whom its brake holds it has not deleted yet, as far as the app knows.
func (c *claim) has() bool { return c.frozenAt.IsZero() && (c.says != SaysRemoved || c.held != "") }

// changed tells whether it has to be written.
func (c *claim) changed() bool {
	w := c.was
	return w == nil || w.membershipID != c.membershipID || w.says != c.says || w.provisioning != c.provisioning || w.outcome != c.outcome || w.held != c.held ||
		string(w.said) != string(c.said) || !w.frozenAt.Equal(c.frozenAt) || w.waitsFor != c.waitsFor
}

// claimRow holds claimColumns; all are NULL where there is none.
type claimRow struct {
	organizationID, directoryID, directoryUserID, membershipID, says, provisioning, outcome, said *string
	waitsFor, emailKey, held                                                                      *string
	frozen, waitsSince, version, created, updated                                                 *int64
}

func (r *claimRow) into() []any {
	return []any{
		&r.organizationID, &r.directoryID, &r.directoryUserID, &r.membershipID, &r.says, &r.provisioning, &r.outcome, &r.said, &r.frozen, &r.waitsFor, &r.waitsSince, &r.emailKey,
		&r.version, &r.created, &r.updated, &r.held,
	}
}

func (r *claimRow) claim() *claim {
	c := &claim{
		organizationID: *r.organizationID, directoryID: *r.directoryID, directoryUserID: *r.directoryUserID, membershipID: MembershipID(text(r.membershipID)),
		says: Says(*r.says), provisioning: Provisioning(*r.provisioning), outcome: Outcome(*r.outcome), said: []byte(*r.said), frozenAt: db.TimeOrZero(r.frozen),
		waitsFor: text(r.waitsFor), waitsSince: db.TimeOrZero(r.waitsSince), emailKey: text(r.emailKey), held: Held(text(r.held)),
		version: *r.version, createdAt: db.Time(*r.created), updatedAt: db.Time(*r.updated),
	}
	was := *c
	c.was = &was
	return c
}

func readClaims(ctx context.Context, r db.Reader, query string, args ...any) (out []*claim, err error) {
	err = db.Ask(ctx, r, askClaims(&out, query, args...))
	return out, err
}

// askClaims is the question behind readClaims, to be asked with others.
func askClaims(into *[]*claim, query string, args ...any) db.Question {
	return db.Question{SQL: query, Args: args, Read: func(rows db.Rows) error {
		for rows.Next() {
			var row claimRow
			if err := rows.Scan(row.into()...); err != nil {
				return fmt.Errorf("read what directories say: %w", err)
			}
			*into = append(*into, row.claim())
		}
		return rows.Err()
	}}
}

// claimInto writes what a directory says, over what was read.
func claimInto(w *db.Write, update guarded, c *claim, now time.Time) {
	key := []any{c.organizationID, c.directoryID, c.directoryUserID}
	values := []any{
		db.TextOrNull(string(c.membershipID)), string(c.says), string(c.provisioning), string(c.outcome), c.said, db.MicrosOrNull(c.frozenAt), now.UnixMicro(),
		db.TextOrNull(c.waitsFor), db.MicrosOrNull(c.waitsSince), db.TextOrNull(c.emailKey), db.TextOrNull(string(c.held)),
	}
	switch {
	case c.was == nil:
		w.Exec(insertClaim, append(key, values...)...)
	case c.changed():
		update(updateClaim, append(append(key, values...), c.was.version)...)
	}
}
