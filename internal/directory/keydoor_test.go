package directory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// key stores an API key of an organization as the noun does.
func (h *house) key(of org.ID, permissions string, expires any) (id string, secret token.Secret) {
	h.t.Helper()
	secret = token.NewSecret("sk")
	id = "api_key_" + secret.Reveal()[3:20]
	_, err := h.exec(`INSERT INTO api_keys (id, organization_id, name, hash, hint, permissions, created_at, updated_at, expires_at)
		VALUES ($1, $2, 'k', $3, 'x', $4, 1, 1, $5)`, id, string(of), string(token.HashOf(secret)), permissions, expires)
	h.ok(err)
	return id, secret
}

func (h *house) shut(address string, secret token.Secret) {
	h.t.Helper()
	_, err := h.s.Authenticate(ctx, address, secret)
	h.wantFault(err, fault.Unauthorized, "unauthorized")
}

func TestAPI_key_of_the_organization_opens_its_directories(t *testing.T) {
	each(t, func(h *house) {
		h.update(directory.Changes{Label: to("acme")})
		id, secret := h.key(h.org.ID, `["reports","scim"]`, nil)
		_, second := h.key(h.org.ID, `["scim"]`, nil)
		for range 2 {
			for _, address := range []string{"", "acme", h.dir.AddressKey} {
				a, err := h.s.Authenticate(ctx, address, secret)
				h.ok(err)
				if a.Directory.ID != h.dir.ID || string(a.TokenID) != id || a.Model == nil {
					h.t.Errorf("%+v", a)
				}
				other, err := h.s.Authenticate(ctx, address, second)
				h.ok(err)
				if other.TokenID == a.TokenID || string(a.TokenID) != id {
					h.t.Error("one key goes by another's id")
				}
			}
		}
	})
}

func TestAPI_key_that_is_wrong_in_any_way_is_refused_like_a_wrong_token(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		_, good := a.key(a.org.ID, `["scim"]`, nil)
		_, weak := a.key(a.org.ID, `["users"]`, nil)
		_, none := a.key(a.org.ID, `[]`, nil)
		_, old := a.key(a.org.ID, `["scim"]`, time.Now().Add(-time.Second).UnixMicro())
		_, soon := a.key(a.org.ID, `["scim"]`, time.Now().Add(time.Hour).UnixMicro())
		_, err := a.s.Authenticate(ctx, a.dir.AddressKey, soon)
		a.ok(err)
		for _, secret := range []token.Secret{weak, none, old, token.NewSecret("sk"), "sk_", "sk_x"} {
			a.shut("", secret)
			a.shut(a.dir.AddressKey, secret)
		}
		a.shut(b.dir.AddressKey, good)
		b.shut(b.dir.AddressKey, good)
		a.shut("nobody", good)
		if found, err := a.s.Authenticate(ctx, "", good); err != nil || found.Directory.ID != a.dir.ID {
			a.t.Errorf("%v %v", found, err)
		}
	})
}

func TestDeleted_API_key_is_refused_by_every_process_at_once(t *testing.T) {
	each(t, func(h *house) {
		processes := h.processes()
		for range 3 {
			id, secret := h.key(h.org.ID, `["scim"]`, nil)
			for _, s := range processes {
				_, err := s.Authenticate(ctx, "", secret)
				h.ok(err)
			}
			_, err := h.exec("DELETE FROM api_keys WHERE id = $1", id)
			h.ok(err)
			for i, s := range processes {
				if _, err := s.Authenticate(ctx, "", secret); !fault.Is(err, fault.Unauthorized) {
					h.t.Fatalf("process %d still lets the deleted key in: %v", i, err)
				}
			}
		}
	})
}

func TestAPI_key_alone_does_not_decide_between_several_directories(t *testing.T) {
	each(t, func(h *house) {
		id, secret := h.key(h.org.ID, `["scim"]`, nil)
		second, _ := h.directory(directory.New{Name: "Second"})
		_, err := h.s.Authenticate(ctx, "", secret)
		var undecided *directory.UndecidedError
		if !errors.As(err, &undecided) || string(undecided.KeyID) != id || len(undecided.Directories) != 2 || undecided.More ||
			undecided.Directories[0].ID != h.dir.ID || undecided.Directories[1].ID != second.ID {
			h.t.Fatalf("%v %+v", err, undecided)
		}
		for i := range 25 {
			h.directory(directory.New{Name: fmt.Sprint("More ", i)})
		}
		if _, err = h.s.Authenticate(ctx, "", secret); !errors.As(err, &undecided) || len(undecided.Directories) != directory.UndecidedMost || !undecided.More {
			h.t.Errorf("%v", err)
		}
		other := newHouse(h.t, h.db, directory.New{})
		_, theirs := other.key(other.org.ID, `["scim"]`, nil)
		other.ok(other.s.Delete(ctx, actor(), other.dir.ID))
		if _, err = other.s.Authenticate(ctx, "", theirs); !errors.As(err, &undecided) || len(undecided.Directories) != 0 {
			h.t.Errorf("%v", err)
		}
	})
}

func TestAPI_key_ends_with_its_organization_and_with_the_directory(t *testing.T) {
	each(t, func(h *house) {
		_, secret := h.key(h.org.ID, `["scim"]`, nil)
		_, err := h.s.Authenticate(ctx, h.dir.AddressKey, secret)
		h.ok(err)
		h.ok(h.s.Delete(ctx, actor(), h.dir.ID))
		h.shut(h.dir.AddressKey, secret)
		other := newHouse(h.t, h.db, directory.New{})
		_, theirs := other.key(other.org.ID, `["scim"]`, nil)
		_, err = other.exec("UPDATE organizations SET deleted_at = 1 WHERE id = $1", string(other.org.ID))
		other.ok(err)
		other.shut(other.dir.AddressKey, theirs)
	})
}

// features switches an organization's as the noun does.
func (h *house) features(of org.ID, text string) {
	h.t.Helper()
	h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE organizations SET features = $2 WHERE id = $1", string(of), text); err != nil {
			return err
		}
		return h.s.Moved(ctx, tx)
	}))
	h.ok(h.s.Await(ctx))
}

func TestFeature_of_the_organization_is_known_at_every_door(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		_, key := a.key(a.org.ID, `["scim"]`, nil)
		processes := a.processes()
		for _, one := range []struct {
			features string
			off      bool
		}{
			{`{"directory_sync":false}`, true}, {`{"directory_sync":true}`, false}, {`{"sso":false}`, false}, {`{"sso":true,"directory_sync":false}`, true}, {`{}`, false},
		} {
			a.features(a.org.ID, one.features)
			for i, s := range processes {
				for _, secret := range []token.Secret{a.token, key} {
					got, err := s.Authenticate(ctx, a.dir.AddressKey, secret)
					a.ok(err)
					if got.Off != one.off {
						a.t.Fatalf("process %d: off is %v with %s", i, got.Off, one.features)
					}
				}
				theirs, err := s.Authenticate(ctx, "", b.token)
				b.ok(err)
				if theirs.Off {
					b.t.Error("another organization's feature went with it")
				}
			}
		}
	})
}

func TestDirectory_is_made_only_where_the_feature_is_on(t *testing.T) {
	each(t, func(h *house) {
		create := func() error {
			_, _, err := h.s.Create(ctx, actor(), directory.New{OrganizationID: string(h.org.ID), Name: "x", Type: directory.OktaSCIM})
			return err
		}
		h.features(h.org.ID, `{"directory_sync":false}`)
		h.wantFault(create(), fault.Forbidden, "feature_disabled")
		h.features(h.org.ID, `{}`)
		h.ok(create())
		_, err := h.exec("UPDATE organizations SET deleted_at = 1 WHERE id = $1", string(h.org.ID))
		h.ok(err)
		h.wantFault(create(), fault.NotFound, "entity_not_found")
	})
}
