package access

import "time"

// PermissionID is a permission's id, "perm_…".
type PermissionID string

// Permission is a word that the app asks for. All are the installation's.
type Permission struct {
	ID          PermissionID
	Slug        string
	Name        string
	Description string
	System      bool // the contract's word for what the product itself brings; none are
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Payload is the permission as API and events show it.
func (p Permission) Payload() []byte {
	return encode(struct {
		Object       string       `json:"object"`
		ID           PermissionID `json:"id"`
		Slug         string       `json:"slug"`
		Name         string       `json:"name"`
		Description  *string      `json:"description"`
		System       bool         `json:"system"`
		ResourceType string       `json:"resource_type_slug"`
		CreatedAt    string       `json:"created_at"`
		UpdatedAt    string       `json:"updated_at"`
	}{"permission", p.ID, p.Slug, p.Name, orNull(p.Description), p.System, resourceOrganization, shownTime(p.CreatedAt), shownTime(p.UpdatedAt)})
}
