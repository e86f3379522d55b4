package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Options are what the service is built from.
type Options struct {
	DB     *db.DB
	Events *event.Log
	IDs    *token.Source
	Now    func() time.Time
	Logger *slog.Logger
}

// Service has the verbs. Whoever asks stands in the context (event.As). Safe for use by many goroutines.
type Service struct{ o Options }

// NewService makes the service.
func NewService(o Options) *Service { return &Service{o: o} }

func (s *Service) now() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// NotFound is the refusal for an operator who is not there.
func NotFound(id ID) error {
	return fault.New(fault.NotFound, "entity_not_found", "There is no operator %q any more.", fmt.Sprintf("%.80s", id))
}

// Any tells whether there is an operator.
func (s *Service) Any(ctx context.Context) (there bool, err error) {
	if err := s.o.DB.QueryRow(ctx, anyOperator).Scan(&there); err != nil {
		return false, fmt.Errorf("look for operators: %w", err)
	}
	return there, nil
}

// List gives all operators, the oldest first. They are few: people who run an installation.
func (s *Service) List(ctx context.Context) ([]Operator, error) { return list(ctx, s.o.DB) }

func list(ctx context.Context, r db.Reader) ([]Operator, error) {
	rows, err := r.Query(ctx, listOperators)
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	defer rows.Close()
	var out []Operator
	for rows.Next() {
		o, err := scanOperator(rows)
		if err != nil {
			return nil, fmt.Errorf("list operators: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// Get gives one.
func (s *Service) Get(ctx context.Context, id ID) (Operator, error) { return get(ctx, s.o.DB, id) }

func get(ctx context.Context, r db.Reader, id ID) (Operator, error) {
	o, err := scanOperator(r.QueryRow(ctx, operatorByID, string(id)))
	if errors.Is(err, db.ErrNoRows) {
		return o, NotFound(id)
	}
	return o, err
}

// ByEmail gives the one with this address; false where there is none.
func (s *Service) ByEmail(ctx context.Context, email string) (Operator, bool, error) {
	return byEmail(ctx, s.o.DB, email)
}

func byEmail(ctx context.Context, r db.Reader, email string) (Operator, bool, error) {
	_, key, err := readEmail(email)
	if err != nil {
		return Operator{}, false, err
	}
	o, err := scanOperator(r.QueryRow(ctx, operatorByEmail, key))
	if errors.Is(err, db.ErrNoRows) {
		return Operator{}, false, nil
	}
	return o, err == nil, err
}

func scanOperator(row db.Row) (o Operator, err error) {
	var created int64
	var last *int64
	err = row.Scan(&o.ID, &o.Email, &o.Name, &o.Role, &created, &last, &o.Passkeys)
	o.CreatedAt, o.LastSignInAt = db.Time(created), db.TimeOrZero(last)
	return o, err
}

// New is somebody who is to become an operator.
type New struct {
	Email string
	Name  string // may be ""
	Role  Role
}

// Lengths in characters.
const (
	longestName  = 100
	longestEmail = 254
)

// readEmail takes what people write as an address; nothing is sent to it but mails. key is what tells two apart.
func readEmail(text string) (email, key string, err error) {
	email = strings.TrimSpace(text)
	local, host, found := strings.Cut(email, "@")
	wrong := !found || local == "" || !strings.Contains(host, ".") && host != "localhost" || len(email) > longestEmail || strings.Contains(host, "@") || hasStrange(email, true)
	if wrong {
		return "", "", fault.New(fault.Unprocessable, "invalid_email", "%q is no email address such as ann@example.com.", fmt.Sprintf("%.80s", email)).On("email")
	}
	return email, strings.ToLower(email), nil
}

// hasStrange finds what can be seen by nobody, and spaces where none may be.
func hasStrange(text string, noSpace bool) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsPrint(r) || noSpace && unicode.IsSpace(r)
	})
}

func readName(text string) (string, error) {
	name := strings.TrimSpace(text)
	if utf8.RuneCountInString(name) > longestName || hasStrange(name, false) {
		return "", fault.New(fault.Unprocessable, "invalid_name", "A name has at most %d characters, all of which can be seen.", longestName).On("name")
	}
	return name, nil
}

func (r Role) check() error {
	if r.rank() == 0 {
		return fault.New(fault.Unprocessable, "invalid_role", "%q is no role: there are owner, admin and read_only.", fmt.Sprintf("%.40s", string(r))).On("role")
	}
	return nil
}

// hold keeps everybody else who counts operators waiting until the transaction ends.
func hold(ctx context.Context, tx db.Tx) error {
	_, err := tx.Exec(ctx, holdGate)
	return err
}

// createTx makes an operator. The gate is held.
func (s *Service) createTx(ctx context.Context, tx db.Tx, at time.Time, n New) (Operator, error) {
	email, key, err := readEmail(n.Email)
	if err != nil {
		return Operator{}, err
	}
	name, err := readName(n.Name)
	if err != nil {
		return Operator{}, err
	}
	if err := n.Role.check(); err != nil {
		return Operator{}, err
	}
	switch _, taken, err := byEmail(ctx, tx, email); {
	case err != nil:
		return Operator{}, err
	case taken:
		return Operator{}, fault.New(fault.Conflict, "operator_exists", "%s is an operator already.", email).On("email")
	}
	o := Operator{ID: ID(s.o.IDs.NewID(Prefix)), Email: email, Name: name, Role: n.Role, CreatedAt: at}
	if _, err := tx.Exec(ctx, insertOperator, string(o.ID), o.Email, key, o.Name, string(o.Role), at.UnixMicro()); err != nil {
		return Operator{}, err
	}
	return o, nil
}

// audit notes a change of an operator, or of something that is theirs.
func (s *Service) audit(ctx context.Context, tx db.Tx, at time.Time, actor event.Actor, action event.Action, target string, before, after event.Settings) error {
	return s.o.Events.AuditTx(ctx, tx, at, event.Change{
		Action: action, Target: target, Cause: event.Context{Actor: actor}, Before: before, After: after,
	})
}

// Change changes what is not nil.
type Change struct {
	Name *string
	Role *Role
}

// Update changes an operator. The last owner stays one: else it is a Conflict "last_owner".
func (s *Service) Update(ctx context.Context, id ID, c Change) (o Operator, err error) {
	at := s.now()
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := hold(ctx, tx); err != nil {
			return err
		}
		before, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		if o, err = before.with(c); err != nil {
			return err
		}
		if before.Role == Owner && o.Role != Owner {
			if err := anotherOwner(ctx, tx, id); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, updateOperator, string(id), o.Name, string(o.Role), at.UnixMicro()); err != nil {
			return err
		}
		return s.audit(ctx, tx, at, event.Asking(ctx), "operator.updated", string(id), before.settings(), o.settings())
	})
	if err != nil {
		return Operator{}, fmt.Errorf("update operator %s: %w", id, err)
	}
	return o, nil
}

func (o Operator) with(c Change) (Operator, error) {
	if c.Name != nil {
		name, err := readName(*c.Name)
		if err != nil {
			return o, err
		}
		o.Name = name
	}
	if c.Role != nil {
		if err := c.Role.check(); err != nil {
			return o, err
		}
		o.Role = *c.Role
	}
	return o, nil
}

// anotherOwner refuses where the one who is to be no owner any more is the only one. The gate is held.
func anotherOwner(ctx context.Context, tx db.Tx, id ID) error {
	var others int64
	if err := tx.QueryRow(ctx, countOwners, string(id)).Scan(&others); err != nil {
		return err
	}
	if others == 0 {
		return fault.New(fault.Conflict, "last_owner", "This is the only owner. Make somebody else an owner first.")
	}
	return nil
}

// Remove removes an operator, with their sessions, links and passkeys. The last owner stays: else it is a Conflict "last_owner".
func (s *Service) Remove(ctx context.Context, id ID) error {
	at := s.now()
	err := s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := hold(ctx, tx); err != nil {
			return err
		}
		o, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		if o.Role == Owner {
			if err := anotherOwner(ctx, tx, id); err != nil {
				return err
			}
		}
		for _, text := range []string{removeOperator, endSessions} {
			if _, err := tx.Exec(ctx, text, string(id), at.UnixMicro()); err != nil {
				return err
			}
		}
		for _, text := range []string{endLinks, deletePasskeys} {
			if _, err := tx.Exec(ctx, text, string(id)); err != nil {
				return err
			}
		}
		return s.audit(ctx, tx, at, event.Asking(ctx), "operator.removed", string(id), o.settings(), nil)
	})
	if err != nil {
		return fmt.Errorf("remove operator %s: %w", id, err)
	}
	return nil
}
