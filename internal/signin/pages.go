package signin

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

const (
	lastLife    = 90 * 24 * time.Hour
	restartLife = time.Minute
)

// proceed takes the next step of a browser: cookies first, then the way on or a page.
func (c *call) proceed(n lifecycle.Next) error {
	if n.Session != "" {
		life := n.Until.Sub(c.s.o.Now())
		web.SessionCookie.Set(c.w, c.r, n.Session.Reveal(), life)
		if browser := web.BrowserCookie.Value(c.r); browser != "" { // by it the person's sessions here are known together
			web.BrowserCookie.Set(c.w, c.r, browser, life+browserLife)
		}
	}
	if n.Remember != nil {
		web.LastCookie.Set(c.w, c.r, writeLast(*n.Remember), lastLife)
	}
	if n.Restart != "" {
		web.RestartCookie.Set(c.w, c.r, n.Restart, restartLife)
	}
	switch {
	case n.URL != "":
		c.redirect(n.URL)
		return nil
	case n.Form != nil:
		return c.page(http.StatusOK, web.OnwardPage{Action: n.Form.Action, Fields: fields(n.Form.Fields)}, n.Target)
	}
	switch n.Page {
	case lifecycle.AskEmail:
		return c.page(statusOf(n.Wrong), web.SignInPage{App: n.App, Email: n.Email, Continue: n.Sealed, SignUp: n.SignUp, Wrong: c.sentence(n.Wrong), Codes: n.Codes}, n.Target)
	case lifecycle.AskCode:
		return c.page(statusOf(n.Wrong), web.CodePage{App: n.App, Email: n.Email, Magic: n.Magic, Wrong: c.sentence(n.Wrong), Again: again(n.Sealed), Continue: n.Sealed}, n.Target)
	case lifecycle.AskWhich:
		return c.page(http.StatusOK, web.ChoosePage{App: n.App, Email: n.Email, Choice: n.Sealed, Organizations: choices(n.Choices)}, n.Target)
	case lifecycle.ShowRefuse:
		c.q.Note("sign_in_attempt", n.Attempt)
		// What belongs to no attempt is kept up to a number; the request's own is in the log.
		return c.page(http.StatusForbidden, web.RefusalPage{App: n.App, ID: cmp.Or(n.Attempt, c.q.ID), Again: again(n.Sealed)}, n.Target)
	case lifecycle.ShowAlready:
		return c.page(http.StatusOK, web.AlreadyPage{Places: places(n.Places)}, "")
	case lifecycle.NoPage:
	}
	return fault.New(fault.Internal, "internal_error", "a step leads nowhere")
}

func (c *call) page(status int, p web.Page, target string) error {
	return c.s.o.Pages.Write(c.w, c.r, status, p, target)
}

func statusOf(w lifecycle.Wrong) int {
	switch w {
	case lifecycle.NotWrong:
		return http.StatusOK
	case lifecycle.TooMany, lifecycle.TooManyOut:
		return http.StatusTooManyRequests
	case lifecycle.WrongEmail, lifecycle.WrongCode, lifecycle.NoWay:
		return http.StatusUnprocessableEntity
	}
	return http.StatusUnprocessableEntity
}

func (c *call) sentence(w lifecycle.Wrong) string {
	say := c.s.o.Pages.Words(c.r)
	switch w {
	case lifecycle.WrongEmail:
		return say.T("member.wrong_email")
	case lifecycle.WrongCode:
		return say.T("member.wrong_code")
	case lifecycle.TooMany:
		return say.T("member.too_many")
	case lifecycle.TooManyOut:
		return say.T("member.too_many_codes")
	case lifecycle.NoWay:
		return say.T("member.no_way")
	case lifecycle.NotWrong:
	}
	return ""
}

func again(sealed string) string {
	if sealed == "" {
		return ""
	}
	return "/sign-in?" + url.Values{"continue": {sealed}}.Encode()
}

func fields(in [][2]string) []web.Field {
	out := make([]web.Field, len(in))
	for i, f := range in {
		out[i] = web.Field{Name: f[0], Value: f[1]}
	}
	return out
}

func choices(in []lifecycle.Choice) []web.Choice {
	out := make([]web.Choice, len(in))
	for i, o := range in {
		out[i] = web.Choice{ID: o.OrganizationID, Name: o.Name, Last: o.Last}
	}
	return out
}

func places(in []lifecycle.Place) []web.Place {
	out := make([]web.Place, len(in))
	for i, p := range in {
		out[i] = web.Place{App: p.App, URL: p.URL}
	}
	return out
}

// showSignIn begins again with what this browser began before.
func showSignIn(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	n, err := c.s.o.SignIns.Again(c.ctx(), c.visitor(true), q.Get("continue"))
	if err != nil {
		return err
	}
	return c.proceed(n)
}

// typed reads a form of ours that costs a mail, or is one of a few guesses.
func (c *call) typed() (url.Values, error) {
	if err := c.limit(c.s.mails); err != nil {
		return nil, err
	}
	return c.form(maxForm)
}

func takeEmail(c *call) error {
	f, err := c.typed()
	if err != nil {
		return err
	}
	n, err := c.s.o.SignIns.Email(c.ctx(), c.visitor(false), f.Get("continue"), f.Get("email"), f.Get("way") == "code")
	if err != nil {
		return err
	}
	return c.proceed(n)
}

func takeCode(c *call) error {
	f, err := c.typed()
	if err != nil {
		return err
	}
	n, err := c.s.o.SignIns.EnterCode(c.ctx(), c.visitor(false), f.Get("magic"), token.Secret(digits(f.Get("code"))))
	if err != nil {
		return err
	}
	if n.Page == lifecycle.AskCode {
		n.Email = f.Get("email")
		if begun, err := c.s.o.SignIns.AppOf(c.visitor(false), f.Get("continue")); err == nil { // else there is no way back to offer
			n.Sealed, n.App, n.Target = f.Get("continue"), begun.App, begun.Target
		}
	}
	return c.proceed(n)
}

// digits leaves out what people type between them.
func digits(code string) string {
	out := make([]byte, 0, len(code))
	for i := range len(code) {
		if code[i] >= '0' && code[i] <= '9' {
			out = append(out, code[i])
		}
	}
	return string(out)
}

func takeChoice(c *call) error {
	f, err := c.form(maxForm)
	if err != nil {
		return err
	}
	n, err := c.s.o.SignIns.Choose(c.ctx(), c.visitor(false), f.Get("choice"), f.Get("organization"))
	if err != nil {
		return err
	}
	return c.proceed(n)
}

// showLink only asks: programs that look into mails open links, too.
func showLink(c *call) error {
	n, err := c.s.o.SignIns.LinkApp(c.ctx(), c.visitor(false), token.Secret(c.values["token"]))
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, web.LinkPage{App: n.App}, n.Target)
}

func takeLink(c *call) error {
	if err := c.limit(c.s.mails); err != nil {
		return err
	}
	n, err := c.s.o.SignIns.FollowLink(c.ctx(), c.visitor(false), token.Secret(c.values["token"]))
	if err != nil {
		return err
	}
	return c.proceed(n)
}

func onward(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	n, err := c.s.o.SignIns.Onward(c.ctx(), c.visitor(true), q.Get("to"), q.Get("connection"), q.Get("login_hint"))
	if err != nil {
		return err
	}
	return c.proceed(n)
}

// test begins a test sign-in or shows its result.
func test(c *call) error {
	n, result, err := c.s.o.SignIns.Test(c.ctx(), c.visitor(true), c.values["test"])
	if err != nil {
		return err
	}
	if result == nil {
		return c.proceed(n)
	}
	return c.page(http.StatusOK, resultPage(c.s.o.Pages.Words(c.r), *result), "")
}

func resultPage(say *words.Words, r lifecycle.Result) web.TestPage {
	p := web.TestPage{Connection: r.Connection, Organization: r.Organization, ID: string(r.Attempt.ID), OK: r.Attempt.State == sso.Succeeded}
	for _, check := range r.Attempt.Checks {
		line := web.Check{Name: web.SayCheck(say, check.Name), OK: check.Passed, Expected: check.Wanted, Actual: check.Got}
		if refused := r.Attempt.Refused; refused != nil && check.Code == refused.Code {
			line.Note = note(say, *refused)
		}
		p.Checks = append(p.Checks, line)
	}
	if refused := r.Attempt.Refused; refused != nil && !named(r.Attempt.Checks, refused.Code) {
		rest := *refused
		rest.Message = "" // it is the name already
		p.Checks = append(p.Checks, web.Check{Name: refused.Message, Note: note(say, rest), Expected: refused.Wanted, Actual: refused.Got})
	}
	return p
}

// note says what is wrong, what mends it, and who does.
func note(say *words.Words, r sso.Refused) string {
	return strings.Join(slices.DeleteFunc([]string{r.Message, r.Advice, web.SayFixer(say, string(r.Fixer))}, func(s string) bool { return s == "" }), " ")
}

func named(checks []sso.Check, code sso.Code) bool {
	for _, check := range checks {
		if check.Code == code {
			return true
		}
	}
	return false
}
