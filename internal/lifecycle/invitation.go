package lifecycle

import (
	"context"
	"errors"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// InvitationPath is where an invitation's link leads; the token follows.
const InvitationPath = member.InvitationPath

// JoinedPath is where an acceptance ends.
const JoinedPath = "/invitations/accepted"

// InvitedState says what can be done with an invitation's link.
type InvitedState string

// The states. A link that never was one, one that was revoked and one that another has replaced look the same.
const (
	InvitedOpen    InvitedState = "open"
	InvitedRenew   InvitedState = "renew" // the link has expired, and another may be asked for
	InvitedExpired InvitedState = "expired"
	InvitedUsed    InvitedState = "used"
	InvitedShut    InvitedState = "shut" // it is pending, and the person is shut out at present
	InvitedGone    InvitedState = "gone"
)

// Invited is an invitation as the person with its link sees it. Of one that is not open nothing but the state is known.
type Invited struct {
	State                                  InvitedState
	Email, Organization, Inviter, App, SSO string // SSO: name of the connection that they sign in through; "" for a mailed code
	Code                                   bool   // a mailed code comes first, or is all there is
	Provable                               bool   // there is a way to accept: a connection, or a mail server for the code
	Places                                 []Place
}

// Invitation shows what a link is good for. It changes nothing.
func (s *SignIns) Invitation(ctx context.Context, t token.Secret) (Invited, error) {
	i, state, err := s.invitation(ctx, t)
	if err != nil || state != InvitedOpen {
		return Invited{State: state}, err
	}
	out := Invited{State: state, Email: i.Email, Provable: s.mails()}
	if out.Organization, out.Inviter, err = s.o.Members.InvitedBy(ctx, i); err != nil {
		if fault.Is(err, fault.NotFound) {
			return Invited{State: InvitedGone}, nil
		}
		return Invited{}, err
	}
	app, err := s.o.Issuer.Default(ctx)
	if err != nil {
		return Invited{}, err
	}
	out.App = app.Name
	c, inside, err := s.connectionOf(ctx, i)
	if c != nil {
		out.SSO, out.Provable = c.Name, true
	}
	out.Code = codeFirst(c, inside, s.mails())
	return out, err
}

func (s *SignIns) invitation(ctx context.Context, t token.Secret) (i member.Invitation, state InvitedState, err error) {
	if s.o.ProfilesOnly {
		return i, InvitedGone, nil
	}
	i, err = s.o.Members.InvitationByToken(ctx, t)
	if fault.Is(err, fault.NotFound) {
		return i, InvitedGone, nil
	}
	if err != nil {
		return i, "", err
	}
	if state = s.invitedState(i); state != InvitedOpen && state != InvitedRenew {
		return i, state, nil
	}
	if err = s.o.Members.Waits(ctx, i); refused(err) {
		return i, InvitedShut, nil
	}
	return i, state, err
}

func (s *SignIns) invitedState(i member.Invitation) InvitedState {
	switch i.State {
	case member.InvitationAccepted:
		return InvitedUsed
	case member.InvitationExpired:
		return InvitedExpired
	case member.InvitationPending:
		if i.LinkExpired(s.time()) {
			return InvitedRenew
		}
		return InvitedOpen
	case member.InvitationRevoked:
	}
	return InvitedGone
}

// connectionOf is what the invited person signs in through; nil where a code is mailed. The organization's own, for people of its domains and
// for everybody whom its policy binds; else that of the organization which the domain of the address belongs to. inside: the address lies in a
// domain of the connection's organization.
func (s *SignIns) connectionOf(ctx context.Context, i member.Invitation) (c *sso.Connection, inside bool, err error) {
	owner, err := s.ownerOf(ctx, i.Email)
	if err != nil {
		return nil, false, err
	}
	if i.OrganizationID != "" && string(owner) != i.OrganizationID {
		if bound, err := s.managed(ctx, i.OrganizationID, i.Email); err != nil || bound {
			if err == nil {
				c, err = s.only(ctx, i.OrganizationID)
			}
			return c, false, err
		}
	}
	if owner == "" {
		return nil, false, nil
	}
	c, err = s.only(ctx, string(owner))
	return c, true, err
}

// only is the connection that an organization is entered through; nil for none, or several of which none is the default.
func (s *SignIns) only(ctx context.Context, organizationID string) (*sso.Connection, error) {
	c, err := s.entrance(ctx, orgID(organizationID))
	if fault.Is(err, fault.Conflict) {
		return nil, nil //nolint:nilnil // several
	}
	return c, err
}

// AcceptInvitation begins to accept: the person signs in through a connection, or proves the invited address by a code that is mailed to it.
// What is not open any more is shown as Invitation shows it.
func (s *SignIns) AcceptInvitation(ctx context.Context, v Visitor, t token.Secret) (Next, InvitedState, error) {
	i, state, err := s.invitation(ctx, t)
	if err != nil || state != InvitedOpen {
		return Next{}, state, err
	}
	app, err := s.o.Issuer.Default(ctx)
	if err != nil {
		return Next{}, "", err
	}
	a := issuer.Authorization{ClientName: app.Name, Style: oidc.StyleOIDC, At: s.time(), Invitation: string(i.ID)}
	a.Request.LoginHint, a.Request.Organization = i.Email, i.OrganizationID
	next, err := s.proveInvited(ctx, v, a, i)
	return next, state, err
}

// RenewInvitation mails a fresh link in place of an expired one. Where that may not be, or was done a short while ago, nothing happens: the
// person is told the same.
func (s *SignIns) RenewInvitation(ctx context.Context, t token.Secret) error {
	if s.o.ProfilesOnly {
		return nil
	}
	_, err := s.o.Members.RenewLink(ctx, t)
	if refused(err) {
		return nil
	}
	return err
}

// Joined is what the end of an acceptance shows: the organization of the browser's session, if it has one, and the way into the app.
func (s *SignIns) Joined(ctx context.Context, v Visitor) (Invited, error) {
	held, ok, err := s.o.Sessions.ByCookie(ctx, v.Cookie)
	if err != nil || !ok {
		return Invited{State: InvitedUsed}, err
	}
	out := Invited{State: InvitedUsed}
	if held.OrganizationID != "" {
		o, err := s.o.Organizations.Get(ctx, orgID(held.OrganizationID))
		if err != nil {
			return out, ignoreMissing(err)
		}
		out.Organization = o.Name
	}
	app, err := s.o.Issuer.Default(ctx)
	if err != nil {
		return out, err
	}
	to, err := s.into(app, held)
	if to != "" {
		out.App, out.Places = app.Name, []Place{{App: app.Name, URL: to}}
	}
	return out, err
}

// forInvitation tells whether a sign-in is for an invitation alone, and not for an application.
func forInvitation(a issuer.Authorization) bool { return a.Invitation != "" && a.ApplicationID == "" }

// toInvitation leads back to the page of an invitation.
func (s *SignIns) toInvitation(ctx context.Context, a issuer.Authorization) (Next, error) {
	i, err := s.o.Members.Invitation(ctx, member.InvitationID(a.Invitation))
	if err != nil || i.Token == "" {
		return Next{URL: JoinedPath}, ignoreMissing(err)
	}
	return Next{URL: s.o.Members.AcceptURL(i)}, nil
}

// notToApplication words a refusal that no application can be told.
func notToApplication(err error) error {
	var refusal *oidc.ErrorResponse
	var redirect *issuer.RedirectError
	switch {
	case errors.As(err, &redirect):
		return fault.New(fault.Forbidden, string(redirect.Code), "%s", redirect.Description)
	case errors.As(err, &refusal):
		return fault.New(fault.Forbidden, string(refusal.Code), "%s", refusal.Description)
	}
	return err
}

// codeInto gives the application its code, or where there is none the page at the end of an acceptance.
func (s *SignIns) codeInto(w *db.Write, a issuer.Authorization, g issuer.Grant) (string, error) {
	if forInvitation(a) {
		return JoinedPath, nil
	}
	return s.o.Issuer.CodeInto(w, a, g)
}

// accept uses the invitation of a sign-in for whom it has just proven. Nothing happens without one.
func (s *SignIns) accept(ctx context.Context, a issuer.Authorization, held session.Session) error {
	if a.Invitation == "" {
		return nil
	}
	err := s.acceptBy(ctx, member.InvitationID(a.Invitation), held.UserID, held.ConnectionID, held.OrganizationID)
	if err == nil || forInvitation(a) {
		return err
	}
	var refusal *oidc.ErrorResponse
	if errors.As(issuer.RefuseInvitation(err), &refusal) {
		return s.o.Issuer.Refuse(a, refusal.Code, refusal.Description)
	}
	return err
}

// throughProvider is the organization whose invitation an address was proven for, where its policy binds the person: it is accepted when they
// come back from its provider. nil where the address alone accepts it.
func (s *SignIns) throughProvider(ctx context.Context, a issuer.Authorization, held session.Session) (*org.Organization, error) {
	if a.Invitation == "" {
		return nil, nil //nolint:nilnil // none is an answer
	}
	i, err := s.o.Members.Invitation(ctx, member.InvitationID(a.Invitation))
	if err != nil || i.OrganizationID == "" || i.State != member.InvitationPending || !sameAddress(i.Email, s.emailOf(ctx, held.UserID)) {
		return nil, err
	}
	bound, err := s.managed(ctx, i.OrganizationID, i.Email)
	if err != nil || !bound {
		return nil, err
	}
	o, err := s.o.Organizations.Get(ctx, orgID(i.OrganizationID))
	return &o, err
}

// acceptBy accepts for whom a connection vouches, or who has proven an address.
func (s *SignIns) acceptBy(ctx context.Context, id member.InvitationID, userID, connectionID, organizationID string) error {
	i, err := s.o.Members.Invitation(ctx, id)
	if err != nil {
		return err
	}
	vouched := connectionID != "" && organizationID != "" && organizationID == i.OrganizationID
	_, err = s.o.Members.AcceptInvitationAs(ctx, id, member.UserID(userID), vouched)
	return err
}

// invitedBy begins a sign-in that an application asks for with an invitation's token: as the page of the invitation does it, and then back to the
// application with a code.
func (s *SignIns) invitedBy(ctx context.Context, v Visitor, a issuer.Authorization) (Next, error) {
	i, state, err := s.invitation(ctx, token.Secret(a.Request.Invitation))
	if err != nil {
		return Next{}, err
	}
	if state != InvitedOpen {
		return s.told(a, selector(a, issuer.InvitationInvalid, "The invitation cannot be accepted: there is none, it was accepted or taken back, or its link has expired."))
	}
	if named := a.Request.Organization; named != "" && named != i.OrganizationID {
		return s.told(a, selector(a, invalidSelector, "The invitation is of another organization than the one that is named."))
	}
	if a.Request.Prompts(oidc.PromptNone) {
		return s.told(a, oidc.Refuse(oidc.LoginRequired, "An invitation is accepted by whom has just signed in, and nobody may be asked."))
	}
	a.Invitation, a.Request.Invitation = string(i.ID), "" // the link's secret goes no further
	a.Request.LoginHint, a.Request.Organization = i.Email, i.OrganizationID
	return s.proveInvited(ctx, v, a, i)
}

// proveInvited has the person prove the invited address: through a connection that may speak for it, or by a code that is mailed to it. The
// link is no such proof: the app and whoever invited may have it too. Whom a policy binds goes on to the provider after the code.
func (s *SignIns) proveInvited(ctx context.Context, v Visitor, a issuer.Authorization, i member.Invitation) (Next, error) {
	c, inside, err := s.connectionOf(ctx, i)
	switch {
	case err != nil:
		return Next{}, err
	case !codeFirst(c, inside, s.mails()):
		if c.OrganizationID != i.OrganizationID {
			a.Request.Organization = "" // the session is of the organization that vouches for the address
		}
		return s.start(ctx, v, a, *c, i.Email)
	case !s.mails():
		return Next{}, fault.New(fault.Forbidden, "no_way", "There is no way to prove your address here, for this installation sends no mail. Ask the person who invited you.")
	}
	next, err := s.mailCode(ctx, v, a, i.Email)
	if err == nil && next.Page == AskEmail && forInvitation(a) { // too many codes: there is no page for another address here
		err = fault.New(fault.Limited, "too_many_codes", "Too many codes were sent to this address. Use the last one, or try again later.")
	}
	return next, err
}

// codeFirst tells whether an invited address is proven by a mailed code before anything else: by itself where there is no connection, and where the
// provider is of an organization that does not vouch for the address. Where no mail is sent, that provider is all there is.
func codeFirst(c *sso.Connection, inside, mails bool) bool { return c == nil || !inside && mails }

// invitedHere lets somebody in through the organization's connection whom it has invited, whoever else it takes just by signing in.
func (s *SignIns) invitedHere(ctx context.Context, a issuer.Authorization, arrival member.Arrival) (member.Arrival, error) {
	if a.Invitation == "" {
		return arrival, nil
	}
	i, err := s.o.Members.Invitation(ctx, member.InvitationID(a.Invitation))
	if err != nil {
		return arrival, ignoreMissing(err)
	}
	if i.OrganizationID == arrival.OrganizationID && i.State == member.InvitationPending {
		arrival.JIT, arrival.InvitationID = member.JITVerifiedDomain, string(i.ID)
	}
	return arrival, nil
}
