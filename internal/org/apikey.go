package org

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// PermissionSCIM makes an API key good for the directories of its organization, as a directory's token is for that one.
const PermissionSCIM = "scim"

// APIKey is a key of an organization, without its value: that is shown once, and only its hash is kept.
type APIKey struct {
	ID             string // "api_key_…"
	OrganizationID string
	Name           string
	Hint           string // the last four characters of the value
	Permissions    []string
	CreatedAt      time.Time
	UpdatedAt      time.Time
	LastUsedAt     time.Time // to the minute; zero: never
	ExpiresAt      time.Time // zero: never
}

// May says whether the key has a permission. It says nothing about whether the key is still good.
func (k APIKey) May(permission string) bool { return slices.Contains(k.Permissions, permission) }

// Expired says whether the key is over at a moment. Who remembers a key has to ask again each time it is used.
func (k APIKey) Expired(now time.Time) bool { return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) }

// NewAPIKey is what an API key is made of.
type NewAPIKey struct {
	Name        string
	Permissions []string
	ExpiresAt   time.Time // zero: never
}

// Limits of API keys; the contract names none.
const (
	maxKeys        = 1_000 // of one organization
	maxPermissions = 100   // of one key
)

var permissionForm = regexp.MustCompile(`^[A-Za-z0-9*][A-Za-z0-9:._*/-]{0,99}$`)

func (n *NewAPIKey) check(now time.Time) error {
	wrong := func(field, code, format string, args ...any) error {
		return fault.New(fault.Unprocessable, code, format, args...).On(field)
	}
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case n.Name == "":
		return wrong("name", "required", "The API key needs a name.")
	case utf8.RuneCountInString(n.Name) > maxName || strings.ContainsRune(n.Name, 0):
		return wrong("name", "too_long", "The name has at most %d characters, none of them U+0000.", maxName)
	case len(n.Permissions) > maxPermissions:
		return wrong("permissions", "too_many", "An API key has at most %d permissions; these are %d.", maxPermissions, len(n.Permissions))
	case !n.ExpiresAt.IsZero() && !n.ExpiresAt.After(now):
		return wrong("expires_at", "invalid_date", "expires_at lies in the past. Leave it out for a key that does not expire.")
	}
	permissions := []string{}
	for _, p := range n.Permissions {
		if !permissionForm.MatchString(p) {
			return wrong("permissions", "invalid_permission",
				"A permission has 1 to 100 letters, digits and the characters : . _ * / -, and begins with a letter, a digit or *; %.60q does not.", p)
		}
		if !slices.Contains(permissions, p) {
			permissions = append(permissions, p)
		}
	}
	n.Permissions = permissions
	return nil
}

type ownerPayload struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type apiKeyPayload struct {
	Object      string       `json:"object"`
	ID          string       `json:"id"`
	Owner       ownerPayload `json:"owner"`
	Name        string       `json:"name"`
	Obfuscated  string       `json:"obfuscated_value"`
	LastUsedAt  *string      `json:"last_used_at"`
	ExpiresAt   *string      `json:"expires_at"`
	Permissions []string     `json:"permissions"`
	CreatedAt   string       `json:"created_at"`
	UpdatedAt   string       `json:"updated_at"`

	Value    string          `json:"value,omitempty"`
	Previous *previousExpiry `json:"previous_attributes,omitempty"`
}

type previousExpiry struct {
	ExpiresAt *string `json:"expires_at"`
}

func (k APIKey) payload() apiKeyPayload {
	return apiKeyPayload{
		Object: "api_key", ID: k.ID, Owner: ownerPayload{"organization", k.OrganizationID}, Name: k.Name, Obfuscated: "sk_..." + k.Hint,
		LastUsedAt: optionalTime(k.LastUsedAt), ExpiresAt: optionalTime(k.ExpiresAt), Permissions: k.Permissions,
		CreatedAt: Time(k.CreatedAt), UpdatedAt: Time(k.UpdatedAt),
	}
}

// Payload is the key as API and events show it.
func (k APIKey) Payload() []byte { return encode(k.payload()) }

// PayloadWithValue is the key with its value, for the one answer that shows it.
func (k APIKey) PayloadWithValue(value token.Secret) []byte {
	p := k.payload()
	p.Value = value.Reveal()
	return encode(p)
}

// changed is the key as the event shows it that tells of its new expiry.
func (k APIKey) changed(before time.Time) []byte {
	p := k.payload()
	p.Previous = &previousExpiry{optionalTime(before)}
	return encode(p)
}

func optionalTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := Time(t)
	return &text
}
