package dashboard_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web/browsertest"
)

func does(ctx context.Context, t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// inspect looks at a page in light, dark, wide and at 360 pixels: it is no wider than the window, axe finds nothing serious in it, and the browser
// complains about nothing. With -pictures it writes what it saw into the folder build, under this name.
func inspect(ctx context.Context, t *testing.T, address, name string, said func() []string) {
	t.Helper()
	for _, l := range browsertest.Looks() {
		l.Put(ctx, t)
		does(ctx, t, chromedp.Navigate(address))
		seen(ctx, t, name, l.Name)
		for _, line := range said() {
			t.Errorf("%s, %s: the browser says %q", name, l.Name, line)
		}
	}
}

// seen looks at the page that is open.
func seen(ctx context.Context, t *testing.T, name, look string) {
	t.Helper()
	browsertest.Picture(ctx, t, name+"-"+look)
	browsertest.Fits(ctx, t, name+", "+look)
	browsertest.Readable(ctx, t, name+", "+look)
}

// authenticator is a device that makes passkeys, with a finger on it that is the right one or not.
func authenticator(ctx context.Context, t *testing.T, verified bool) webauthn.AuthenticatorID {
	t.Helper()
	if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	made, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true, IsUserVerified: verified,
		AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return made.AuthenticatorID
}

// signIn signs the browser in by a link, with no passkey kept.
func (w *world) signIn(ctx context.Context, t *testing.T, role operator.Role) operator.Operator {
	t.Helper()
	o, path := w.link(string(role)+"@example.com", role)
	does(ctx, t, chromedp.Navigate(w.base+path), chromedp.Click("form button"), chromedp.WaitVisible("form[data-passkey] button"))
	return o
}

func TestPasskey_is_made_after_the_link_and_signs_in_from_then_on(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	device := authenticator(ctx, t, true)
	o := w.signIn(ctx, t, operator.Owner)
	browsertest.Picture(ctx, t, "passkey-offer")
	does(ctx, t, chromedp.Click("form[data-passkey] button"), chromedp.WaitVisible("#passkeys tbody tr"))
	kept, err := w.operators.Passkeys(ctx, o.ID)
	if err != nil || len(kept) != 1 || kept[0].Host != "localhost" || len(w.audits("operator_passkey.created")) != 1 {
		t.Fatalf("%+v %v", kept, err)
	}
	does(ctx, t, chromedp.Click(".account-button"), chromedp.Click("#account form button"), chromedp.WaitVisible("form[data-passkey=show] button"))
	does(ctx, t, chromedp.Navigate(w.base+"/dashboard/account"), chromedp.WaitVisible("form[data-passkey=show] button"), chromedp.Click("form[data-passkey=show] button"), chromedp.WaitVisible("#sessions"))
	sessions, err := w.operators.Sessions(ctx, o.ID)
	if err != nil || len(sessions) != 1 || sessions[0].Method != operator.ByPasskey {
		t.Fatalf("%+v %v", sessions, err)
	}
	if kept, err = w.operators.Passkeys(ctx, o.ID); err != nil || kept[0].LastUsedAt.IsZero() {
		t.Error("the use of the passkey is not noted", kept, err)
	}
	if lines := said(); len(lines) > 0 {
		t.Error("the browser says", lines)
	}

	// The same device has one already, and says so.
	does(ctx, t, chromedp.Navigate(w.base+"/dashboard/passkeys/new"), chromedp.Click("form[data-passkey] button"), chromedp.WaitVisible("[data-passkey-error=known]"))

	// A finger that is not the right one signs nobody in.
	if _, err := chromedp.Call(ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: false}); err != nil {
		t.Fatal(err)
	}
	does(ctx, t, chromedp.Click(".below a, main a"), chromedp.WaitVisible(".account-button"), chromedp.Click(".account-button"), chromedp.Click("#account form button"), chromedp.WaitVisible("form[data-passkey=show] button"),
		chromedp.Click("form[data-passkey=show] button"), chromedp.WaitVisible("[data-passkey-error=cancelled]"))
	browsertest.Picture(ctx, t, "passkey-cancelled")

	// Deleted here it opens nothing any more, whatever the device thinks.
	if _, err := chromedp.Call(ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: true}); err != nil {
		t.Fatal(err)
	}
	w.ok(w.operators.DeletePasskey(ctx, o.ID, kept[0].ID))
	does(ctx, t, chromedp.Click("form[data-passkey=show] button"), chromedp.WaitVisible(".alert"))
	if text := browsertest.Evaluate[string](ctx, t, "document.querySelector('main').innerText"); !strings.Contains(text, "could not be accepted") {
		t.Error(text)
	}
	browsertest.Picture(ctx, t, "passkey-refused")
}

// A device that lies is believed by the browser; we look ourselves.
func TestPasskey_is_refused_where_the_person_was_not_verified_the_signature_is_wrong_or_a_copy_is_about(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	device := authenticator(ctx, t, true)
	o := w.signIn(ctx, t, operator.Owner)
	does(ctx, t, chromedp.Click("form[data-passkey] button"), chromedp.WaitVisible("#passkeys tbody tr"), chromedp.Click(".account-button"), chromedp.Click("#account form button"), chromedp.WaitVisible("form[data-passkey=show] button"))
	show := chromedp.Click("form[data-passkey=show] button")
	for what, bits := range map[string]webauthn.SetResponseOverrideBitsParams{
		"not verified": {IsBadUV: new(true)},
		"wrong signed": {IsBogusSignature: new(true)},
		"nobody there": {IsBadUP: new(true)},
	} {
		bits.AuthenticatorID = device
		if _, err := chromedp.Call(ctx, webauthn.SetResponseOverrideBits, bits); err != nil {
			t.Fatal(err)
		}
		does(ctx, t, chromedp.Navigate(w.base+"/dashboard/sign-in"), show, chromedp.WaitVisible(".alert"))
		if open, err := w.operators.Sessions(ctx, o.ID); err != nil || len(open) > 0 {
			t.Fatalf("%s: signed in (%v)", what, err)
		}
	}
	if _, err := chromedp.Call(ctx, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: device, IsBadUV: new(false), IsBadUP: new(false), IsBogusSignature: new(false)}); err != nil {
		t.Fatal(err)
	}
	counter := func(n string) {
		var stored string
		w.ok(w.db.QueryRow(t.Context(), `SELECT credential FROM operator_passkeys`).Scan(&stored))
		changed := regexp.MustCompile(`"signCount":\d+`).ReplaceAllString(stored, `"signCount":`+n)
		var write db.Write
		write.Exec(`UPDATE operator_passkeys SET credential = $1`, changed)
		w.ok(w.db.Write(t.Context(), &write))
		if n != "1" && changed == stored {
			t.Fatal("no counter in", stored)
		}
	}
	counter("4000000")
	does(ctx, t, chromedp.Navigate(w.base+"/dashboard/sign-in"), show, chromedp.WaitVisible(".alert"))
	if open, err := w.operators.Sessions(ctx, o.ID); err != nil || len(open) > 0 {
		t.Fatalf("a copy signed in (%v)", err)
	}
	counter("1")
	does(ctx, t, chromedp.Navigate(w.base+"/dashboard/sign-in"), show, chromedp.WaitVisible(".account-button"))
	for _, cause := range []string{"copied", "refused"} {
		for end := time.Now().Add(10 * time.Second); !strings.Contains(w.said(), cause) && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		if !strings.Contains(w.said(), cause) {
			t.Errorf("the log does not say %q", cause)
		}
	}
}

func TestPages_of_operators_can_be_read_by_everybody(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	_ = authenticator(ctx, t, true)
	secret, _, err := w.operators.First(ctx)
	w.ok(err)
	inspect(ctx, t, w.base+"/dashboard/link/"+secret.Reveal(), "first", said)
	inspect(ctx, t, w.base+"/dashboard/sign-in", "sign-in", said)
	o := w.signIn(ctx, t, operator.Owner)
	does(ctx, t, chromedp.Click("form[data-passkey] button"), chromedp.WaitVisible("#passkeys tbody tr"))
	w.troubled()
	_, _ = w.link("a-very-long-address-that-does-not-fit@a-very-long-name-of-a-company.example.com", operator.ReadOnly)
	for _, page := range []string{"", "account", "operators", "operators/" + string(o.ID), "operators/" + string(o.ID) + "/remove", "passkeys/new"} {
		inspect(ctx, t, w.base+"/dashboard/"+page, "page-"+strings.NewReplacer("/", "-", string(o.ID), "one").Replace(page), said)
	}
	browsertest.WithoutScript(ctx, t)
	does(ctx, t, chromedp.Navigate(w.base+"/dashboard/operators"), chromedp.SendKeys("#email", "new@example.com"), chromedp.Click("main .card form button"), chromedp.WaitVisible("#link"))
	browsertest.Picture(ctx, t, "link-made")
}
