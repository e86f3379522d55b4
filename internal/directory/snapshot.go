package directory

import (
	"encoding/json"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// memberFormName is the form of stored membership events.
const memberFormName = "member"

// memberOf is what the events of one request share.
type memberOf struct {
	DirectoryID    ID              `json:"directory_id"`
	OrganizationID string          `json:"organization_id"`
	Group          json.RawMessage `json:"group"`
}

// snapshot is a person as they were when they joined or left.
type snapshot struct {
	ID        UserID          `json:"id"`
	IdPID     string          `json:"idp_id"`
	Active    bool            `json:"active"`
	Suspended bool            `json:"suspended"`
	CreatedAt int64           `json:"created_at"` // microseconds
	UpdatedAt int64           `json:"updated_at"`
	Document  json.RawMessage `json:"document"`
}

func memberShared(d Directory, g Group) []byte {
	p := newPayload(len(g.Document) + 768)
	p.string("directory_id", string(d.ID))
	p.string("organization_id", d.OrganizationID)
	p.raw("group", GroupPayload(d, g))
	return p.json()
}

func memberSnapshot(u User) []byte {
	p := newPayload(len(u.Document) + 256)
	p.string("id", string(u.ID))
	p.string("idp_id", u.IdPID)
	p.bool("active", u.Active)
	p.bool("suspended", u.Suspended)
	p.int("created_at", u.CreatedAt.UnixMicro())
	p.int("updated_at", u.UpdatedAt.UnixMicro())
	p.raw("document", u.Document)
	return p.json()
}

// memberForm makes the payload of dsync.group.user_added and user_removed.
func memberForm(shared, each []byte) ([]byte, error) {
	var of memberOf
	var s snapshot
	if err := json.Unmarshal(shared, &of); err != nil {
		return nil, fmt.Errorf("stored group of a membership event: %w", err)
	}
	if err := json.Unmarshal(each, &s); err != nil {
		return nil, fmt.Errorf("stored person of a membership event: %w", err)
	}
	doc, err := scim.ReadObject(s.Document, scim.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("stored document of a membership event: %w", err)
	}
	u := User{
		ID: s.ID, DirectoryID: of.DirectoryID, IdPID: s.IdPID, Active: s.Active, Suspended: s.Suspended,
		CreatedAt: db.Time(s.CreatedAt), UpdatedAt: db.Time(s.UpdatedAt), Document: s.Document,
	}
	user := person{u, doc}.payload(Directory{ID: of.DirectoryID, OrganizationID: of.OrganizationID})
	p := newPayload(len(each) + len(shared) + 1024)
	p.string("directory_id", string(of.DirectoryID))
	p.raw("user", user.json())
	p.raw("group", of.Group)
	return p.json(), nil
}
