package member

import (
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
)

// membershipRow holds membershipColumns. All are NULL where a query found an account without membership.
type membershipRow struct {
	id, organizationID, userID, state, role, why, directoryUserID *string
	joinedBy, blockedBy, roleBy, givenRole                        *string
	licence, wantedLicence, givenLicence, custom, invitationID    *string
	toldState, toldWhy                                            *string
	asserted, expired                                             *string
	primary, managed                                              *bool
	joined, blocked, removed, version, created, updated           *int64
	wanted                                                        *int64
}

func (r *membershipRow) into() []any {
	return []any{
		&r.id, &r.organizationID, &r.userID, &r.state, &r.primary, &r.role, &r.why, &r.directoryUserID, &r.joined, &r.joinedBy, &r.blocked, &r.blockedBy,
		&r.removed, &r.roleBy, &r.givenRole, &r.licence, &r.wantedLicence, &r.givenLicence, &r.custom, &r.invitationID, &r.asserted, &r.wanted, &r.expired, &r.version, &r.created, &r.updated,
		&r.toldState, &r.toldWhy, &r.managed,
	}
}

// membership is nil where there is none.
func (r *membershipRow) membership() (*Membership, error) {
	if r.id == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	m := &Membership{
		DirectoryManaged: r.managed != nil && *r.managed,
		ID:               MembershipID(*r.id), OrganizationID: *r.organizationID, UserID: UserID(*r.userID), State: State(*r.state), Primary: *r.primary, Role: *r.role,
		Why: Why(*r.why), DirectoryUserID: text(r.directoryUserID), JoinedAt: db.TimeOrZero(r.joined), JoinedBy: JoinedVia(text(r.joinedBy)),
		BlockedAt: db.TimeOrZero(r.blocked), BlockedBy: text(r.blockedBy), RemovedAt: db.TimeOrZero(r.removed), RoleBy: GivenBy(text(r.roleBy)),
		GivenRole: text(r.givenRole), Licence: text(r.licence), WantedLicence: text(r.wantedLicence), GivenLicence: text(r.givenLicence),
		InvitationID: text(r.invitationID), asserted: text(r.asserted), wantedSince: db.TimeOrZero(r.wanted), expiredInvitation: text(r.expired), Version: *r.version,
		CreatedAt: db.Time(*r.created), UpdatedAt: db.Time(*r.updated), Told: Verdict{State: State(text(r.toldState)), Why: Why(text(r.toldWhy))},
	}
	if custom := text(r.custom); custom != "{}" {
		if err := json.Unmarshal([]byte(custom), &m.CustomAttributes); err != nil {
			return nil, fmt.Errorf("custom attributes of membership %s: %w", m.ID, err)
		}
	}
	return m, nil
}

// membershipArgs are the values of insertMembership and, from the fourth on, those that updateMembership sets.
func membershipArgs(m Membership) []any {
	custom := []byte("{}")
	if len(m.CustomAttributes) > 0 {
		custom = encode(m.CustomAttributes)
	}
	return []any{
		string(m.State), m.Primary, m.Role, string(m.Why), db.TextOrNull(m.DirectoryUserID), db.MicrosOrNull(m.JoinedAt), db.TextOrNull(string(m.JoinedBy)),
		db.MicrosOrNull(m.BlockedAt), db.TextOrNull(m.BlockedBy), db.MicrosOrNull(m.RemovedAt), db.TextOrNull(string(m.RoleBy)), db.TextOrNull(m.GivenRole),
		db.TextOrNull(m.Licence), db.TextOrNull(m.WantedLicence), db.TextOrNull(m.GivenLicence), custom, db.TextOrNull(m.InvitationID), db.TextOrNull(m.asserted), db.MicrosOrNull(m.wantedSince),
		db.TextOrNull(m.expiredInvitation), m.Version, m.UpdatedAt.UnixMicro(), db.TextOrNull(string(m.Told.State)), db.TextOrNull(string(m.Told.Why)),
	}
}

func insertMembershipInto(w *db.Write, m Membership) {
	w.Exec(insertMembership, append([]any{string(m.ID), m.OrganizationID, string(m.UserID)}, append(membershipArgs(m), m.CreatedAt.UnixMicro())...)...)
}

// guarded is how a write guards by a row: [db.Write.Guard], or [db.Write.Each].
type guarded func(sql string, args ...any)

// updateMembershipInto writes a membership over the version that was read.
func updateMembershipInto(w guarded, m Membership, version int64) {
	w(updateMembership, append([]any{m.OrganizationID, string(m.ID), version}, membershipArgs(m)...)...)
}

// same tells whether nothing differs but version and time.
func (m Membership) same(other Membership) bool {
	m.Version, m.UpdatedAt = other.Version, other.UpdatedAt
	if len(m.CustomAttributes) == 0 && len(other.CustomAttributes) == 0 {
		m.CustomAttributes, other.CustomAttributes = nil, nil
	}
	return reflect.DeepEqual(m, other)
}

// same tells whether nothing differs but version and times.
func (u User) same(other User) bool {
	u.Version, u.UpdatedAt, u.LastSignInAt = other.Version, other.UpdatedAt, other.LastSignInAt
	if len(u.Metadata) == 0 && len(other.Metadata) == 0 {
		u.Metadata, other.Metadata = nil, nil
	}
	return reflect.DeepEqual(u, other)
}
