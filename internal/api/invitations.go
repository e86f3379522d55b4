package api

import (
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	invitationNoun = "Invitation"
	noMailWarning  = "No mail server is set (--smtp-url), so nothing is mailed. Give accept_invitation_url to the person yourself."
)

// shownInvitation are the members beside those of events: the contract's token and address, and ours.
type shownInvitation struct {
	Token     string   `json:"token"` // "" once it is not pending any more
	AcceptURL string   `json:"accept_invitation_url"`
	Teams     []string `json:"team_ids"`
	Licence   *string  `json:"licence"`
	Directory *string  `json:"directory_id"`
	Warning   string   `json:"warning,omitempty"`
}

func (c *call) showInvitation(i member.Invitation) (jsontext.Value, error) {
	shown := shownInvitation{
		Token: i.Token.Reveal(), AcceptURL: c.o.Members.AcceptURL(i), Teams: i.Teams, Licence: optional(i.Licence), Directory: optional(i.DirectoryID),
	}
	if i.State == member.InvitationPending && !c.o.Members.MailsInvitations() {
		shown.Warning = noMailWarning
	}
	return extended(i.Payload(), shown)
}

func (c *call) invitationAnswer(status int, i member.Invitation, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	shown, err := c.showInvitation(i)
	return answer{status, shown}, err
}

// invitationID reads the id of the address.
func (c *call) invitationID() (member.InvitationID, error) {
	if err := c.keepsAccounts(); err != nil {
		return "", err
	}
	id := c.path["id"]
	if !isID(id, member.InvitationPrefix) {
		return "", errMissing(invitationNoun, id)
	}
	return member.InvitationID(id), nil
}

var invitationStates = []member.InvitationState{member.InvitationPending, member.InvitationAccepted, member.InvitationExpired, member.InvitationRevoked}

func listInvitations(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	p, err := c.paging(member.InvitationPrefix, false)
	if err != nil {
		return answer{}, err
	}
	q := member.InvitationQuery{Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending, Email: c.query.Get("email")}
	if q.OrganizationID, err = c.filterID("organization_id", orgPrefix); err != nil {
		return answer{}, err
	}
	if q.States, err = among(c, "state", "invalid_state", invitationStates); err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Members.Invitations(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(i member.Invitation) string { return string(i.ID) }, c.showInvitation)
	return ok(page), err
}

// wantedInvitation: null is as if it were left out.
type wantedInvitation struct {
	Email     *string  `json:"email"`
	OrgID     *string  `json:"organization_id"`
	Role      *string  `json:"role_slug"`
	Days      *int64   `json:"expires_in_days"`
	InviterID *string  `json:"inviter_user_id"`
	Locale    *string  `json:"locale"`
	Teams     []string `json:"team_ids"`
	Licence   *string  `json:"licence"`
}

func createInvitation(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	var wanted wantedInvitation
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	n, err := wanted.read()
	if err != nil {
		return answer{}, err
	}
	made, err := c.o.Members.Invite(c.ctx(), c.actor, n)
	return c.invitationAnswer(http.StatusCreated, made, err)
}

func (wanted wantedInvitation) read() (n member.NewInvitation, err error) {
	n = member.NewInvitation{
		OrganizationID: valueOf(wanted.OrgID), Email: valueOf(wanted.Email), Role: valueOf(wanted.Role), Teams: wanted.Teams, Licence: valueOf(wanted.Licence),
		InviterUserID: member.UserID(valueOf(wanted.InviterID)), ExpiresInDays: valueOf(wanted.Days), Locale: valueOf(wanted.Locale),
	}
	switch {
	case n.Email == "":
		return n, errField("email", "required", "Say with email who is to be invited.")
	case n.OrganizationID != "" && !isID(n.OrganizationID, orgPrefix):
		return n, errMissing("Organization", n.OrganizationID)
	case n.InviterUserID != "" && !isID(string(n.InviterUserID), accountPrefix):
		return n, errMissing(accountNoun, string(n.InviterUserID))
	case wanted.Days != nil && *wanted.Days < 1:
		return n, fault.New(fault.Invalid, "expires_in_days_too_short", "An invitation is good for a day at least.").On("expires_in_days")
	}
	if i := slices.IndexFunc(n.Teams, func(id string) bool { return !isID(id, "group") }); i >= 0 {
		return n, errField("team_ids", "invalid_id", "%.80q is no id of a team (group_…).", n.Teams[i])
	}
	return n, checkLocale(n.Locale)
}

// maxLocale is longer than any language tag in use.
const maxLocale = 35

// checkLocale takes language tags of RFC 5646 by their form.
func checkLocale(locale string) error {
	wrong := len(locale) > maxLocale
	for _, c := range locale {
		wrong = wrong || (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-'
	}
	if wrong {
		return errField("locale", "invalid_locale", "locale is a language tag like en or de-AT, not %.40q.", locale)
	}
	return nil
}

func getInvitation(c *call) (answer, error) {
	id, err := c.invitationID()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Members.Invitation(c.ctx(), id)
	return c.invitationAnswer(http.StatusOK, found, err)
}

func getInvitationByToken(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	found, err := c.o.Members.InvitationByToken(c.ctx(), token.Secret(c.path["token"]))
	return c.invitationAnswer(http.StatusOK, found, err)
}

// settle is what accept and revoke have in common: no body, or an empty one.
func (c *call) settleInvitation(do func(member.InvitationID) (member.Invitation, error)) (answer, error) {
	id, err := c.invitationID()
	if err != nil {
		return answer{}, err
	}
	var nothing struct{}
	if err := c.body(&nothing); err != nil {
		return answer{}, err
	}
	after, err := do(id)
	return c.invitationAnswer(http.StatusOK, after, err)
}

func acceptInvitation(c *call) (answer, error) {
	return c.settleInvitation(func(id member.InvitationID) (member.Invitation, error) {
		return c.o.Members.AcceptInvitation(c.ctx(), c.actor, id)
	})
}

func revokeInvitation(c *call) (answer, error) {
	return c.settleInvitation(func(id member.InvitationID) (member.Invitation, error) {
		return c.o.Members.RevokeInvitation(c.ctx(), c.actor, id)
	})
}

func resendInvitation(c *call) (answer, error) {
	id, err := c.invitationID()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		Locale *string `json:"locale"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if err := checkLocale(valueOf(wanted.Locale)); err != nil {
		return answer{}, err
	}
	after, err := c.o.Members.ResendInvitation(c.ctx(), c.actor, id, valueOf(wanted.Locale))
	return c.invitationAnswer(http.StatusOK, after, err)
}
