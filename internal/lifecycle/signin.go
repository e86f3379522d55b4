package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// rounds is how often a write is computed again because somebody else's came between.
const rounds = 5

// SignInOptions are what SignIns is built over.
type SignInOptions struct {
	DB            *db.DB
	Events        *event.Log
	Organizations *org.Service
	Members       *member.Service
	Connections   *sso.Service
	Sessions      *session.Service
	Issuer        *issuer.Service
	Mails         *mail.Outbox // nil: no mail is ever sent
	Sealer        *db.Sealer
	Now           func() time.Time
	Logger        *slog.Logger

	// ProfilesOnly: the app keeps the accounts, so that a sign-in ends in a profile and a code.
	ProfilesOnly bool
	Life         session.Life
	// Bases are the addresses of this installation without a slash at the end, first the one that an organization's identity provider
	// is given. organizationID may be "".
	Bases func(organizationID string) []string
}

// SignIns holds the verbs of a sign-in: each takes one step of a browser and says the next.
//
//	Begin ─▶ silent, from a session                                          ─▶ code
//	  │ connection known ───────────────▶ at the provider ─▶ ReceiveSAML/OIDC ─▶ code, or refused
//	  └▶ ask for the email ─▶ Email ─▶ domain of a connection ┘
//	                            └▶ mailed code ─▶ EnterCode, FollowLink ─▶ one organization ─▶ code
//	                                                                  └▶ several ─▶ Choose ─▶ code
//
// What must stay true: whom an organization's policy binds enters through its own connection and by no other way; a step that
// another browser began is not gone on with; the browser's session cookie is new after every sign-in; a person is only ever sent to a
// registered redirect URI, to an identity provider, or to ourselves.
type SignIns struct {
	o SignInOptions
}

// NewSignIns makes the verbs.
func NewSignIns(o SignInOptions) *SignIns { return &SignIns{o: o} }

func (s *SignIns) time() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// Visitor is the browser that takes a step.
type Visitor struct {
	Browser       token.Hash   // of the cookie that binds steps to each other
	Cookie        token.Secret // of its session; "" without
	Last          Last
	Restarted     string // the connection that this browser was just sent back to, see restart
	Base          string // the address it called, without a slash at the end
	IP, UserAgent string
	Network       string // by which those of one subscriber are counted, IP's
}

// Last is what a browser remembers of its last sign-in, for convenience only: nothing is granted by it.
type Last struct {
	Email          string `json:"e"`
	OrganizationID string `json:"o,omitempty"`
}

// Page says what the person is shown next.
type Page string

// The pages. None: the browser goes on by URL or Form.
const (
	NoPage     Page = ""
	AskEmail   Page = "ask_email"
	AskCode    Page = "ask_code"
	AskWhich   Page = "ask_which"
	ShowRefuse Page = "refused"

	ShowAlready Page = "already"
)

// Next is the next step of a browser.
type Next struct {
	URL  string    // to be redirected to
	Form *sso.Form // to be posted
	Page Page

	App      string // name of the application
	Target   string // where the application wants the person back
	Email    string
	Sealed   string // the authorization, for the next step of this browser
	SignUp   bool
	Wrong    Wrong
	Magic    string // id of what was mailed, if anything was
	Choices  []Choice
	Places   []Place
	Attempt  string // of a refusal
	Session  token.Secret
	Until    time.Time // end of the session
	Remember *Last
	Restart  string // connection to be remembered as Restarted
	Codes    bool   // on the page for the email: a code may be asked for, whatever the address
}

// Wrong says why a page is shown again.
type Wrong string

// The reasons.
const (
	NotWrong   Wrong = ""
	WrongEmail Wrong = "email"
	WrongCode  Wrong = "code"
	TooMany    Wrong = "too_many"
	TooManyOut Wrong = "too_many_codes" // mailed to the address, this hour or day
	NoWay      Wrong = "no_way"         // the app keeps the accounts, and no connection is the address's
)

// Choice is an organization to choose.
type Choice struct {
	OrganizationID, Name string
	Last                 bool // this browser's person chose it the last time
}

// Begin takes an application's authorization request.
func (s *SignIns) Begin(ctx context.Context, v Visitor, a issuer.Authorization) (Next, error) {
	if forInvitation(a) { // begun again, after a refusal or for another address
		return s.toInvitation(ctx, a)
	}
	if a.Request.Invitation != "" && a.Style != oidc.StyleSSO { // where a profile is all there is to get, it is nobody's
		return s.invitedBy(ctx, v, a)
	}
	way, err := s.selected(ctx, a)
	if err != nil {
		return s.told(a, err)
	}
	if way.organizationID != "" && !way.hinted {
		// Whatever step comes next, also one that the person takes another way: the application will take them for one of this organization.
		a.Request.Organization = way.organizationID
	}
	if next, ok, err := s.silently(ctx, v, a, way); err != nil || ok {
		return next, err
	}
	switch {
	case a.Request.Prompts(oidc.PromptNone):
		return s.told(a, oidc.Refuse(oidc.LoginRequired, "Nobody is signed in who could go on without being asked."))
	case way.connection != nil && !way.asks:
		return s.start(ctx, v, a, *way.connection, a.Request.LoginHint)
	}
	return s.ask(v, a, a.Request.LoginHint, NotWrong), nil
}

// Again begins anew with a request that this browser began before. A seal that is not good is a fault.
func (s *SignIns) Again(ctx context.Context, v Visitor, sealed string) (Next, error) {
	a, err := s.o.Issuer.OpenAuthorization(sealed, v.Browser)
	if err != nil {
		return Next{}, err
	}
	return s.Begin(ctx, v, a)
}

// ask shows the page for the email.
func (s *SignIns) ask(v Visitor, a issuer.Authorization, email string, wrong Wrong) Next {
	if email == "" {
		email = v.Last.Email
	}
	signUp := a.Request.ScreenHint == oidc.ScreenSignUp || a.Request.Prompts(oidc.PromptCreate)
	return Next{
		Page: AskEmail, App: a.ClientName, Target: a.Request.RedirectURI, Email: email, SignUp: signUp, Wrong: wrong,
		Sealed: s.o.Issuer.SealAuthorization(a, v.Browser), Codes: s.codes(a),
	}
}

// told sends a refusal to the application. What is no refusal of the protocol is returned.
func (s *SignIns) told(a issuer.Authorization, err error) (Next, error) {
	var refusal *oidc.ErrorResponse
	var redirect *issuer.RedirectError
	switch {
	case forInvitation(a):
		return Next{}, notToApplication(err)
	case errors.As(err, &redirect):
	case errors.As(err, &refusal):
		redirect = s.o.Issuer.Refuse(a, refusal.Code, refusal.Description)
	default:
		return Next{}, err
	}
	url, err := redirect.Location()
	return Next{URL: url}, err
}

// start leads to the identity provider of a connection.
func (s *SignIns) start(ctx context.Context, v Visitor, a issuer.Authorization, c sso.Connection, hint string) (Next, error) {
	if base := s.o.Bases(c.OrganizationID)[0]; base != v.Base {
		// The provider answers at the connection's own host, and the cookie that binds the browser has to be of that host.
		return Next{URL: base + HopPath + "?" + s.hop(a, c, hint)}, nil
	}
	return s.depart(ctx, v, a, c, hint)
}

func (s *SignIns) depart(ctx context.Context, v Visitor, a issuer.Authorization, c sso.Connection, hint string) (Next, error) {
	base := s.o.Bases(c.OrganizationID)[0]
	out, err := s.o.Connections.Start(ctx, sso.Start{
		ConnectionID: c.ID, Kind: sso.SignIn, Continuation: []byte(s.o.Issuer.SealAuthorization(a, v.Browser)), Browser: v.Browser,
		LoginHint: hint, ForceAuthn: forced(a.Request), Base: base, IP: v.IP, UserAgent: v.UserAgent, Network: v.Network,
	})
	if f, ok := fault.As(err); ok && f.Kind != fault.Internal && f.Kind != fault.Limited {
		return s.told(a, oidc.Refuse(oidc.AccessDenied, "%s", f.Message).Because(err))
	}
	if err != nil {
		return Next{}, err
	}
	return Next{URL: out.URL, Form: out.Form, App: a.ClientName, Target: a.Request.RedirectURI}, nil
}

// forced tells whether the provider has to ask the person again.
func forced(r oidc.AuthorizationRequest) bool { return r.Prompts(oidc.PromptLogin) || r.MaxAge != nil }

// lost says that a write has to be computed again: something changed between reading and writing.
func lost(err error) bool {
	var guard *db.GuardError
	var unique *db.UniqueError
	return errors.As(err, &guard) || errors.As(err, &unique)
}
