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
)

// Content is what a template is filled with: MagicAuth, ConnectionCertificate or Invitation.
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

// Message is a mail to send.
type Message struct {
	OrganizationID string // "" for none
	To             string // one address, without a name
	Content        Content
	About          string // id of what it is about, by which it can be withdrawn; "" for nothing
}

// maxAddress is RFC 5321's longest path (section 4.5.3.1.3), less its brackets.
const maxAddress = 254

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
