package directory

import (
	"context"
	"fmt"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// APIKeys knows the API keys of organizations. It is asked for every request and its answers are not remembered, so that a key ends
// with its deletion.
type APIKeys interface {
	// AuthenticateAPIKey finds the living key of a secret; ok is false for anything else.
	AuthenticateAPIKey(ctx context.Context, secret token.Secret) (key org.APIKey, ok bool, err error)
}

// isAPIKey looks at the form only: tokens of directories begin otherwise.
func isAPIKey(secret token.Secret) bool { return strings.HasPrefix(string(secret), "sk_") }

// UndecidedError says that an API key was accepted where the credential decides which directory is meant, and that its
// organization has not exactly one. Directories are the oldest of them, at most UndecidedMost.
type UndecidedError struct {
	KeyID       TokenID
	Directories []Directory
	More        bool
}

// UndecidedMost bounds what an UndecidedError lists.
const UndecidedMost = 20

func (e *UndecidedError) Error() string {
	return fmt.Sprintf("API key %s opens %d directories, and the address names none", e.KeyID, len(e.Directories))
}

// openByKey opens the door with an API key. The directory is remembered as for tokens, the key is not.
func (s *Service) openByKey(ctx context.Context, address string, secret token.Secret) (*Access, error) {
	key, ok, err := s.o.APIKeys.AuthenticateAPIKey(ctx, secret)
	if err != nil {
		return nil, err
	}
	if !ok || !key.May(org.PermissionSCIM) || key.OrganizationID == "" {
		return nil, errUnauthorized()
	}
	found, err := s.door.open(ctx, key.OrganizationID+"/"+address, func(ctx context.Context) (*Access, error) {
		return s.ofOrganization(ctx, key, address)
	})
	if err != nil {
		return nil, err
	}
	a := *found
	a.TokenID = TokenID(key.ID)
	return &a, nil
}

// ofOrganization finds the directory of an address, or the only one.
func (s *Service) ofOrganization(ctx context.Context, key org.APIKey, address string) (*Access, error) {
	if address != "" {
		found, err := s.queryDirectories(ctx, selectByItsAddress, key.OrganizationID, address)
		if err != nil {
			return nil, err
		}
		if len(found) != 1 {
			return nil, errUnauthorized()
		}
		return s.access(ctx, found[0], "")
	}
	p := db.Page{Limit: UndecidedMost, Ascending: true}
	p.Arg(key.OrganizationID)
	text, args := p.Statement(selectByOrganization, "id")
	found, err := s.queryDirectories(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		found, more := db.Cut(p, found)
		return nil, &UndecidedError{KeyID: TokenID(key.ID), Directories: found, More: more}
	}
	return s.access(ctx, found[0], "")
}
