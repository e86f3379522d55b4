package idp

import (
	"regexp"
	"slices"
	"strings"
)

// Guide tells an IT admin how to connect one provider by one protocol. It is the
// file {protocol}.md of the provider's folder, read and checked by [Load].
type Guide struct {
	Protocol   Protocol
	Title      string // "Okta by SAML"
	Intro      []Block
	Steps      []GuideStep // in order; at least one
	GoodToKnow []Block
	Trouble    []Trouble // at least two
}

// GuideStep is what is done on one screen of the provider.
type GuideStep struct {
	Title  string // imperative, plain text
	Slug   string // of the title, for addresses: unique within the guide
	Blocks []Block
}

// BlockKind is what a block is for, and so which of its members are set.
type BlockKind string

// The kinds of blocks.
const (
	BlockProse BlockKind = "prose" // HTML: what to click, and why
	BlockNote  BlockKind = "note"  // HTML: a trap, or what differs
	BlockCode  BlockKind = "code"  // Code: lines for a file or a command line of the provider, to copy as a whole
	BlockCopy  BlockKind = "copy"  // Copy: values to enter at the provider
	BlockMap   BlockKind = "map"   // Map: attributes the provider has to send
	BlockAsk   BlockKind = "ask"   // Ask: what the admin brings back
	BlockCheck BlockKind = "check" // Checks: what Rollcall can see for itself
)

// Block is a part of a guide.
type Block struct {
	Kind BlockKind

	// HTML is made from Markdown without raw HTML when the catalogue is read. It
	// may stand in a page as it is; its links are https and open a new tab.
	HTML string

	Language string // of Code: one of Languages
	Code     string // with placeholders, see FillCode

	Copy   []CopyLine
	Map    []MapLine
	Ask    [][]Field // alternatives, best first: one of them is enough, all fields of it are needed except an SLO address
	Checks []Check
}

// Languages lists what a block of code may be written in; it is the word behind the backticks.
func Languages() []string {
	return []string{"ini", "json", "php", "powershell", "properties", "sh", "text", "xml", "yaml"}
}

// Trouble is a row of the table of troubles. All three are safe HTML, as in [Block].
type Trouble struct{ See, Why, Do string }

// CopyLine is a value to enter or choose at the provider.
type CopyLine struct {
	Label string // of the field at the provider
	Value string // with placeholders, see Fill
}

// MapLine is a row of the provider's table of attributes.
type MapLine struct {
	Name   string // for SAML and OIDC the name that is read; for SCIM the SCIM attribute's path
	Source string // the provider's attribute or expression
	line   int
}

// Field is something an admin copies from the provider.
type Field struct {
	Field AskField
	Label string // at the provider
	Hint  string // may be empty
}

// Placeholder names a value that is known once a connection or directory exists.
type Placeholder string

// The placeholders. In a guide they are written in double braces: {{acs_url}}.
const (
	PlaceholderACSURL        Placeholder = "acs_url"
	PlaceholderSPEntityID    Placeholder = "sp_entity_id"
	PlaceholderSPMetadataURL Placeholder = "sp_metadata_url"
	PlaceholderSLOURL        Placeholder = "slo_url"
	PlaceholderLoginURL      Placeholder = "login_url" // starts a sign-in: for tiles and sign-ins that begin at the provider
	PlaceholderRedirectURI   Placeholder = "redirect_uri"
	PlaceholderSCIMURL       Placeholder = "scim_url"
	PlaceholderSCIMToken     Placeholder = "scim_token"
	PlaceholderAppName       Placeholder = "app_name" // of the application people sign in to
	PlaceholderOrganization  Placeholder = "organization"

	// Only in guides of the demo's test identity provider.
	PlaceholderTestIDP    Placeholder = "test_idp_url" // the address below which it is
	PlaceholderTestClient Placeholder = "test_client_id"
)

// testPlaceholders lists those that guides of the test identity provider may use besides.
func testPlaceholders() []Placeholder {
	return []Placeholder{PlaceholderTestIDP, PlaceholderTestClient}
}

// Placeholders lists those a guide of this protocol may use.
func Placeholders(protocol Protocol) []Placeholder {
	every := []Placeholder{PlaceholderAppName, PlaceholderOrganization}
	switch protocol {
	case SAML:
		return append(every, PlaceholderACSURL, PlaceholderSPEntityID, PlaceholderSPMetadataURL, PlaceholderSLOURL, PlaceholderLoginURL)
	case OIDC:
		return append(every, PlaceholderRedirectURI, PlaceholderLoginURL)
	case SCIM:
		return append(every, PlaceholderSCIMURL, PlaceholderSCIMToken)
	default:
		return nil
	}
}

// AskField names something a connection needs to know from the provider.
type AskField string

// The fields a guide may ask for.
const (
	FieldMetadataURL  AskField = "metadata_url"
	FieldMetadataXML  AskField = "metadata_xml"
	FieldIDPEntityID  AskField = "idp_entity_id"
	FieldSSOURL       AskField = "sso_url"
	FieldSLOURL       AskField = "slo_url"
	FieldCertificate  AskField = "certificate"
	FieldIssuer       AskField = "issuer"
	FieldClientID     AskField = "client_id"
	FieldClientSecret AskField = "client_secret"
)

// AskFields lists those a guide of this protocol may ask for; none for SCIM, where the provider is told and tells nothing.
func AskFields(protocol Protocol) []AskField {
	switch protocol {
	case SAML:
		return []AskField{FieldMetadataURL, FieldMetadataXML, FieldIDPEntityID, FieldSSOURL, FieldSLOURL, FieldCertificate}
	case OIDC:
		return []AskField{FieldIssuer, FieldClientID, FieldClientSecret}
	default:
		return nil
	}
}

// Check names something Rollcall sees for itself and shows beside the step.
type Check string

// The checks a guide may show.
const (
	CheckMetadata     Check = "metadata"      // read and understood
	CheckCertificate  Check = "certificate"   // its dates
	CheckTestSignIn   Check = "test_sign_in"  // one has succeeded
	CheckDiscovery    Check = "discovery"     // the issuer's document was read
	CheckClient       Check = "client"        // id and secret were accepted, shown by the test sign-in
	CheckFirstRequest Check = "first_request" // the provider reached the address with the token
	CheckFirstUser    Check = "first_user"
	CheckFirstGroup   Check = "first_group"
)

// Checks lists those a guide of this protocol may show.
func Checks(protocol Protocol) []Check {
	switch protocol {
	case SAML:
		return []Check{CheckMetadata, CheckCertificate, CheckTestSignIn}
	case OIDC:
		return []Check{CheckDiscovery, CheckClient, CheckTestSignIn}
	case SCIM:
		return []Check{CheckFirstRequest, CheckFirstUser, CheckFirstGroup}
	default:
		return nil
	}
}

// Fill gives the value with its placeholders replaced. One without a value stays
// as it is written, so that it is noticed and not pasted as nothing.
func (l CopyLine) Fill(values map[Placeholder]string) string {
	return fillPlaceholders(l.Value, values)
}

// FillCode gives the lines of a code block with their placeholders replaced, like [CopyLine.Fill]. Nothing is escaped for the
// language of the lines: only addresses and tokens of Rollcall stand there, which need it in none.
func (b Block) FillCode(values map[Placeholder]string) string {
	return fillPlaceholders(b.Code, values)
}

// Placeholders lists those that the block's values hold, each once, in order of appearance.
func (b Block) Placeholders() []Placeholder {
	var found []Placeholder
	for _, text := range b.values() {
		for _, match := range placeholderForm.FindAllStringSubmatch(text, -1) {
			if name := Placeholder(match[1]); !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found
}

func (b Block) values() []string {
	texts := []string{b.Code}
	for _, line := range b.Copy {
		texts = append(texts, line.Value)
	}
	return texts
}

var placeholderForm = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// fillPlaceholders looks at the text once: a value that looks like a placeholder, such as an
// organization's name, is not filled in turn.
func fillPlaceholders(text string, values map[Placeholder]string) string {
	return placeholderForm.ReplaceAllStringFunc(text, func(match string) string {
		if value := values[Placeholder(strings.Trim(match, "{}"))]; value != "" {
			return value
		}
		return match
	})
}
