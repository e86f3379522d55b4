package org

import (
	"errors"
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

// The states. A domain is created pending, or verified when the operator vouches for it.
const (
	Pending  DomainState = "pending"
	Verified DomainState = "verified"
	Failed   DomainState = "failed"
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

	pendingSince time.Time // zero unless pending, and for domains older than verification
	checkAt      time.Time // when it is looked for in the DNS next; zero unless pending
	lost         bool      // it failed because another organization has it
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
	maxDNSName       = 253
	maxDomains       = 1_000 // of one organization; ours
)

var domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)

func (n *New) check() error {
	n.Name = strings.TrimSpace(n.Name)
	if err := errors.Join(checkName(n.Name), checkExternalID(n.ExternalID)); err != nil {
		return err
	}
	if err := checkMetadata(n.Metadata); err != nil {
		return err
	}
	return checkDomains(n.Domains)
}

func checkName(name string) error {
	switch {
	case name == "":
		return fault.New(fault.Unprocessable, "required", "The organization needs a name.").On("name")
	case utf8.RuneCountInString(name) > maxName:
		return fault.New(fault.Unprocessable, "too_long", "The name is longer than %d characters.", maxName).On("name")
	}
	return nil
}

func checkExternalID(id string) error {
	if len(id) > maxExternalID || !ascii(id) {
		return fault.New(fault.Unprocessable, "invalid", "The external id has to be at most %d ASCII characters.", maxExternalID).On("external_id")
	}
	return nil
}

func checkDomains(domains []NewDomain) error {
	if len(domains) > maxDomains {
		return fault.New(fault.Unprocessable, "too_many", "An organization has at most %d domains; these are %d.", maxDomains, len(domains)).On("domains")
	}
	seen := map[string]bool{}
	for i := range domains {
		d := &domains[i]
		var err error
		if d.Domain, err = parseDomain(d.Domain, "domains"); err != nil {
			return err
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

// parseDomain brings a domain into the form it is kept in: lower case, without a dot at the end. Names in other scripts are taken in
// their ASCII form only, as DNS has them.
func parseDomain(text, field string) (string, error) {
	domain := strings.ToLower(strings.TrimSuffix(strings.TrimSpace(text), "."))
	switch {
	case !ascii(domain):
		return "", fault.New(fault.Unprocessable, "invalid_domain",
			"%.80q has letters outside ASCII. Give the domain as DNS has it, each such part beginning with xn--.", domain).On(field)
	case len(domain) > maxDNSName || !domainForm.MatchString(domain):
		return "", fault.New(fault.Unprocessable, "invalid_domain", "%.80q is not a domain name such as example.com.", domain).On(field)
	}
	return domain, nil
}

// CheckMetadata refuses metadata that cannot be kept, of users too: Invalid "invalid_metadata".
func CheckMetadata(m map[string]string) error { return checkMetadata(m) }

// CheckExternalID refuses an external id that cannot be kept, of users too.
func CheckExternalID(id string) error { return checkExternalID(id) }

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

// failure is what the contract says of a domain whose verification failed.
type failure struct {
	Reason string        `json:"reason"`
	Domain domainPayload `json:"organization_domain"`
}

// failurePayload names no other organization.
func (d Domain) failurePayload() []byte {
	reason := "domain_verification_period_expired"
	if d.lost {
		reason = "domain_verified_by_other_organization"
	}
	return encode(failure{reason, d.payload()})
}
