package event

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

// ForgetTx asks for the erasure of a person, subject being the id of a directory user, or with subject "" of a whole organization:
// what the log, the exchanges and whatever else has registered still say of them is taken out in the background (RunErasures), within
// a day. It joins the transaction in which they are deleted, so that neither happens without the other. Asking again is harmless.
func (l *Log) ForgetTx(ctx context.Context, tx db.Tx, organizationID, subject string, at time.Time) error {
	_, err := tx.Exec(ctx, insertErasure, l.ids.NewID("erasure"), organizationID, subject, at.UnixMicro())
	if err != nil {
		return fmt.Errorf("ask for the erasure of %q in %s: %w", subject, organizationID, err)
	}
	return nil
}

// ForgetInto adds the same to a write.
func (l *Log) ForgetInto(w *db.Write, organizationID, subject string, at time.Time) {
	w.Exec(insertErasure, l.ids.NewID("erasure"), organizationID, subject, at.UnixMicro())
}

// Forgotten is who is to be forgotten.
type Forgotten struct {
	OrganizationID string
	Subject        string   // id of a person; "" for everything of the organization
	Traces         []string // addresses and names under which the person was known, as the log knows them; not complete, may be empty
}

// Forgetter is what a noun has to forget. Everything is safe to be called again, and by several processes at once.
type Forgetter struct {
	// Nullable are, by the value of an object's member "object", those of its members that become null; other text becomes "".
	Nullable map[string][]string
	// Forms gives, by the name of a form (Entry.Form), what is left of the shared part and of one of the others. gone tells which objects of
	// which ids go.
	Forms map[string]FormEraser
	// Rows forgets what is in the noun's own tables. It comes before the log is rewritten, so that what cannot be found any more
	// without the log still can be after a restart.
	Rows func(context.Context, Forgotten) error
}

// FormEraser makes what is left of a packed event.
type FormEraser func(shared, each []byte, e Eraser) (lessShared, lessEach []byte, err error)

// Forgets registers a noun's part. It is called while the services are built, before anything runs.
func (l *Log) Forgets(f Forgetter) {
	for object, members := range f.Nullable {
		l.nullable[object] = members
	}
	for form, erase := range f.Forms {
		l.erasers[form] = erase
	}
	if f.Rows != nil {
		l.forget = append(l.forget, f.Rows)
	}
}

const (
	// erasureSettles is how long an erasure waits: what was under way when the person was deleted (a request's deadline is a
	// minute) and what is still buffered has to be stored first, or it would come after.
	erasureSettles = 2 * time.Minute
	// erasureLease is how long a process may be silent before another takes its erasures over.
	erasureLease = 10 * time.Minute
	// erasuresAtOnce bounds how many people of one organization share one walk through the log.
	erasuresAtOnce = 50
	// erasureBatch is how many rows of the log are looked at at once.
	erasureBatch = 500
	// erasureSkew is by how much the clocks of processes may differ: ids carry times, and nothing about a person is older than their own.
	erasureSkew = time.Hour
	// erasureBefore is how long before they were somebody here a person may have tried to come in: as long as attempts are kept.
	erasureBefore = 90 * 24 * time.Hour
)

// RunErasures erases what is due, every so often until ctx ends.
func (l *Log) RunErasures(ctx context.Context, every time.Duration, fail func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for {
			n, err := l.Erase(ctx, time.Now())
			if err != nil && ctx.Err() == nil {
				fail(err)
			}
			if err != nil || n == 0 {
				break
			}
		}
	}
}

// erasure is one request of ForgetTx.
type erasure struct{ id, organizationID, subject string }

// Erase does what is due of one organization and gives how many erasures that were. It can be stopped at any moment and is then begun
// anew, here or by another process, when its lease has run out.
func (l *Log) Erase(ctx context.Context, now time.Time) (int, error) {
	batch, err := l.claim(ctx, now)
	if err != nil || len(batch) == 0 {
		return 0, err
	}
	w := &erasing{l: l, batch: batch, organizationID: batch[0].organizationID, leased: now}
	if err := w.do(ctx); err != nil {
		return 0, fmt.Errorf("erase in %s: %w", w.organizationID, err)
	}
	return len(batch), nil
}

// claim leases what is due of the organization that has waited longest.
func (l *Log) claim(ctx context.Context, now time.Time) (batch []erasure, err error) {
	err = l.db.Tx(ctx, func(tx db.Tx) error {
		batch = nil
		rows, err := tx.Query(ctx, selectErasures+l.db.SkipLocked(), now.Add(-erasureSettles).UnixMicro(), now.UnixMicro())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e erasure
			if err := rows.Scan(&e.id, &e.organizationID, &e.subject); err != nil {
				return err
			}
			if len(batch) < erasuresAtOnce && (len(batch) == 0 || e.organizationID == batch[0].organizationID) {
				batch = append(batch, e)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		return extend(ctx, tx, batch, now)
	})
	if err != nil {
		return nil, fmt.Errorf("look for erasures: %w", err)
	}
	return batch, nil
}

func extend(ctx context.Context, tx db.Tx, batch []erasure, now time.Time) error {
	for _, e := range batch {
		if _, err := tx.Exec(ctx, leaseErasure, e.id, now.Add(erasureLease).UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// erasing is the work on a batch of one organization.
type erasing struct {
	l              *Log
	batch          []erasure
	organizationID string
	leased         time.Time
	addresses      map[string]bool // of the people, in lower case: what nobody's account did is found by them
}

func (w *erasing) do(ctx context.Context) error {
	traces, err := w.traces(ctx)
	if err != nil {
		return err
	}
	w.know(traces)
	for _, e := range w.batch {
		for _, forget := range w.l.forget {
			if err := forget(ctx, Forgotten{OrganizationID: e.organizationID, Subject: e.subject, Traces: traces[e.subject]}); err != nil {
				return err
			}
			if err := w.renew(ctx); err != nil {
				return err
			}
		}
	}
	if err := w.rewrite(ctx); err != nil {
		return err
	}
	if err := w.blankAudit(ctx); err != nil {
		return err
	}
	return w.l.db.Tx(ctx, func(tx db.Tx) error {
		for _, e := range w.batch {
			if _, err := tx.Exec(ctx, deleteErasure, e.id); err != nil {
				return err
			}
		}
		return nil
	})
}

// know keeps what is an address among the traces.
func (w *erasing) know(traces map[string][]string) {
	w.addresses = map[string]bool{}
	for _, of := range traces {
		for _, t := range of {
			if strings.Contains(t, "@") {
				w.addresses[strings.ToLower(t)] = true
			}
		}
	}
}

// renew keeps the lease. If it was lost two processes do the same, which is harmless.
func (w *erasing) renew(ctx context.Context) error {
	now := time.Now()
	if now.Sub(w.leased) < erasureLease/4 {
		return nil
	}
	w.leased = now
	return w.l.db.Tx(ctx, func(tx db.Tx) error { return extend(ctx, tx, w.batch, now) })
}

func (w *erasing) whole() bool {
	return slices.ContainsFunc(w.batch, func(e erasure) bool { return e.subject == "" })
}

// eraser chooses the objects that go: of an organization all, else those of its people.
func (w *erasing) eraser() Eraser {
	if w.whole() {
		return Eraser{log: w.l, all: true}
	}
	e := Eraser{log: w.l, gone: map[string]bool{}, addresses: w.addresses}
	for _, one := range w.batch {
		e.gone[one.subject] = true
	}
	return e
}

// touches tells whether a row may hold something of them.
func (w *erasing) touches(r row) bool {
	return w.whole() || slices.ContainsFunc(w.batch, func(e erasure) bool { return bytes.Contains(r.data, []byte(e.subject)) }) || w.tried(r)
}

// tried tells whether a row is about somebody with one of the addresses who wanted to come in, maybe before they had an account.
func (w *erasing) tried(r row) bool {
	if len(w.addresses) == 0 || !strings.HasPrefix(r.kind, "authentication.") && !strings.HasPrefix(r.kind, "magic_auth.") {
		return false
	}
	text := bytes.ToLower(r.data)
	for a := range w.addresses {
		if bytes.Contains(text, []byte(a)) {
			return true
		}
	}
	return false
}

// walk shows fn the rows of the log that may hold something of them.
func (w *erasing) walk(ctx context.Context, earlier time.Duration, fn func([]row) error) error {
	for after := w.since(earlier); ; {
		rows, last, err := w.l.rowsAfter(ctx, after, w.organizationID)
		if err != nil {
			return err
		}
		if err := fn(slices.DeleteFunc(rows, func(r row) bool { return !w.touches(r) })); err != nil {
			return err
		}
		if err := w.renew(ctx); err != nil || last == "" {
			return err
		}
		after = last
	}
}

// since is an event id before all that can be about them, by so much earlier.
func (w *erasing) since(earlier time.Duration) string {
	ids := []string{w.organizationID}
	if !w.whole() {
		ids = nil
		for _, e := range w.batch {
			ids = append(ids, e.subject)
		}
	}
	first := ""
	for _, id := range ids {
		_, u, ok := token.Parse(id)
		if !ok {
			return ""
		}
		if from := token.Before("event", u.Timestamp().Add(-erasureSkew-earlier)); first == "" || from < first {
			first = from
		}
	}
	return first
}

// rowsAfter reads the organization's rows among the next ones of the log; last is "" at its end.
func (l *Log) rowsAfter(ctx context.Context, after, organizationID string) (out []row, last string, err error) {
	err = l.db.QueryRow(ctx, selectFurther, after, erasureBatch-1).Scan(&last)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return nil, "", fmt.Errorf("walk through the log: %w", err)
	}
	until := last
	if until == "" {
		until = "event_Z" // after every ULID
	}
	rows, err := l.db.Query(ctx, selectBetween, after, until, organizationID)
	if err != nil {
		return nil, "", fmt.Errorf("walk through the log: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.kind, &r.n, &r.context, &r.data); err != nil {
			return nil, "", fmt.Errorf("walk through the log: %w", err)
		}
		out = append(out, r)
	}
	return out, last, rows.Err()
}

// traces are the addresses and names under which the log knows the people, by their ids.
func (w *erasing) traces(ctx context.Context) (map[string][]string, error) {
	found := map[string][]string{}
	if w.whole() {
		return found, nil
	}
	e := w.eraser()
	e.saw = func(id, trace string) {
		if !slices.Contains(found[id], trace) {
			found[id] = append(found[id], trace)
		}
	}
	return found, w.walk(ctx, 0, func(rows []row) error {
		for _, r := range rows {
			events, err := w.l.events(r)
			if err != nil {
				return err
			}
			for _, one := range events {
				if _, err := e.Value(jsontext.Value(one.Data)); err != nil {
					return fmt.Errorf("payload of event %s: %w", one.ID, err)
				}
			}
		}
		return nil
	})
}

// rewrite takes them out of the log.
func (w *erasing) rewrite(ctx context.Context) error {
	e := w.eraser()
	earlier := erasureBefore
	if len(w.addresses) == 0 {
		earlier = 0
	}
	return w.walk(ctx, earlier, func(rows []row) error {
		var changed []row
		for _, r := range rows {
			less, err := e.row(r)
			if err != nil {
				return fmt.Errorf("event row %s: %w", r.id, err)
			}
			if !bytes.Equal(less.data, r.data) || !bytes.Equal(less.context, r.context) {
				changed = append(changed, less)
			}
		}
		if len(changed) == 0 {
			return nil
		}
		return w.l.db.Tx(ctx, func(tx db.Tx) error {
			for _, r := range changed {
				if _, err := tx.Exec(ctx, rewriteEvent, r.id, r.context, r.data); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// blankAudit takes them out of the changes that have no event: what was done to them, and what they did.
func (w *erasing) blankAudit(ctx context.Context) error {
	e := w.eraser()
	return w.l.db.Tx(ctx, func(tx db.Tx) error {
		for _, one := range w.batch {
			found, err := auditOf(ctx, tx, one)
			if err != nil {
				return err
			}
			for id, cause := range found {
				less, err := e.cause(cause)
				if err == nil {
					_, err = tx.Exec(ctx, blankAudit, id, []byte(less))
				}
				if err != nil {
					return fmt.Errorf("audit entry %s: %w", id, err)
				}
			}
		}
		return nil
	})
}

func auditOf(ctx context.Context, tx db.Tx, one erasure) (map[string]jsontext.Value, error) {
	rows, err := tx.Query(ctx, selectAuditOf, one.organizationID, one.subject)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]jsontext.Value{}
	for rows.Next() {
		var id string
		var cause []byte
		if err := rows.Scan(&id, &cause); err != nil {
			return nil, err
		}
		found[id] = cause
	}
	return found, rows.Err()
}

// row is what is left of a row of the log.
func (e Eraser) row(r row) (less row, err error) {
	less = r
	if e.all {
		if less.context, err = e.cause(r.context); err != nil {
			return r, err
		}
	}
	switch form, parts := taken(r); {
	case parts == nil:
		less.data, err = e.Value(r.data)
	case form == "":
		less.data, err = e.packed(parts)
	default:
		less.data, err = e.form(form, parts)
	}
	return less, err
}

// taken takes a row apart: its form, then the shared part and the others; no parts where it is one payload (see Log.events).
func taken(r row) (form string, parts [][]byte) {
	if len(r.data) > 0 && 'a' <= r.data[0] && r.data[0] <= 'z' {
		name, rest, _ := bytes.Cut(r.data, newline)
		return string(name), bytes.Split(rest, newline)
	}
	if r.n == 1 {
		return "", nil
	}
	return "", bytes.Split(r.data, newline)
}

// packed writes the payloads out, each for itself: what they had in common may be what goes.
func (e Eraser) packed(parts [][]byte) ([]byte, error) {
	var out []byte
	for _, each := range parts[1:] {
		less, err := e.Value(slices.Concat(parts[0], each))
		if err != nil {
			return nil, err
		}
		out = append(append(out, '\n'), less...) // after a shared part that is empty
	}
	return out, nil
}

func (e Eraser) form(name string, parts [][]byte) ([]byte, error) {
	erase, known := e.log.erasers[name]
	if !known {
		return nil, fmt.Errorf("nobody knows how to erase of the form %q", name)
	}
	out := [][]byte{[]byte(name), parts[0]}
	for _, each := range parts[1:] {
		shared, less, err := erase(parts[0], each, e)
		if err != nil {
			return nil, err
		}
		out[1] = shared
		out = append(out, less)
	}
	return bytes.Join(out, newline), nil
}

// Eraser takes what is personal out of JSON.
type Eraser struct {
	log  *Log
	all  bool            // every object goes
	gone map[string]bool // else those of these ids
	// addresses are those of who goes: a sign-in that came to no account is theirs by it.
	addresses map[string]bool
	saw       func(id, trace string)
}

// All tells whether everything of an organization goes, and not only some people.
func (e Eraser) All() bool { return e.all }

// Gone tells whether an object of this id goes.
func (e Eraser) Gone(id string) bool { return e.all || e.gone[id] }

// member is a member of a JSON object.
type member struct {
	name  string
	value jsontext.Value
}

func members(v jsontext.Value) (out []member, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(v), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		text := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		out = append(out, member{text, value.Clone()})
	}
	return out, nil
}

func object(all []member) (jsontext.Value, error) {
	out := []byte{'{'}
	for i, m := range all {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := jsontext.AppendQuote(nil, m.name)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), m.value...)
	}
	return append(out, '}'), nil
}

func has(all []member, name string) bool {
	return slices.ContainsFunc(all, func(m member) bool { return m.name == name })
}

func text(all []member, name string) string {
	i := slices.IndexFunc(all, func(m member) bool { return m.name == name })
	if i < 0 {
		return ""
	}
	return stringOf(all[i].value)
}

func stringOf(v jsontext.Value) string {
	if v.Kind() != '"' {
		return ""
	}
	out, err := jsontext.AppendUnquote(nil, []byte(v))
	if err != nil {
		return ""
	}
	return string(out)
}

// Value gives a payload without what is personal in the objects that go. Ids, states, types and times stay, and every member that
// has to be there.
func (e Eraser) Value(v jsontext.Value) (jsontext.Value, error) {
	if v.Kind() != '{' {
		return v, nil
	}
	all, err := members(v)
	if err != nil {
		return nil, err
	}
	switch kind := text(all, "object"); {
	case kind != "" && e.Gone(text(all, "id")):
		return e.blank(kind, all)
	case slices.Contains([]string{"", "session", "magic_auth"}, kind) && has(all, "user_id") && e.Gone(text(all, "user_id")):
		return e.blank(kind, all) // what somebody did: where they were, and the address they gave
	case slices.Contains([]string{"", "magic_auth"}, kind) && has(all, "user_id") && text(all, "user_id") == "" && e.addresses[strings.ToLower(text(all, "email"))]:
		return e.blank(kind, all)
	}
	changed := false
	for i, m := range all {
		if all[i].value, err = e.Value(m.value); err != nil {
			return nil, err
		}
		changed = changed || !bytes.Equal(all[i].value, m.value)
	}
	if !changed { // as it was written, to the byte
		return v, nil
	}
	return object(all)
}

// blank takes out of an object whatever is not known to be harmless.
func (e Eraser) blank(kind string, all []member) (jsontext.Value, error) {
	id := jsontext.Value(`""`)
	for _, m := range all {
		if m.name == "id" {
			id = m.value
		}
	}
	if of := text(all, "user_id"); kind == "" && of != "" {
		e.trace(of, all)
	} else {
		e.trace(stringOf(id), all)
	}
	var err error
	for i, m := range all {
		switch {
		case harmless(m):
		case m.name == "idp_id":
			all[i].value = id
		case slices.Contains(e.log.nullable[kind], m.name), m.name == "external_id":
			all[i].value = jsontext.Value("null")
		case m.value.Kind() == '[':
			all[i].value = jsontext.Value("[]")
		case m.value.Kind() == '{' && slices.Contains([]string{"owner", "role", "error", "sso"}, m.name):
			var inner []member
			if inner, err = members(m.value); err == nil {
				all[i].value, err = e.blank("", inner)
			}
		case m.value.Kind() == '{':
			all[i].value = jsontext.Value("{}")
		default:
			all[i].value = jsontext.Value(`""`)
		}
		if err != nil {
			return nil, err
		}
	}
	return object(all)
}

// harmless are ids, states, times and what is neither text nor holds any.
func harmless(m member) bool {
	switch m.value.Kind() {
	case 't', 'f', '0', 'n':
		return true
	case '"':
		return strings.HasSuffix(m.name, "_at") || strings.HasSuffix(m.name, "_id") && m.name != "idp_id" && m.name != "external_id" ||
			slices.Contains([]string{"object", "id", "state", "status", "type", "source", "verification_strategy", "slug", "code", "auth_method", "why", "role_slug", "role_source", "licence", "wanted_licence", "sso", "jit", "over_limit"}, m.name)
	}
	return false
}

// trace tells under which addresses and names a person was known.
func (e Eraser) trace(id string, all []member) {
	if e.saw == nil {
		return
	}
	for _, m := range all {
		switch m.name {
		case "email", "username", "idp_id", "userName", "externalId", "value":
			if t := stringOf(m.value); t != "" && t != id {
				e.saw(id, t)
			}
		case "previous_attributes", "raw_attributes":
			if inner, err := members(m.value); err == nil {
				e.trace(id, inner)
			}
		case "emails":
			e.traceEach(id, m.value)
		}
	}
}

func (e Eraser) traceEach(id string, list jsontext.Value) {
	d := jsontext.NewDecoder(bytes.NewReader(list), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '[' {
		return
	}
	for d.PeekKind() == '{' {
		v, err := d.ReadValue()
		if err != nil {
			return
		}
		if inner, err := members(v); err == nil {
			e.trace(id, inner)
		}
	}
}

// cause is what is left of a context: who acted by id, not by name.
func (e Eraser) cause(v jsontext.Value) (jsontext.Value, error) {
	all, err := members(v)
	if err != nil {
		return nil, err
	}
	for i, m := range all {
		if m.name == "changes" {
			all[i].value = jsontext.Value("{}")
		}
		if m.name != "actor" || m.value.Kind() != '{' {
			continue
		}
		actor, err := members(m.value)
		if err != nil {
			return nil, err
		}
		for j := range actor {
			if actor[j].name == "name" {
				actor[j].value = jsontext.Value("null")
			}
		}
		if all[i].value, err = object(actor); err != nil {
			return nil, err
		}
	}
	return object(all)
}
