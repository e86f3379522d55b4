// Package mail is the outbox: mails are rows of the transaction that causes them, and sent after.
package mail

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Kind names a template.
type Kind string

// The kinds.
const (
	KindMagicAuth             Kind = "magic_auth"
	KindConnectionCertificate Kind = "connection_certificate"
)

// Content is what a template is filled with: MagicAuth or ConnectionCertificate.
type Content interface{ kind() Kind }

// MagicAuth proves an address.
type MagicAuth struct {
	Code      string
	Link      string
	ExpiresAt time.Time // not sent after
}

func (MagicAuth) kind() Kind { return KindMagicAuth }

// ConnectionCertificate tells an organization's contact that a certificate of a connection is about to end.
type ConnectionCertificate struct {
	Organization, Connection string // names
	Subject, Fingerprint     string // of the certificate
	ExpiresAt                time.Time
	Link                     string // where it is renewed; "" if there is no page
}

func (ConnectionCertificate) kind() Kind { return KindConnectionCertificate }

// Message is a mail to send.
type Message struct {
	OrganizationID string // "" for none
	To             string // one address
	Content        Content
}

// Outbox keeps mails until they are sent.
type Outbox struct{}

// Put adds a mail to a write; Run sends it after the commit. An address that is none is a fault, and nothing is added.
func (o *Outbox) Put(w *db.Write, m Message) error { return nil }

// PutTx adds a mail to a transaction.
func (o *Outbox) PutTx(ctx context.Context, tx db.Tx, m Message) error { return nil }

// Run sends until ctx ends.
func (o *Outbox) Run(ctx context.Context) {}
