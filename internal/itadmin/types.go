package itadmin

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
)

// Prefixes of ids.
const (
	ContactPrefix = "contact"
	linkPrefix    = "portal_link"
	sessionPrefix = "portal_session"
	askPrefix     = "portal_ask"
)

// Where the portal is, below the address of the installation.
const (
	Path     = "/portal"
	LinkPath = Path + "/link/"
)

// How long things serve.
const (
	LinkLife       = 5 * time.Minute    // a link of the API; it opens once
	MailedLinkLife = 7 * 24 * time.Hour // a link that was mailed to a contact
	CodeLife       = 10 * time.Minute
	SessionLife    = 8 * time.Hour
)

// Limits.
const (
	MaxContacts   = 100 // of one organization
	MaxNamed      = 20  // contacts in one request for a link; the contract's
	maxName       = 255 // characters
	maxURL        = 2048
	maxCodeTries  = 5  // codes that may be entered for one that was mailed
	maxCodes      = 10 // mailed to a contact in codeWindow
	codeWindow    = time.Hour
	maxDayTries   = 25 // codes that may be entered for a contact in a day: one in forty thousand is guessed with all of them
	tryDay        = 24 * time.Hour
	maxAsks       = 5 // links that an address may ask for in askWindow
	askWindow     = time.Hour
	maxLinkedOrgs = 20 // organizations of one address that an ask is answered for
)

// Intent is what a link is for, in the contract's words.
type Intent string

// The intents. With Everything a session may use the whole portal.
const (
	Everything         Intent = ""
	SSO                Intent = "sso"
	DirectorySync      Intent = "dsync"
	AuditLogs          Intent = "audit_logs"
	CertificateRenewal Intent = "certificate_renewal"
	DomainVerification Intent = "domain_verification"
)

// Intents lists those that a link may be made for.
func Intents() []Intent {
	return []Intent{SSO, DirectorySync, AuditLogs, CertificateRenewal, DomainVerification}
}

// unserved are intents of the contract that the portal has no page for, and what to do instead.
func unserved() map[string]string {
	return map[string]string{
		"log_streams":        "audit logs are not streamed to other services; the organization reads and exports them with the intent audit_logs, and your app follows GET /events",
		"bring_your_own_key": "an organization cannot bring a key of its own",
	}
}

// ParseIntent reads an intent; "" is Everything. Others are Unprocessable "invalid_intent", and those of the contract that are not served
// "intent_not_supported".
func ParseIntent(text string) (Intent, error) {
	if text == "" {
		return Everything, nil
	}
	names := make([]string, 0, len(Intents()))
	for _, i := range Intents() {
		if string(i) == text {
			return i, nil
		}
		names = append(names, string(i))
	}
	all := strings.Join(names, ", ")
	if why, known := unserved()[text]; known {
		return "", fault.New(fault.Unprocessable, "intent_not_supported", "There is no page for the intent %s: %s. Those there are: %s.", text, why, all).On("intent")
	}
	return "", fault.New(fault.Unprocessable, "invalid_intent", "%.60q is no intent. Those there are: %s; leave it out for a link to everything.", text, all).
		On("intent").Compared(all, "")
}

// Contact is an IT contact of an organization.
type Contact struct {
	ID             string // "contact_…"
	OrganizationID org.ID
	Email          string
	Name           string // "" if not told
	CreatedAt      time.Time
}

// NewContact is what a contact is made of.
type NewContact struct {
	Email string
	Name  string // may be ""
}

func (n *NewContact) check() error {
	n.Email, n.Name = strings.TrimSpace(n.Email), strings.TrimSpace(n.Name)
	if n.Email == "" {
		return fault.New(fault.Unprocessable, "required", "The contact needs an email address.").On("email")
	}
	if _, reason := org.ReadEmail(n.Email); reason != "" {
		return fault.New(fault.Unprocessable, "invalid_email", "%.80q is no email address: %s.", n.Email, reason).On("email")
	}
	if err := mail.CheckAddress(n.Email); err != nil {
		return err
	}
	if utf8.RuneCountInString(n.Name) > maxName || strings.ContainsRune(n.Name, 0) || !utf8.ValidString(n.Name) {
		return fault.New(fault.Unprocessable, "too_long", "The name has at most %d characters, none of them U+0000.", maxName).On("name")
	}
	return nil
}

// keyOf is what an address is compared by; "" for what is none.
func keyOf(email string) string {
	read, reason := org.ReadEmail(strings.TrimSpace(email))
	if reason != "" {
		return ""
	}
	read.Local = strings.ToLower(read.Local)
	return read.String()
}

// Payload is the contact as the API shows it.
func (c Contact) Payload() []byte {
	var name *string
	if c.Name != "" {
		name = &c.Name
	}
	return encode(struct {
		Object         string  `json:"object"`
		ID             string  `json:"id"`
		OrganizationID org.ID  `json:"organization_id"`
		Email          string  `json:"email"`
		Name           *string `json:"name"`
		CreatedAt      string  `json:"created_at"`
	}{"contact", c.ID, c.OrganizationID, c.Email, name, org.Time(c.CreatedAt)})
}

func (c Contact) settings() event.Settings {
	return event.Settings{"email": c.Email, "name": c.Name}
}

// Called is how the contact is called on pages and in the audit.
func (c Contact) Called() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Email
}

// Link is a portal link, without its secret.
type Link struct {
	ID             string
	OrganizationID org.ID
	ContactID      string // "": made by the app, for whoever opens it
	Intent         Intent
	ReturnURL      string // back to the app; "" if not told
	SuccessURL     string // where it goes on when the work is done; "" if not told
	CreatedAt      time.Time
	ExpiresAt      time.Time
	UsedAt         time.Time
}

// good tells whether the link may be opened.
func (l Link) good(now time.Time) bool {
	return now.Before(l.ExpiresAt) && (l.ContactID != "" || l.UsedAt.IsZero())
}

// Session is a verified session of the portal.
type Session struct {
	ID             string // "portal_session_…"
	OrganizationID org.ID
	Contact        Contact // zero where the app made the link
	LinkID         string
	Intent         Intent
	ReturnURL      string
	SuccessURL     string
	ExpiresAt      time.Time
}

// May says whether the session is for an intent.
func (s Session) May(i Intent) bool { return s.Intent == Everything || s.Intent == i }

// Actor is who acts in the session: the contact, or the link where nobody knows who opened it.
func (s Session) Actor() event.Actor {
	a := event.Actor{ID: s.LinkID, Source: event.AdminPortal}
	if s.Contact.ID != "" {
		called := s.Contact.Called()
		a.ID, a.Name = s.Contact.ID, &called
	}
	return a
}

func encode(v any) []byte {
	out, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
	if err != nil { // strings, of our own making
		panic(err)
	}
	return out
}
