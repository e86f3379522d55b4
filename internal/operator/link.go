package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// NewSecret makes the secret of a link, for who makes it and has it stored by somebody else.
func NewSecret() token.Secret { return token.NewSecret(linkPrefix) }

// DeadLink is the refusal for a link that opens nothing: unknown, used and expired ones alike.
func DeadLink() error {
	return fault.New(fault.NotFound, "link_not_valid", "This link is not valid: it was used, its time has passed, or part of it is missing.")
}

// First makes the link by which the first operator comes in; false where there is one already.
func (s *Service) First(ctx context.Context) (token.Secret, bool, error) {
	there, err := s.Any(ctx)
	if err != nil || there {
		return "", false, err
	}
	secret := NewSecret()
	return secret, true, s.StoreFirst(ctx, token.HashOf(secret), FirstLinkLife)
}

// StoreFirst stores the hash of a link for the first operator. It is worth nothing once there is one.
func (s *Service) StoreFirst(ctx context.Context, hash token.Hash, life time.Duration) error {
	at := s.now()
	err := s.o.DB.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, insertLink, string(hash), nil, at.UnixMicro(), at.Add(life).UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("store the link for the first operator: %w", err)
	}
	return nil
}

// Link stores the hash of a link that signs an operator in.
func (s *Service) Link(ctx context.Context, id ID, hash token.Hash, life time.Duration) error {
	at := s.now()
	err := s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if _, err := get(ctx, tx, id); err != nil {
			return err
		}
		return s.linkTx(ctx, tx, at, id, hash, life)
	})
	if err != nil {
		return fmt.Errorf("make a link for operator %s: %w", id, err)
	}
	return nil
}

func (s *Service) linkTx(ctx context.Context, tx db.Tx, at time.Time, id ID, hash token.Hash, life time.Duration) error {
	expires := at.Add(life)
	if _, err := tx.Exec(ctx, insertLink, string(hash), string(id), at.UnixMicro(), expires.UnixMicro()); err != nil {
		return err
	}
	return s.audit(ctx, tx, at, event.Asking(ctx), "operator_link.created", string(id), nil, event.Settings{"expires_at": expires.Format(time.RFC3339)})
}

// Invite makes an operator and stores the hash of a link for them. Who is one already is a Conflict "operator_exists".
func (s *Service) Invite(ctx context.Context, n New, hash token.Hash, life time.Duration) (o Operator, err error) {
	at := s.now()
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := hold(ctx, tx); err != nil {
			return err
		}
		if o, err = s.createTx(ctx, tx, at, n); err != nil {
			return err
		}
		if err := s.audit(ctx, tx, at, event.Asking(ctx), "operator.created", string(o.ID), nil, o.settings()); err != nil {
			return err
		}
		return s.linkTx(ctx, tx, at, o.ID, hash, life)
	})
	if err != nil {
		return Operator{}, fmt.Errorf("make an operator: %w", err)
	}
	return o, nil
}

// Open tells what a link opens, and uses nothing: programs that look into messages open links too. It refuses with DeadLink.
func (s *Service) Open(ctx context.Context, secret token.Secret) (Opening, error) {
	return s.open(ctx, s.o.DB, secret, s.now())
}

func (s *Service) open(ctx context.Context, r db.Reader, secret token.Secret, at time.Time) (Opening, error) {
	if !token.WellFormed(secret, linkPrefix) {
		return Opening{}, DeadLink()
	}
	var id *string
	err := r.QueryRow(ctx, selectLink, string(token.HashOf(secret)), at.UnixMicro()).Scan(&id)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return Opening{}, DeadLink()
	case err != nil:
		return Opening{}, fmt.Errorf("look up a link: %w", err)
	case id == nil:
		return Opening{First: true}, nil
	}
	o, err := get(ctx, r, ID(*id))
	return Opening{Operator: o}, err
}

// Redeem uses a link and signs in. Who is the first operator says who they are by first; it counts for no other link. It refuses with DeadLink.
func (s *Service) Redeem(ctx context.Context, secret token.Secret, first New, from Visitor) (in SignedIn, err error) {
	at := s.now()
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := hold(ctx, tx); err != nil {
			return err
		}
		opening, err := s.open(ctx, tx, secret, at)
		if err != nil {
			return err
		}
		used, err := tx.Exec(ctx, useLink, string(token.HashOf(secret)), at.UnixMicro())
		if err != nil {
			return err
		}
		if used != 1 {
			return DeadLink()
		}
		o := opening.Operator
		if opening.First {
			if o, err = s.firstTx(ctx, tx, at, first); err != nil {
				return err
			}
		}
		in, err = s.signInTx(ctx, tx, at, o, ByLink, from)
		return err
	})
	if err != nil {
		return SignedIn{}, fmt.Errorf("redeem a link: %w", err)
	}
	return in, nil
}

// firstTx makes the first operator, an owner, and ends what other starts have printed.
func (s *Service) firstTx(ctx context.Context, tx db.Tx, at time.Time, n New) (Operator, error) {
	n.Role = Owner
	o, err := s.createTx(ctx, tx, at, n)
	if err != nil {
		return o, err
	}
	if _, err := tx.Exec(ctx, endFirstLinks); err != nil {
		return o, err
	}
	return o, s.audit(ctx, tx, at, o.Actor(), "operator.created", string(o.ID), nil, o.settings())
}

// Asked is what LinkFor has made a link for.
type Asked struct {
	First    bool     // nobody yet: the first operator
	Made     bool     // the operator was made along with it
	Operator Operator // zero with First
}

// LinkFor stores the hash of a link for whoever the command line names. Without an address that is the only operator there is, or the first to come.
// An address that is new becomes an operator, with the role of n: an admin where none is said, the owner where there is nobody yet.
func (s *Service) LinkFor(ctx context.Context, n New, hash token.Hash, life time.Duration) (asked Asked, err error) {
	at := s.now()
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := hold(ctx, tx); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, anyOperator).Scan(&there); err != nil {
			return err
		}
		if n.Email == "" && !there {
			asked = Asked{First: true}
			_, err := tx.Exec(ctx, insertLink, string(hash), nil, at.UnixMicro(), at.Add(life).UnixMicro())
			return err
		}
		if asked, err = s.namedTx(ctx, tx, at, n, there); err != nil {
			return err
		}
		return s.linkTx(ctx, tx, at, asked.Operator.ID, hash, life)
	})
	if err != nil {
		return Asked{}, fmt.Errorf("make a link: %w", err)
	}
	return asked, nil
}

// namedTx finds or makes the operator that is meant.
func (s *Service) namedTx(ctx context.Context, tx db.Tx, at time.Time, n New, there bool) (Asked, error) {
	o, known, err := onlyOne(ctx, tx, n.Email)
	switch {
	case err != nil:
		return Asked{}, err
	case known && n.Role != "" && n.Role != o.Role:
		return Asked{}, fault.New(fault.Conflict, "operator_exists", "%s is an operator already, with the role %s. An owner changes roles in the dashboard; leave --role out for a link.", o.Email, o.Role).On("role")
	case known:
		return Asked{Operator: o}, nil
	}
	if n.Role == "" {
		n.Role = Admin
	}
	if !there && n.Role != Owner {
		n.Role = Owner // somebody has to be
	}
	if o, err = s.createTx(ctx, tx, at, n); err != nil {
		return Asked{}, err
	}
	return Asked{Made: true, Operator: o}, s.audit(ctx, tx, at, event.Asking(ctx), "operator.created", string(o.ID), nil, o.settings())
}

// onlyOne finds an operator by the address, or the only one where none is given.
func onlyOne(ctx context.Context, tx db.Tx, email string) (Operator, bool, error) {
	if email != "" {
		return byEmail(ctx, tx, email)
	}
	all, err := list(ctx, tx)
	switch {
	case err != nil:
		return Operator{}, false, err
	case len(all) == 1:
		return all[0], true, nil
	}
	return Operator{}, false, fault.New(fault.Unprocessable, "email_required", "There are %d operators. Say by --email for whom the link is.", len(all)).On("email")
}
