package org

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// ID is an organization's id, "org_…".
type ID string

// Organization is a customer of the app.
type Organization struct {
	ID         ID
	Name       string
	ExternalID string // the app's own id for it; "" if none
	Metadata   map[string]string
	Domains    []Domain
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// DomainState says how far the proof of a domain is.
type DomainState string

// The states that a domain is created in.
const (
	Pending  DomainState = "pending"
	Verified DomainState = "verified"
)

// Strategy is how a domain is verified.
type Strategy string

// The strategies. Manual: the operator vouched for it.
const (
	DNS    Strategy = "dns"
	Manual Strategy = "manual"
)

// Domain is an organization domain.
type Domain struct {
	ID                string
	OrganizationID    ID
	Domain            string
	State             DomainState
	Strategy          Strategy
	VerificationToken string // published in DNS, so not a secret
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// New is what an organization is made of.
type New struct {
	Name       string
	ExternalID string
	Metadata   map[string]string
	Domains    []NewDomain
}

// NewDomain is a domain given with a new organization.
type NewDomain struct {
	Domain string
	State  DomainState
}

// Limits of the compatible API's contract.
const (
	maxName          = 255
	maxExternalID    = 128
	maxMetadata      = 50
	maxMetadataKey   = 40
	maxMetadataValue = 600
)

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)

func (n *New) check() error {
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case n.Name == "":
		return fault.New(fault.Unprocessable, "required", "The organization needs a name.").On("name")
	case utf8.RuneCountInString(n.Name) > maxName:
		return fault.New(fault.Unprocessable, "too_long", "The name is longer than %d characters.", maxName).On("name")
	case len(n.ExternalID) > maxExternalID || !ascii(n.ExternalID):
		return fault.New(fault.Unprocessable, "invalid", "The external id has to be at most %d ASCII characters.", maxExternalID).On("external_id")
	}
	if err := checkMetadata(n.Metadata); err != nil {
		return err
	}
	return n.checkDomains()
}

func (n *New) checkDomains() error {
	seen := map[string]bool{}
	for i := range n.Domains {
		d := &n.Domains[i]
		d.Domain = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(d.Domain), "."))
		if len(d.Domain) > 253 || !domainForm.MatchString(d.Domain) {
			return fault.New(fault.Unprocessable, "invalid_domain", "%.80q is not a domain name such as example.com.", d.Domain).On("domains")
		}
		if d.State != Pending && d.State != Verified {
			return fault.New(fault.Unprocessable, "invalid_state", "The state of %s has to be pending or verified.", d.Domain).On("domain_data")
		}
		if seen[d.Domain] {
			return fault.New(fault.Unprocessable, "duplicate_domain", "%s is given twice.", d.Domain).On("domains")
		}
		seen[d.Domain] = true
	}
	return nil
}

func checkMetadata(m map[string]string) error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "invalid_metadata", format, args...).On("metadata")
	}
	if len(m) > maxMetadata {
		return wrong("Metadata holds at most %d keys; these are %d.", maxMetadata, len(m))
	}
	for k, v := range m {
		if k == "" || utf8.RuneCountInString(k) > maxMetadataKey {
			return wrong("A metadata key has 1 to %d characters; %.60q has not.", maxMetadataKey, k)
		}
		if utf8.RuneCountInString(v) > maxMetadataValue {
			return wrong("The metadata value of %q is longer than %d characters.", k, maxMetadataValue)
		}
		if strings.ContainsRune(k+v, 0) {
			return wrong("The metadata of %.60q holds the character U+0000, which cannot be stored.", k)
		}
	}
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] == 0 || s[i] > 0x7f {
			return false
		}
	}
	return true
}

// Time is how the API writes times: RFC 3339 in UTC with milliseconds.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Payload is the organization as API and events show it.
func (o Organization) Payload() []byte {
	domains := make([]domainPayload, len(o.Domains))
	for i, d := range o.Domains {
		domains[i] = d.payload()
	}
	metadata := o.Metadata
	if metadata == nil {
		metadata = map[string]string{}
	}
	var external *string
	if o.ExternalID != "" {
		external = &o.ExternalID
	}
	return encode(struct {
		Object     string            `json:"object"`
		ID         ID                `json:"id"`
		Name       string            `json:"name"`
		Outside    bool              `json:"allow_profiles_outside_organization"`
		Domains    []domainPayload   `json:"domains"`
		Metadata   map[string]string `json:"metadata"`
		ExternalID *string           `json:"external_id"`
		CreatedAt  string            `json:"created_at"`
		UpdatedAt  string            `json:"updated_at"`
	}{"organization", o.ID, o.Name, false, domains, metadata, external, Time(o.CreatedAt), Time(o.UpdatedAt)})
}

type domainPayload struct {
	Object         string      `json:"object"`
	ID             string      `json:"id"`
	OrganizationID ID          `json:"organization_id"`
	Domain         string      `json:"domain"`
	State          DomainState `json:"state"`
	Prefix         string      `json:"verification_prefix"`
	Token          string      `json:"verification_token"`
	Strategy       Strategy    `json:"verification_strategy"`
	CreatedAt      string      `json:"created_at"`
	UpdatedAt      string      `json:"updated_at"`
}

// verificationPrefix is the label of the TXT record that proves a domain.
const verificationPrefix = "rollcall-domain-verification"

func (d Domain) payload() domainPayload {
	return domainPayload{
		"organization_domain", d.ID, d.OrganizationID, d.Domain, d.State, verificationPrefix, d.VerificationToken, d.Strategy,
		Time(d.CreatedAt), Time(d.UpdatedAt),
	}
}

// Payload is the domain as API and events show it.
func (d Domain) Payload() []byte { return encode(d.payload()) }
