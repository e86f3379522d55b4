package member

import "github.com/rollcallhq/rollcall/internal/event"

// entries are the events of an admission. That somebody signed in is no change of the account: the attempt and the session have events.
//
// An account is of no organization, so events of it are of none either.
func (a Admission) entries(cause []byte) (out []event.Entry) {
	switch {
	case a.userBefore == nil:
		out = append(out, userEntry(event.UserCreated, a.User, cause))
	case a.userBefore.Version != a.User.Version:
		out = append(out, userEntry(event.UserUpdated, a.User, cause))
	}
	switch {
	case a.Joined():
		out = append(out, memberEntry(event.OrganizationMembershipCreated, a.Membership, cause))
	case a.membershipBefore.Version != a.Membership.Version:
		out = append(out, memberEntry(event.OrganizationMembershipUpdated, a.Membership, cause))
	}
	return out
}

func userEntry(t event.Type, u User, cause []byte) event.Entry {
	return event.Entry{Type: t, Context: cause, Data: u.Payload()}
}

func memberEntry(t event.Type, m Membership, cause []byte) event.Entry {
	return event.Entry{OrganizationID: m.OrganizationID, Type: t, Context: cause, Data: m.Payload()}
}
