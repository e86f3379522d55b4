package access

import "time"

// TeamID is a team's id, "group_…".
type TeamID string

// Team is a set of members of an organization, the contract's group.
type Team struct {
	ID               TeamID
	OrganizationID   string
	Name             string
	Description      string
	DirectoryID      string // of the directory group it follows; "" if none
	DirectoryGroupID string
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Follows says that a directory group gives the team its name and its people.
func (t Team) Follows() bool { return t.DirectoryGroupID != "" }

// PutBy says who put a member into a team. What a mapping puts a mapping takes; what a hand or an invitation puts only a hand takes.
type PutBy string

// Who there is.
const (
	ByHand       PutBy = "hand"
	ByInvitation PutBy = "invitation"
	ByMapping    PutBy = "mapping"    // of a directory
	ByConnection PutBy = "connection" // a connection's mapping, at a sign-in
)

// Payload is the team as API and events show it; directory_managed and directory_group_id are ours.
func (t Team) Payload() []byte {
	return encode(struct {
		Object         string  `json:"object"`
		ID             TeamID  `json:"id"`
		OrganizationID string  `json:"organization_id"`
		Name           string  `json:"name"`
		Description    *string `json:"description"`
		Managed        bool    `json:"directory_managed"`
		DirectoryID    *string `json:"directory_id"`
		DirectoryGroup *string `json:"directory_group_id"`
		CreatedAt      string  `json:"created_at"`
		UpdatedAt      string  `json:"updated_at"`
	}{
		"group", t.ID, t.OrganizationID, t.Name, orNull(t.Description), t.Follows(), orNull(t.DirectoryID), orNull(t.DirectoryGroupID),
		shownTime(t.CreatedAt), shownTime(t.UpdatedAt),
	})
}

// teamMemberPayload is what the events say of somebody who comes or goes.
func teamMemberPayload(team TeamID, membershipID string) []byte {
	return encode(struct {
		GroupID      TeamID `json:"group_id"`
		MembershipID string `json:"organization_membership_id"`
	}{team, membershipID})
}
