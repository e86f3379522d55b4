package signin_test

import (
	"net/http"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// called signs a browser in as a person whom the provider calls by another name each time, and knows by an attribute.
func (b *browser) called(name, index string, more ...string) map[string]any {
	b.w.t.Helper()
	request, relay := b.atProvider(b.w.authorization(append([]string{"organization", string(b.w.org.ID)}, more...)...))
	m := b.w.message(b.w.conn, request)
	m.NameID, m.NameIDFormat, m.SessionIndex = name, "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", index
	m.Attributes = []samltest.Attribute{{Name: "uid", Values: []string{"4711"}}, {Name: "mail", Values: []string{samltest.Person}}}
	_, tokens := b.w.redeem(b.w.code(b.deliver(b.w.conn, m, relay).location(b.w.t)))
	return tokens
}

func (w *world) withNames() {
	w.t.Helper()
	w.withLogout("", func(ch *sso.Change) { ch.AttributeMap = &sso.AttributeMap{"idp_id": {"uid"}, "email": {"mail"}} })
}

func (w *world) providerEnds(name string, indexes ...string) {
	w.t.Helper()
	address, err := w.logoutRequest(w.conn, w.idp, name, indexes...).Redirect("", w.theirKey(w.idp))
	w.ok(err)
	w.browser().get(address).want(w.t, http.StatusSeeOther)
}

func TestLogout_names_the_person_as_the_provider_did_when_the_session_began(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withNames()
		first, second := w.browser(), w.browser()
		hint := first.called("_name1", "_s1")["id_token"].(string)
		second.called("_name2", "_s2")
		r := w.asked(first.get(w.signOut(hint, "s")).location(t))
		if want := (saml.NameID{Value: "_name1", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}); r.NameID.Value != want.Value || r.NameID.Format != want.Format {
			t.Errorf("asked about %+v, want %+v", r.NameID, want)
		}
		w.wantLiving(1)
	})
}

func TestProvider_ends_a_session_by_the_name_that_it_had_for_the_person_then(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withNames()
		first, second := w.browser(), w.browser()
		first.called("_name1", "_s1")
		second.called("_name2", "_s2")
		w.providerEnds("_name1", "_s2") // no session was called so
		w.providerEnds("_name3")
		w.wantLiving(2)
		w.providerEnds("_name1")
		w.wantLiving(1)
		w.requestID(first.get(w.authorization("organization", string(w.org.ID))).location(t))
		w.providerEnds("_name2", "_s2")
		w.wantLiving(0)
	})
}

// The session goes on, and so does what the provider may call it.
func TestProvider_ends_a_session_by_the_names_of_earlier_sign_ins_in_it(t *testing.T) {
	for _, names := range [][2]string{{"_name1", "_s1"}, {"_name2", "_s2"}, {"_name1", ""}} {
		each(t, func(t *testing.T, w *world) {
			w.withNames()
			b := w.browser()
			b.called("_name1", "_s1")
			b.called("_name2", "_s2", "prompt", "login")
			w.wantLiving(1)
			w.providerEnds("_name1", "_s2")
			w.providerEnds("_name2", "_s1")
			w.wantLiving(1)
			if names[1] == "" {
				w.providerEnds(names[0])
			} else {
				w.providerEnds(names[0], names[1])
			}
			w.wantLiving(0)
		})
	}
}

func TestSession_of_an_earlier_release_is_named_as_its_profile_is(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.withNames()
		first, second := w.browser(), w.browser()
		hint := first.called("_name1", "_s1")["id_token"].(string)
		second.called("_name2", "_s2")
		var before db.Write
		before.Exec(`UPDATE sessions SET subject = NULL, subject_key = NULL, browser = NULL`)
		w.ok(w.db.Write(ctx, &before))
		r := w.asked(first.get(w.signOut(hint, "s")).location(t))
		if r.NameID.Value != "_name2" {
			t.Errorf("asked about %+v", r.NameID)
		}
		w.providerEnds("_name2", "_s2")
		w.wantLiving(0)
	})
}
