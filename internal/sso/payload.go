package sso

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/org"
)

// domain is an organization's domain as the contract shows it with a connection.
type domain struct {
	ID     string `json:"id"`
	Object string `json:"object"`
	Domain string `json:"domain"`
}

func domainsOf(o org.Organization) []domain {
	out := []domain{}
	for _, d := range o.Domains {
		if d.State == org.Verified {
			out = append(out, domain{d.ID, "connection_domain", d.Domain})
		}
	}
	return out
}

// payload is the connection as the contract shows it.
type payload struct {
	Object         string   `json:"object"`
	ID             ID       `json:"id"`
	OrganizationID string   `json:"organization_id"`
	Type           Type     `json:"connection_type"`
	Name           string   `json:"name"`
	State          State    `json:"state"`
	Status         string   `json:"status,omitempty"`
	Domains        []domain `json:"domains,omitzero"`
	ExternalKey    string   `json:"external_key,omitempty"`
	CreatedAt      string   `json:"created_at"`
	UpdatedAt      string   `json:"updated_at"`
}

func (c Connection) bare() payload {
	return payload{
		Object: "connection", ID: c.ID, OrganizationID: c.OrganizationID, Type: c.Type, Name: c.Name, State: c.State,
		CreatedAt: org.Time(c.CreatedAt), UpdatedAt: org.Time(c.UpdatedAt),
	}
}

// status is the contract's older word for the state.
func (c Connection) status() string {
	if c.State == Active {
		return "linked"
	}
	return "unlinked"
}

// Payload is the connection as the API shows it; o is its organization.
func (c Connection) Payload(o org.Organization) []byte {
	p := c.bare()
	p.Status, p.Domains = c.status(), domainsOf(o)
	return encode(p)
}

func (c Connection) eventPayload(o org.Organization) []byte {
	p := c.bare()
	p.Status, p.Domains, p.ExternalKey = c.status(), domainsOf(o), c.Key
	return encode(p)
}

func (c Connection) deletedPayload() []byte { return encode(c.bare()) }

type connectionRef struct {
	ID             ID     `json:"id"`
	OrganizationID string `json:"organization_id"`
}

type endingCertificate struct {
	Type   string `json:"certificate_type"`
	Expiry string `json:"expiry_date"`
}

func endingPayload(c Connection, one Certificate, now time.Time) []byte {
	left := one.NotAfter.Sub(now)
	return encode(struct {
		Connection  connectionRef `json:"connection"`
		Certificate struct {
			endingCertificate
			Expired bool `json:"is_expired"`
		} `json:"certificate"`
		Days int `json:"days_until_expiry"`
	}{
		connectionRef{c.ID, c.OrganizationID},
		struct {
			endingCertificate
			Expired bool `json:"is_expired"`
		}{endingCertificate{"ResponseSigning", org.Time(one.NotAfter)}, left <= 0},
		max(0, daysLeft(left)),
	})
}

func renewedPayload(c Connection, one Certificate, at time.Time) []byte {
	return encode(struct {
		Connection  connectionRef     `json:"connection"`
		Certificate endingCertificate `json:"certificate"`
		RenewedAt   string            `json:"renewed_at"`
	}{connectionRef{c.ID, c.OrganizationID}, endingCertificate{"ResponseSigning", org.Time(one.NotAfter)}, org.Time(at)})
}

// signInPayload is that of the events about sign-ins.
type signInPayload struct {
	Type   string       `json:"type"`
	Status string       `json:"status"`
	IP     *string      `json:"ip_address"`
	Agent  *string      `json:"user_agent"`
	UserID *string      `json:"user_id"`
	Email  *string      `json:"email"`
	SSO    signInRef    `json:"sso"`
	Error  *signInError `json:"error,omitempty"`
}

type signInRef struct {
	OrganizationID *string `json:"organization_id"`
	ConnectionID   *string `json:"connection_id"`
	SessionID      *string `json:"session_id"`
}

type signInError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func optional[T ~string](s T) *string {
	if s == "" {
		return nil
	}
	text := string(s)
	return &text
}

// told is an attempt as its events show it. Status is a word of the contract. Where somebody was is told only with who it was: otherwise
// nobody could find it when the person is to be forgotten.
func (a Attempt) told(status string) []byte {
	p := signInPayload{
		Type: "sso", Status: status, UserID: optional(a.UserID), Email: optional(a.Email),
		SSO: signInRef{optional(a.OrganizationID), optional(a.ConnectionID), optional(a.SessionID)},
	}
	if a.UserID != "" || a.Email != "" {
		p.IP, p.Agent = optional(a.IP), optional(a.UserAgent)
	}
	if a.Refused != nil {
		p.Error = &signInError{a.Refused.Code, a.Refused.Message}
	}
	return encode(p)
}

// Payload is the profile as the contract shows it. Roles stay null: they are roles of the app, and nobody has mapped the provider's yet.
func (p Profile) Payload() []byte {
	groups, custom, raw := p.Groups, p.Custom, p.Raw
	if groups == nil {
		groups = []string{}
	}
	if custom == nil {
		custom = map[string]any{}
	}
	if raw == nil {
		raw = map[string]any{}
	}
	return encode(struct {
		Object         string         `json:"object"`
		ID             ProfileID      `json:"id"`
		OrganizationID string         `json:"organization_id"`
		ConnectionID   ID             `json:"connection_id"`
		ConnectionType Type           `json:"connection_type"`
		IDPID          string         `json:"idp_id"`
		Email          string         `json:"email"`
		FirstName      *string        `json:"first_name"`
		LastName       *string        `json:"last_name"`
		Name           *string        `json:"name"`
		Role           *string        `json:"role"`
		Roles          *string        `json:"roles"`
		Groups         []string       `json:"groups"`
		Custom         map[string]any `json:"custom_attributes"`
		Raw            map[string]any `json:"raw_attributes"`
	}{
		"profile", p.ID, p.OrganizationID, p.ConnectionID, p.ConnectionType, p.IDPID, p.Email, optional(p.FirstName), optional(p.LastName),
		optional(p.fullName()), nil, nil, groups, custom, raw,
	})
}

// fullName is the name that came, else what first and last name make.
func (p Profile) fullName() string {
	if p.Name != "" || p.FirstName == "" || p.LastName == "" {
		return p.Name
	}
	return p.FirstName + " " + p.LastName
}
