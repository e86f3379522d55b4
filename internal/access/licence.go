package access

import "time"

// LicenceTypeID is a licence type's id, "licence_type_…".
type LicenceTypeID string

// OverLimit says what becomes of somebody for whom no seat is left.
type OverLimit string

// The settings.
const (
	Admit  OverLimit = "admit"  // in, without licence
	Refuse OverLimit = "refuse" // not in
)

// LicenceType is what an organization has bought.
type LicenceType struct {
	ID             LicenceTypeID
	OrganizationID string
	Slug           string
	Name           string
	Seats          *int64 // nil: as many as are wanted
	OverLimit      OverLimit
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Use is how many hold a licence of a type, of how many who may.
type Use struct {
	Type LicenceType
	Used int64
}

// Free says whether a seat is left.
func (u Use) Free() bool { return u.Type.Seats == nil || u.Used < *u.Type.Seats }

// Payload is the licence type with its use, as the API shows it.
func (u Use) Payload() []byte {
	t := u.Type
	return encode(struct {
		licencePayload
		Used int64 `json:"used"`
	}{t.payload(), u.Used})
}

type licencePayload struct {
	Object         string        `json:"object"`
	ID             LicenceTypeID `json:"id"`
	OrganizationID string        `json:"organization_id"`
	Slug           string        `json:"slug"`
	Name           string        `json:"name"`
	Seats          *int64        `json:"seats"`
	OverLimit      OverLimit     `json:"over_limit"`
	CreatedAt      string        `json:"created_at"`
	UpdatedAt      string        `json:"updated_at"`
}

func (t LicenceType) payload() licencePayload {
	return licencePayload{"licence_type", t.ID, t.OrganizationID, t.Slug, t.Name, t.Seats, t.OverLimit, shownTime(t.CreatedAt), shownTime(t.UpdatedAt)}
}

// Payload is the licence type as events show it.
func (t LicenceType) Payload() []byte { return encode(t.payload()) }
