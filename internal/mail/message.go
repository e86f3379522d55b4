package mail

import (
	netmail "net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Kind names a template.
type Kind string

// The kinds.
const (
	KindMagicAuth             Kind = "magic_auth"
	KindConnectionCertificate Kind = "connection_certificate"
	KindInvitation            Kind = "invitation"
	KindPortalLink            Kind = "portal_link"
	KindPortalCode            Kind = "portal_code"
	KindProviderChange        Kind = "provider_change"
	KindAlert                 Kind = "alert"
)

// Content is what a template is filled with: one of the types of this file.
type Content interface {
	kind() Kind
	until() time.Time // it means nothing after; zero: it always does
}

// MagicAuth proves an address.
type MagicAuth struct {
	Code      string
	Link      string
	ExpiresAt time.Time // it is not sent after
}

func (MagicAuth) kind() Kind         { return KindMagicAuth }
func (m MagicAuth) until() time.Time { return m.ExpiresAt }

// ConnectionCertificate tells an organization's contact that a certificate of a connection is about to end.
type ConnectionCertificate struct {
	Organization, Connection string // names
	Subject, Fingerprint     string // of the certificate
	ExpiresAt                time.Time
	Link                     string // where it is renewed; "" if there is no page
}

func (ConnectionCertificate) kind() Kind       { return KindConnectionCertificate }
func (ConnectionCertificate) until() time.Time { return time.Time{} }

// Invitation asks somebody in.
type Invitation struct {
	Organization string // name; "": to the app alone
	Inviter      string // name, or address; "" for nobody in particular
	Link         string
	ExpiresAt    time.Time // of the link; it is not sent after
}

func (Invitation) kind() Kind         { return KindInvitation }
func (i Invitation) until() time.Time { return i.ExpiresAt }

// PortalLink lets an IT contact into the portal of their organization, with a code that is mailed when it is opened.
type PortalLink struct {
	Organization string // name
	Link         string
	ExpiresAt    time.Time // of the link; it is not sent after
}

func (PortalLink) kind() Kind         { return KindPortalLink }
func (p PortalLink) until() time.Time { return p.ExpiresAt }

// PortalCode proves that who opened a mailed link is the contact it was mailed to.
type PortalCode struct {
	Organization string // name
	Code         string
	ExpiresAt    time.Time // it is not sent after
}

func (PortalCode) kind() Kind         { return KindPortalCode }
func (p PortalCode) until() time.Time { return p.ExpiresAt }

// ProviderChange tells what was changed at an organization's identity provider: connections, certificates, directories, tokens, contacts.
type ProviderChange struct {
	Organization string   // name
	Changes      []Change // in the order they were made; not empty
	Link         string   // the page where it is seen, or decided; "" if there is no page
	LinkLabel    string
}

// Change is one of them.
type Change struct {
	What     string // a sentence without its full stop
	Name, ID string // of what was changed; either may be ""
	Settings string // those that were changed, by name; "" if that is not told
	Who      string
	At       time.Time
}

func (ProviderChange) kind() Kind       { return KindProviderChange }
func (ProviderChange) until() time.Time { return time.Time{} }

// Alert tells that something is wrong, and how it is mended, or that it is well again.
type Alert struct {
	Organization string      // name; "" for what is the installation's
	Title        string      // what is wrong, or well again, without a full stop
	Text         []string    // paragraphs: what that means, and how it is mended
	Facts        [][2]string // name and value
	Link         string      // the page where it is mended; "" if there is no page
	LinkLabel    string
	WellAgain    bool
}

func (Alert) kind() Kind       { return KindAlert }
func (Alert) until() time.Time { return time.Time{} }

// Message is a mail to send.
type Message struct {
	OrganizationID string // "" for none
	To             string // one address, without a name
	Content        Content
	About          string // id of what it is about, by which it can be withdrawn; "" for nothing
}

// maxAddress is RFC 5321's longest path (section 4.5.3.1.3), less its brackets.
const maxAddress = 254

// CheckAddress says what Put would say of an address: Unprocessable "invalid_email" for one that no mail can be sent to.
func CheckAddress(address string) error { return checkAddress(address) }

// checkAddress takes one plain address and nothing that could be more: no name, comment, list or line break.
func checkAddress(address string) error {
	parsed, err := netmail.ParseAddress("<" + address + ">")
	if err == nil && parsed.Address == address && len(address) <= maxAddress && utf8.ValidString(address) && !strings.ContainsFunc(address, control) {
		return nil
	}
	return fault.New(fault.Unprocessable, "invalid_email", "%.80q is no email address that mail can be sent to.", address).
		On("email").Compared("one address like person@example.com", "")
}

func control(r rune) bool {
	return r < ' ' || r == 0x7f || r == ' ' || r == 0x2028 || r == 0x2029 || 0x80 <= r && r < 0xa0
}

// line makes of a name one line that can stand in a subject.
func line(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r != ' ' && control(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))), " ")
}
