package sso

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// Places of sealed columns.
func keyPlace(id ID) string            { return "connections.sp_key/" + string(id) }
func secretPlace(id ID) string         { return "connections.client_secret/" + string(id) }
func attemptPlace(id AttemptID) string { return "sign_in_attempts.secret/" + string(id) }
func rawPlace(id AttemptID) string     { return "sign_in_attempts.raw/" + string(id) }

// encode is for what is made here: structs of strings, and claims that were JSON.
func encode(v any) []byte {
	out, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return out
}

// NotFound is the refusal for a connection that is not there.
func NotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Connection not found: '%.80s'.", id)
}

// AttemptNotFound is the refusal for an attempt that is not there.
func AttemptNotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Sign-in attempt not found: '%.80s'.", id)
}

// connections reads connections with their certificates and paths.
func connections(ctx context.Context, r db.Reader, text string, args ...any) ([]Connection, error) {
	out, err := bare(ctx, r, text, args...)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(out, partSize) {
		if err := complete(ctx, r, part); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// partSize bounds the arguments of one statement.
const partSize = 200

func bare(ctx context.Context, r db.Reader, text string, args ...any) ([]Connection, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	defer rows.Close()
	return readBare(rows)
}

func readBare(rows db.Rows) ([]Connection, error) {
	var out []Connection
	for rows.Next() {
		c, err := scanConnection(rows)
		if err != nil {
			return nil, fmt.Errorf("read connections: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	return out, nil
}

// nullable gives a destination for a column that may be NULL and a function that fills in what it held.
type nullable struct {
	texts []*string
	into  []*string
}

func (n *nullable) text(into *string) **string {
	n.texts, n.into = append(n.texts, nil), append(n.into, into)
	return &n.texts[len(n.texts)-1]
}

func (n *nullable) fill() {
	for i, t := range n.texts {
		if t != nil {
			*n.into[i] = *t
		}
	}
}

func scanConnection(row db.Row) (c Connection, err error) {
	n := nullable{texts: make([]*string, 0, 20)} // never grows: destinations point into it
	var options, attributes []byte
	var pending string
	var switching *string
	var metadataAt, due, jwksAt, first, last, secretEnds *int64
	var created, updated int64
	err = row.Scan((*string)(&c.ID), &c.OrganizationID, &c.Key, (*string)(&c.Protocol), (*string)(&c.Type), &c.Provider, &c.Name, (*string)(&c.State),
		&options, &attributes, n.text(&c.SPEntityID), n.text(&c.spKey), n.text(&c.SPCertificate), n.text(&c.IDPEntityID), n.text(&c.SSOURL),
		n.text((*string)(&c.SSOBinding)), n.text(&c.SLOURL), n.text((*string)(&c.SLOBinding)), n.text(&c.MetadataURL), n.text(&c.metadata),
		n.text(&c.metadataETag), &metadataAt, &due, n.text(&c.MetadataError), n.text(&pending), n.text(&c.Issuer), n.text(&c.ClientID),
		n.text(&c.clientSecret), n.text(&c.discovery), n.text(&c.jwks), &jwksAt, &first, &last, &c.version, &created, &updated, n.text(&c.SLOResponseURL), &secretEnds, &switching)
	if err != nil {
		return c, err
	}
	n.fill()
	if switching != nil {
		c.Switching = Switching(*switching)
	}
	c.HasSecret, c.ClientSecretExpiresAt = c.clientSecret != "", db.TimeOrZero(secretEnds)
	c.MetadataAt, c.metadataDue, c.jwksAt = db.TimeOrZero(metadataAt), db.TimeOrZero(due), db.TimeOrZero(jwksAt)
	c.FirstSuccessAt, c.LastSuccessAt = db.TimeOrZero(first), db.TimeOrZero(last)
	c.CreatedAt, c.UpdatedAt = db.Time(created), db.Time(updated)
	if err := json.Unmarshal(options, &c.Options); err != nil {
		return c, fmt.Errorf("options of connection %s: %w", c.ID, err)
	}
	if err := json.Unmarshal(attributes, &c.AttributeMap); err != nil {
		return c, fmt.Errorf("attribute map of connection %s: %w", c.ID, err)
	}
	if pending != "" {
		c.Pending = &PendingChange{}
		if err := json.Unmarshal([]byte(pending), c.Pending); err != nil {
			return c, fmt.Errorf("pending change of connection %s: %w", c.ID, err)
		}
	}
	return c, nil
}

func (c Connection) pendingText() any {
	if c.Pending == nil {
		return nil
	}
	return encode(c.Pending)
}

// complete reads what the connections have in other tables.
func complete(ctx context.Context, r db.Reader, found []Connection) error {
	at, marks, args := map[ID]*Connection{}, make([]string, len(found)), make([]any, len(found))
	for i := range found {
		at[found[i].ID], marks[i], args[i] = &found[i], fmt.Sprintf("$%d", i+1), string(found[i].ID)
	}
	rows, err := r.Query(ctx, fmt.Sprintf(selectCertificates, strings.Join(marks, ",")), args...)
	if err != nil {
		return fmt.Errorf("read certificates: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		id, cert, err := scanCertificate(rows)
		if err != nil {
			return fmt.Errorf("read certificates: %w", err)
		}
		at[id].Certificates = append(at[id].Certificates, cert)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read certificates: %w", err)
	}
	rows.Close()
	return addPaths(ctx, r, at, fmt.Sprintf(selectPaths, strings.Join(marks, ",")), args)
}

func addPaths(ctx context.Context, r db.Reader, at map[ID]*Connection, text string, args []any) error {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("read paths of connections: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		var id ID
		if err := rows.Scan(&path, (*string)(&id)); err != nil {
			return fmt.Errorf("read paths of connections: %w", err)
		}
		at[id].Paths = append(at[id].Paths, path)
	}
	return rows.Err()
}

func scanCertificate(row db.Row) (id ID, c Certificate, err error) {
	var organization string
	var before, after, created int64
	var used, missing, announced *int64
	err = row.Scan((*string)(&id), &c.Fingerprint, &organization, &c.PEM, &c.Subject, &before, &after, (*string)(&c.Source), &created, &used, &missing, &announced)
	c.NotBefore, c.NotAfter, c.CreatedAt = db.Time(before), db.Time(after), db.Time(created)
	c.LastUsedAt, c.MissingSince, c.announced = db.TimeOrZero(used), db.TimeOrZero(missing), -1
	if announced != nil {
		c.announced = *announced
	}
	return id, c, err
}

// insertTx stores a new connection.
func (s *Service) insertTx(ctx context.Context, tx db.Tx, c Connection) error {
	_, err := tx.Exec(ctx, insertConnection, string(c.ID), c.OrganizationID, c.Key, string(c.Protocol), string(c.Type), c.Provider, c.Name, string(c.State),
		encode(c.Options), encode(c.AttributeMap), db.TextOrNull(c.SPEntityID), db.TextOrNull(c.spKey), db.TextOrNull(c.SPCertificate),
		db.TextOrNull(c.IDPEntityID), db.TextOrNull(c.SSOURL), db.TextOrNull(string(c.SSOBinding)), db.TextOrNull(c.SLOURL),
		db.TextOrNull(string(c.SLOBinding)), db.TextOrNull(c.MetadataURL), db.TextOrNull(c.metadata), db.TextOrNull(c.metadataETag),
		db.MicrosOrNull(c.MetadataAt), db.MicrosOrNull(c.metadataDue), db.TextOrNull(c.MetadataError), c.pendingText(), db.TextOrNull(c.Issuer),
		db.TextOrNull(c.ClientID), db.TextOrNull(c.clientSecret), db.TextOrNull(c.discovery), db.TextOrNull(c.jwks), db.MicrosOrNull(c.jwksAt),
		nil, nil, int64(1), c.CreatedAt.UnixMicro(), c.UpdatedAt.UnixMicro(), db.TextOrNull(c.SLOResponseURL), db.MicrosOrNull(c.ClientSecretExpiresAt))
	if err != nil {
		return err
	}
	return s.insertPartsTx(ctx, tx, c)
}

func (s *Service) insertPartsTx(ctx context.Context, tx db.Tx, c Connection) error {
	for _, one := range c.Certificates {
		var announced any
		if one.announced >= 0 {
			announced = one.announced
		}
		if _, err := tx.Exec(ctx, insertCertificate, string(c.ID), one.Fingerprint, c.OrganizationID, one.PEM, one.Subject, one.NotBefore.UnixMicro(),
			one.NotAfter.UnixMicro(), string(one.Source), one.CreatedAt.UnixMicro(), db.MicrosOrNull(one.LastUsedAt), db.MicrosOrNull(one.MissingSince),
			announced); err != nil {
			return err
		}
	}
	for _, path := range c.Paths {
		if _, err := tx.Exec(ctx, insertPath, path, string(c.ID), c.OrganizationID, c.UpdatedAt.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// updateTx stores what may change of a connection that was read in the same transaction under a lock.
func (s *Service) updateTx(ctx context.Context, tx db.Tx, c Connection) error {
	n, err := tx.Exec(ctx, updateConnection, c.OrganizationID, string(c.ID), c.version, c.Name, string(c.State), encode(c.Options), encode(c.AttributeMap),
		db.TextOrNull(c.SPEntityID), db.TextOrNull(c.IDPEntityID), db.TextOrNull(c.SSOURL), db.TextOrNull(string(c.SSOBinding)),
		db.TextOrNull(c.SLOURL), db.TextOrNull(string(c.SLOBinding)), db.TextOrNull(c.MetadataURL), db.TextOrNull(c.metadata),
		db.TextOrNull(c.metadataETag), db.MicrosOrNull(c.MetadataAt), db.MicrosOrNull(c.metadataDue), db.TextOrNull(c.MetadataError), c.pendingText(),
		db.TextOrNull(c.Issuer), db.TextOrNull(c.ClientID), db.TextOrNull(c.clientSecret), db.TextOrNull(c.discovery), db.TextOrNull(c.jwks),
		db.MicrosOrNull(c.jwksAt), c.UpdatedAt.UnixMicro(), db.TextOrNull(c.SLOResponseURL), db.MicrosOrNull(c.ClientSecretExpiresAt))
	if err != nil {
		return err
	}
	if n == 0 {
		return NotFound(string(c.ID))
	}
	for _, text := range []string{deleteCertificates, deletePaths} {
		if _, err := tx.Exec(ctx, text, c.OrganizationID, string(c.ID)); err != nil {
			return err
		}
	}
	return s.insertPartsTx(ctx, tx, c)
}

func attempts(ctx context.Context, r db.Reader, text string, args ...any) ([]Attempt, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read sign-in attempts: %w", err)
	}
	defer rows.Close()
	return readAttempts(rows)
}

func readAttempts(rows db.Rows) ([]Attempt, error) {
	var out []Attempt
	for rows.Next() {
		a, err := scanAttempt(rows)
		if err != nil {
			return nil, fmt.Errorf("read sign-in attempts: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

func scanAttempt(row db.Row) (a Attempt, err error) {
	n := nullable{texts: make([]*string, 0, 20)}
	var continuation, refused, checks string
	var created, expires int64
	var finished *int64
	err = row.Scan((*string)(&a.ID), &a.OrganizationID, (*string)(&a.ConnectionID), (*string)(&a.Kind), (*string)(&a.State), n.text(&a.browser), n.text(&a.secret),
		n.text(&continuation), n.text(&a.LoginHint), &a.ForceAuthn, n.text(&refused), n.text(&checks), n.text((*string)(&a.ProfileID)), n.text(&a.UserID),
		n.text(&a.SessionID), n.text(&a.IDPID), n.text(&a.Email), n.text(&a.IP), n.text(&a.UserAgent), &created, &finished, &expires)
	if err != nil {
		return a, err
	}
	n.fill()
	a.Continuation = []byte(continuation)
	a.CreatedAt, a.FinishedAt, a.ExpiresAt = db.Time(created), db.TimeOrZero(finished), db.Time(expires)
	if refused != "" {
		a.Refused = &Refused{}
		if err := json.Unmarshal([]byte(refused), a.Refused); err != nil {
			return a, fmt.Errorf("refusal of attempt %s: %w", a.ID, err)
		}
	}
	if checks != "" {
		if err := json.Unmarshal([]byte(checks), &a.Checks); err != nil {
			return a, fmt.Errorf("checks of attempt %s: %w", a.ID, err)
		}
	}
	return a, nil
}

// profiles reads profiles; their connection's type is not in their rows.
func profiles(ctx context.Context, r db.Reader, text string, args ...any) ([]Profile, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	defer rows.Close()
	return readProfiles(rows)
}

func readProfiles(rows db.Rows) ([]Profile, error) {
	var out []Profile
	for rows.Next() {
		p, err := scanProfile(rows)
		if err != nil {
			return nil, fmt.Errorf("read profiles: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func scanProfile(row db.Row) (p Profile, err error) {
	n := nullable{texts: make([]*string, 0, 8)}
	var groups, roles, custom, raw []byte
	var subject, key string
	var created, updated int64
	err = row.Scan((*string)(&p.ID), &p.OrganizationID, (*string)(&p.ConnectionID), &p.IDPID, &p.Email, &p.EmailVerified, n.text(&p.FirstName), n.text(&p.LastName),
		n.text(&p.Name), &groups, &roles, &custom, &raw, n.text(&subject), n.text(&key), n.text(&p.userID), &p.version, &created, &updated)
	if err != nil {
		return p, err
	}
	n.fill()
	if p.Subject, err = readSubject(subject); err != nil {
		return p, fmt.Errorf("subject of profile %s: %w", p.ID, err)
	}
	p.CreatedAt, p.UpdatedAt = db.Time(created), db.Time(updated)
	for _, column := range []struct {
		text []byte
		into any
	}{{groups, &p.Groups}, {roles, &p.Roles}, {custom, &p.Custom}, {raw, &p.Raw}} {
		if err := json.Unmarshal(column.text, column.into); err != nil {
			return p, fmt.Errorf("profile %s: %w", p.ID, err)
		}
	}
	return p, nil
}

// bytesOrNull stores nothing as NULL.
func bytesOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// moment is now, at the precision that is stored.
func (s *Service) moment() time.Time { return s.c.Now().UTC().Truncate(time.Microsecond) }
