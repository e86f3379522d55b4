package idp

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Slug names a provider: its folder in the catalogue, stored beside directories and connections.
type Slug string

// Protocol is one way a provider can be connected.
type Protocol string

// The protocols a provider can speak towards Rollcall. SCIM means that it acts
// as a SCIM 2.0 client; a provider that is only a SCIM server does not list it.
const (
	SAML Protocol = "saml"
	OIDC Protocol = "oidc"
	SCIM Protocol = "scim"
)

// DirectoryType is the kind of a directory as the public API spells it.
type DirectoryType string

// The directory types that can be created: those the identity provider pushes into by SCIM.
const (
	TypeAzure        DirectoryType = "azure scim v2.0"
	TypeCyberArk     DirectoryType = "cyberark scim v2.0"
	TypeGeneric      DirectoryType = "generic scim v2.0"
	TypeJumpCloud    DirectoryType = "jump cloud scim v2.0"
	TypeOkta         DirectoryType = "okta scim v2.0"
	TypeOneLogin     DirectoryType = "onelogin scim v2.0"
	TypePingFederate DirectoryType = "pingfederate scim v2.0"
	TypeRippling     DirectoryType = "rippling scim v2.0"
	TypeSailPoint    DirectoryType = "sailpoint scim v2.0"
)

// DirectoryTypes lists every directory type that can be created, in alphabetical order.
func DirectoryTypes() []DirectoryType {
	return []DirectoryType{
		TypeAzure, TypeCyberArk, TypeGeneric, TypeJumpCloud, TypeOkta,
		TypeOneLogin, TypePingFederate, TypeRippling, TypeSailPoint,
	}
}

// Quirk names behaviour that suits one provider and would be wrong with another.
type Quirk string

// QuirkEncodedFilterValue says that the literal of an eq filter may be percent-encoded
// once more inside the already decoded query. A filter that matches nobody as
// written, and whose literal holds a valid %XX, is tried once with the literal
// percent-decoded ("+" stays a plus sign). Elsewhere somebody may really have
// "%41" in a user name.
const QuirkEncodedFilterValue Quirk = "encoded-filter-value"

// Quirks lists every known quirk; an idp.json that names another one is refused.
func Quirks() []Quirk {
	return []Quirk{QuirkEncodedFilterValue}
}

// Claim is something a sign-in asserts about a person, in Rollcall's word for it.
type Claim string

// The claims whose names at the provider the catalogue knows.
const (
	ClaimID          Claim = "id" // stable identifier, the best key to join by
	ClaimEmail       Claim = "email"
	ClaimFirstName   Claim = "first_name"
	ClaimLastName    Claim = "last_name"
	ClaimDisplayName Claim = "display_name"
	ClaimGroups      Claim = "groups"
	ClaimRoles       Claim = "roles" // of the application, as some providers keep them beside groups
)

func knownClaims() []Claim {
	return []Claim{ClaimID, ClaimEmail, ClaimFirstName, ClaimLastName, ClaimDisplayName, ClaimGroups, ClaimRoles}
}

// Provider is what the catalogue knows about one identity provider. Values come
// from a checked catalogue and are shared: read, never change them.
type Provider struct {
	Slug      Slug       `json:"-"`
	Name      string     `json:"name"`
	Protocols []Protocol `json:"protocols"`

	// DirectoryTypes are the types a directory of this provider may have; empty without SCIM.
	DirectoryTypes []DirectoryType `json:"directory_types,omitempty"`

	// StandsFor is the type that means this provider when nobody names one. Every
	// type has exactly one provider standing for it.
	StandsFor DirectoryType `json:"stands_for,omitempty"`

	// WithoutSCIM says, in a sentence for an IT admin, why there is no directory
	// sync by SCIM and what to do instead. Set exactly when SCIM is not a protocol.
	WithoutSCIM string `json:"without_scim,omitempty"`

	// ConnectionTypes has the type of a connection for each protocol of signing in.
	// Providers without a type of their own share GenericSAML and GenericOIDC.
	ConnectionTypes map[Protocol]ConnectionType `json:"connection_types,omitempty"`

	// StandsForConnections are the generic types that mean this provider when nobody
	// names one. A type of its own always means its one provider.
	StandsForConnections []ConnectionType `json:"stands_for_connections,omitempty"`

	// NameIDFormat is what the provider sends once it is set up as its guide says;
	// empty where that is not known. It is a suggestion for people: a request that
	// names a format the provider was not set up for is refused by some
	// (InvalidNameIDPolicy), so by default requests name none.
	NameIDFormat NameIDFormat `json:"nameid_format,omitempty"`

	// Claims are the attribute or claim names to look for, best first. Set for
	// every protocol of signing in.
	Claims map[Protocol]map[Claim][]string `json:"claims,omitempty"`

	// Unverified names what rests on hearsay and not on the vendor's own words or a
	// real sign-in: "nameid_format" or "claims.saml.groups".
	Unverified []string `json:"unverified,omitempty"`

	// RoundMinutes is how long the provider waits from one round of sending to the next; 0 where it sends changes as they happen.
	RoundMinutes int `json:"round_minutes,omitempty"`

	// Rank is the provider's place among the most used, from 1; 0 where it is not among them. Lists show those first.
	Rank int `json:"rank,omitempty"`

	// TestOnly marks the test identity provider of the demo, which lets anybody in as anybody. No other catalogue than that of
	// [LoadForDemo] has one.
	TestOnly bool `json:"test_only,omitempty"`

	// SendAgain says, in a sentence for an IT admin, how to have the provider send somebody who is assigned and has not arrived. Set exactly
	// when SCIM is a protocol.
	SendAgain string `json:"send_again,omitempty"`

	// PushesApart: the group that gives people the application must not be pushed as well. Who leaves such a group is not taken out of it.
	PushesApart bool `json:"pushes_apart,omitempty"`

	// NeverSends are attributes that cannot come by SCIM, whatever is mapped.
	NeverSends []Attribute `json:"never_sends,omitempty"`

	Quirks    []Quirk `json:"quirks,omitempty"`
	Recognise Signs   `json:"recognise,omitzero"`
	Stories   []Story `json:"-"` // only with LoadWithTraffic

	// Letters stand on the logo where the first letters of the name would mislead; logogen reads them.
	Letters string `json:"letters,omitempty"`

	// Logo is an SVG image, 64 by 64, that may stand in a page as it is.
	Logo string `json:"-"`

	// Guides tell an IT admin how to connect the provider by each protocol.
	Guides map[Protocol]Guide `json:"-"`

	// Dialect is how its SCIM client talks; nil where nobody has written it down.
	Dialect *Dialect `json:"-"`
}

// Signs are how a provider's SCIM traffic is told from another's. Providers that
// send nothing of their own have none; guessing would be worse than not knowing.
type Signs struct {
	// UserAgents are parts of the User-Agent header, letter case ignored.
	UserAgents []string `json:"user_agents,omitempty"`
	// ExactUserAgents are whole User-Agent values, for those too plain to search for.
	ExactUserAgents []string `json:"exact_user_agents,omitempty"`
	// QueryFlags are names of query parameters, letter case ignored.
	QueryFlags []string `json:"query_flags,omitempty"`
	// Headers are names of headers that only this provider sends.
	Headers []string `json:"headers,omitempty"`
}

// Speaks tells whether the provider can be connected by p.
func (p Provider) Speaks(protocol Protocol) bool { return slices.Contains(p.Protocols, protocol) }

// Has tells whether the quirk is on for this provider.
func (p Provider) Has(q Quirk) bool { return slices.Contains(p.Quirks, q) }

func (s Signs) match(userAgent string, query url.Values, header http.Header) bool {
	return s.inQuery(query) || s.inHeader(header) || s.inUserAgent(userAgent)
}

func (s Signs) inQuery(query url.Values) bool {
	for name := range query {
		if slices.ContainsFunc(s.QueryFlags, func(flag string) bool { return strings.EqualFold(flag, name) }) {
			return true
		}
	}
	return false
}

func (s Signs) inHeader(header http.Header) bool {
	return slices.ContainsFunc(s.Headers, func(name string) bool { return header.Get(name) != "" })
}

func (s Signs) inUserAgent(userAgent string) bool {
	folded := strings.ToLower(userAgent)
	if slices.ContainsFunc(s.UserAgents, func(part string) bool { return strings.Contains(folded, strings.ToLower(part)) }) {
		return true
	}
	return slices.Contains(s.ExactUserAgents, userAgent)
}

// all lists the signs with their kind, so that two providers claiming one can be named.
func (s Signs) all() []string {
	var signs []string
	for kind, values := range map[string][]string{
		"user agent": append(slices.Clone(s.UserAgents), s.ExactUserAgents...), "query flag": s.QueryFlags, "header": s.Headers,
	} {
		for _, value := range values {
			signs = append(signs, kind+" "+strings.ToLower(value))
		}
	}
	slices.Sort(signs)
	return signs
}

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// check says the first thing that is wrong with what an idp.json declares.
func (p Provider) check() error {
	if !slugForm.MatchString(string(p.Slug)) {
		return fmt.Errorf("folder name %q: want lower-case letters, digits and single hyphens", p.Slug)
	}
	if strings.TrimSpace(p.Name) == "" {
		return fmt.Errorf("name is missing")
	}
	for _, problem := range []error{p.checkProtocols(), p.checkTypes(), p.checkClaims(), p.checkConnections(), p.checkUnverified(), p.checkQuirks(), p.checkSigns(), p.checkSending()} {
		if problem != nil {
			return problem
		}
	}
	return nil
}

func (p Provider) checkProtocols() error {
	if err := closed("protocols", p.Protocols, []Protocol{SAML, OIDC, SCIM}); err != nil {
		return err
	}
	if len(p.Protocols) == 0 {
		return fmt.Errorf("protocols is empty: want at least one of saml, oidc, scim")
	}
	if p.Speaks(SCIM) == (p.WithoutSCIM != "") {
		return fmt.Errorf("without_scim must be set exactly when protocols lacks scim")
	}
	return nil
}

func (p Provider) checkTypes() error {
	if err := closed("directory_types", p.DirectoryTypes, DirectoryTypes()); err != nil {
		return err
	}
	if p.Speaks(SCIM) != (len(p.DirectoryTypes) > 0) {
		return fmt.Errorf("directory_types must be set exactly when protocols has scim")
	}
	if p.StandsFor != "" && !slices.Contains(p.DirectoryTypes, p.StandsFor) {
		return fmt.Errorf("stands_for %q is not among directory_types", p.StandsFor)
	}
	return nil
}

func (p Provider) checkClaims() error {
	for protocol, claims := range p.Claims {
		if protocol == SCIM || !p.Speaks(protocol) {
			return fmt.Errorf("claims has %q: want saml or oidc, and only those in protocols", protocol)
		}
		for claim, names := range claims {
			if !slices.Contains(knownClaims(), claim) {
				return fmt.Errorf("claims.%s has %q: want one of %v", protocol, claim, knownClaims())
			}
			if len(names) == 0 || slices.Contains(names, "") {
				return fmt.Errorf("claims.%s.%s: want at least one name, none of them empty", protocol, claim)
			}
		}
	}
	return nil
}

func (p Provider) checkQuirks() error {
	const day = 24 * 60
	if p.Rank < 0 {
		return fmt.Errorf("rank is %d: want a place from 1, or none", p.Rank)
	}
	if p.RoundMinutes != 0 && (!p.Speaks(SCIM) || p.RoundMinutes < 1 || p.RoundMinutes > day) {
		return fmt.Errorf("round_minutes is %d: want 1 to %d, and scim in protocols", p.RoundMinutes, day)
	}
	if len(p.Quirks) > 0 && !p.Speaks(SCIM) {
		return fmt.Errorf("quirks without scim in protocols have nothing to act on")
	}
	return closed("quirks", p.Quirks, Quirks())
}

func (p Provider) checkSigns() error {
	signs := p.Recognise.all()
	if len(signs) > 0 && !p.Speaks(SCIM) {
		return fmt.Errorf("recognise without scim in protocols: there is no traffic to recognise")
	}
	for _, sign := range signs {
		if strings.HasSuffix(sign, " ") {
			return fmt.Errorf("recognise has an empty sign, which everybody's traffic would show")
		}
	}
	return nil
}

// closed refuses values outside a closed list and values given twice.
func closed[T ~string](field string, values, known []T) error {
	for i, value := range values {
		if !slices.Contains(known, value) {
			return fmt.Errorf("%s has %q: want one of %q", field, value, known)
		}
		if slices.Contains(values[:i], value) {
			return fmt.Errorf("%s has %q twice", field, value)
		}
	}
	return nil
}
