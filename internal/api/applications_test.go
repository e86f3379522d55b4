package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// profiles are those the test has told of.
type profiles map[string]issuer.Profile

func (p profiles) Profile(_ context.Context, id string) (issuer.Profile, error) {
	found, ok := p[id]
	if !ok {
		return found, fault.New(fault.NotFound, "entity_not_found", "Profile not found: '%.80s'.", id)
	}
	return found, nil
}

// everythingOfASignIn makes one event of each type that sessions and mailed codes have.
func (w *world) everythingOfASignIn(organization string) {
	w.Helper()
	visitor := session.Visitor{Browser: token.HashOf("cookie"), IP: "203.0.113.1", UserAgent: "Firefox"}
	var mailed db.Write
	m, code, _, err := w.sessions.MagicInto(w.Context(), w.db, &mailed, session.NewMagic{Email: "ada@example.com", EmailKey: "ada@example.com", Browser: visitor.Browser})
	w.must(err)
	w.must(w.db.Write(w.Context(), &mailed))
	wrong := token.Secret("000000")
	if code == wrong {
		wrong = "000001"
	}
	if _, err := w.sessions.CheckCode(w.Context(), m.ID, wrong, visitor); !fault.Is(err, fault.Invalid) {
		w.Fatalf("a wrong code: %v", err)
	}
	found, err := w.sessions.CheckCode(w.Context(), m.ID, code, visitor)
	w.must(err)
	var in db.Write
	w.sessions.RedeemMagicInto(&in, found, "user_1", visitor)
	made := w.sessions.StartInto(&in, session.New{Cookie: token.HashOf("session"), OrganizationID: organization, UserID: "user_1", Method: session.MagicAuth, IP: visitor.IP})
	w.must(w.db.Write(w.Context(), &in))
	_, err = w.sessions.End(w.Context(), session.Selection{SessionID: made.ID}, session.Ending{Reason: session.SignedOut, Context: event.Context{Actor: event.Actor{ID: "user_1", Source: event.System}}})
	w.must(err)
}

func (w *world) application(more string) reply {
	w.Helper()
	return w.send("POST", "/connect/applications", `{"name":"App","application_type":"oauth","is_first_party":true`+more+`}`)
}

func TestApplication_is_made_changed_and_deleted(t *testing.T) {
	onBoth(t, func(w *world) {
		made := w.application(`,"description":null,"scopes":null,"redirect_uris":[{"uri":"https://a.test/cb"},{"uri":"http://localhost:3000/cb","default":true}],"uses_pkce":null,
			"post_logout_redirect_uris":["https://a.test/bye"],"backchannel_logout_uri":"https://127.0.0.1/logout","signing_alg":"ES256","organization_id":null`).wants(201)
		id := made.text("id")
		if !isID(id, issuer.ApplicationPrefix) || !isID(made.text("client_id"), issuer.ClientPrefix) || made.object["is_first_party"] != true || made.object["signing_alg"] != "ES256" || made.object["was_dynamically_registered"] != nil {
			t.Errorf("%s", made.raw)
		}
		if got := w.get("/connect/applications/" + id).wants(200); got.raw != made.raw {
			t.Errorf("%s\n%s", got.raw, made.raw)
		}
		if got := w.get("/connect/applications/" + made.text("client_id")).wants(200); got.raw != made.raw {
			t.Errorf("%s\n%s", got.raw, made.raw)
		}
		after := w.send("PUT", "/connect/applications/"+id, `{"name":"Other","redirect_uris":null,"scopes":["openid"],"backchannel_logout_uri":null}`).wants(200)
		if after.text("name") != "Other" || after.object["backchannel_logout_uri"] != nil || len(after.object["redirect_uris"].([]any)) != 2 || len(after.object["scopes"].([]any)) != 1 {
			t.Errorf("%s", after.raw)
		}
		w.send("PUT", "/connect/applications/"+id, `{"is_public":true}`).wants(422)
		w.send("PUT", "/connect/applications/"+id, `{"is_public":false,"is_first_party":true}`).wants(200)
		organization := w.organization("Acme")
		foreign := w.send("POST", "/connect/applications", `{"name":"Partner","application_type":"oauth","is_first_party":false,"organization_id":"`+organization+`"}`).wants(201)
		if foreign.text("organization_id") != organization || foreign.object["was_dynamically_registered"] != false {
			t.Errorf("%s", foreign.raw)
		}
		if got := w.get("/connect/applications").wants(200).each("id"); !slices.Equal(got, []string{foreign.text("id"), id}) {
			t.Errorf("%v", got)
		}
		if got := w.get("/connect/applications?organization_id=" + organization).wants(200).each("id"); !slices.Equal(got, []string{foreign.text("id")}) {
			t.Errorf("%v", got)
		}
		if got := w.get("/connect/applications?registration_types=dynamic").wants(200).each("id"); len(got) != 0 {
			t.Errorf("%v", got)
		}
		w.get("/connect/applications?registration_types=other").wants(422)
		w.send("DELETE", "/connect/applications/"+id, "").wants(204)
		w.get("/connect/applications/" + id).wants(404)
		w.get("/connect/applications/" + made.text("client_id")).wants(404)
		a, err := w.issuer.Default(w.Context())
		w.must(err)
		w.send("DELETE", "/connect/applications/"+a.ID, "").wants(409)
	})
}

func TestApplication_that_could_not_work_is_refused(t *testing.T) {
	onOne(t, func(w *world) {
		for body, code := range map[string]string{
			`{"name":"M","application_type":"m2m","organization_id":"org_1"}`:                                           "unsupported_application_type",
			`{"name":"M","application_type":"saml","is_first_party":true}`:                                              "invalid_application_type",
			`{"name":"M","is_first_party":true}`:                                                                        "invalid_application_type",
			`{"name":"M","application_type":"oauth"}`:                                                                   "required",
			`{"application_type":"oauth","is_first_party":true}`:                                                        "required",
			`{"name":"M","application_type":"oauth","is_first_party":false}`:                                            "required",
			`{"name":"M","application_type":"oauth","is_first_party":true,"redirect_uris":[{"uri":"x"}]}`:               "invalid_redirect_uri",
			`{"name":"M","application_type":"oauth","is_first_party":true,"signing_alg":"none"}`:                        "invalid_signing_alg",
			`{"name":"M","application_type":"oauth","is_first_party":true,"backchannel_logout_uri":1}`:                  "invalid_type",
			`{"name":"M","application_type":"oauth","is_first_party":true,"initiate_login_uri":"x"}`:                    "invalid_redirect_uri",
			`{"name":"M","application_type":"oauth","is_first_party":true,"backchannel_logout_uri":"http://10.0.0.1/"}`: "invalid_url",
		} {
			if got := w.send("POST", "/connect/applications", body).wants(422); got.text("code") != code {
				t.Errorf("%s: %s", body, got.raw)
			}
		}
		w.send("POST", "/connect/applications", `{"name":"M","application_type":"oauth","is_first_party":false,"organization_id":"org_x"}`).wants(404)
	})
}

func TestClientSecret_is_shown_once_and_deleted(t *testing.T) {
	onBoth(t, func(w *world) {
		id := w.application("").wants(201).text("id")
		first := w.send("POST", "/connect/applications/"+id+"/client_secrets", "").wants(201)
		second := w.send("POST", "/connect/applications/"+id+"/client_secrets", "{}").wants(201)
		list := w.get("/connect/applications/" + id + "/client_secrets").wants(200)
		if len(list.array) != 2 || list.array[0]["id"] != second.text("id") || strings.Contains(list.raw, first.text("secret")) || !strings.HasSuffix(first.text("secret"), first.text("secret_hint")) {
			t.Errorf("%s", list.raw)
		}
		w.send("DELETE", "/connect/client_secrets/"+first.text("id"), "").wants(204)
		w.send("DELETE", "/connect/client_secrets/"+first.text("id"), "").wants(404)
		if list := w.get("/connect/applications/" + id + "/client_secrets").wants(200); len(list.array) != 1 {
			t.Errorf("%s", list.raw)
		}
		for range 4 {
			w.send("POST", "/connect/applications/"+id+"/client_secrets", "").wants(201)
		}
		w.send("POST", "/connect/applications/"+id+"/client_secrets", "").wants(422)
		w.get("/connect/applications/conn_app_x/client_secrets").wants(404)
	})
}

func TestRedirectURI_of_the_default_application(t *testing.T) {
	onBoth(t, func(w *world) {
		first := w.send("POST", "/user_management/redirect_uris", `{"uri":"https://a.test/cb"}`).wants(201)
		second := w.send("POST", "/user_management/redirect_uris", `{"uri":"https://a.test/two"}`).wants(201)
		if first.object["default"] != true || second.object["default"] != false {
			t.Errorf("%s %s", first.raw, second.raw)
		}
		if got := w.send("POST", "/user_management/redirect_uris", `{"uri":"https://a.test/cb"}`).wants(422).text("message"); got != "Redirect URI 'https://a.test/cb' already exists." {
			t.Error(got)
		}
		w.send("POST", "/user_management/redirect_uris", `{"uri":"http://a.test/cb"}`).wants(422)
		if got := w.get("/user_management/redirect_uris?order=asc").wants(200).each("uri"); !slices.Equal(got, []string{"https://a.test/cb", "https://a.test/two"}) {
			t.Errorf("%v", got)
		}
		w.send("DELETE", "/user_management/redirect_uris/"+first.text("id"), "").wants(409)
		w.send("DELETE", "/user_management/redirect_uris/"+second.text("id"), "").wants(204)
		w.send("DELETE", "/user_management/redirect_uris/"+second.text("id"), "").wants(404)
	})
}

func TestLogoutDeliveries_show_the_seconds_to_the_acknowledgement(t *testing.T) {
	onBoth(t, func(w *world) {
		app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
		defer app.Close()
		id := w.application(`,"backchannel_logout_uri":"` + app.URL + `/logout"`).wants(201).text("id")
		var in db.Write
		made := w.sessions.StartInto(&in, session.New{Cookie: token.HashOf("session"), UserID: "user_1", Method: session.SSO})
		in.Exec(`INSERT INTO session_applications (session_id, application_id, created_at) VALUES ($1, $2, 0)`, made.ID, id)
		w.must(w.db.Write(w.Context(), &in))
		_, err := w.sessions.End(w.Context(), session.Selection{SessionID: made.ID}, session.Ending{Reason: session.SignedOut})
		w.must(err)
		if _, err = w.issuer.FanOut(w.Context()); err != nil {
			t.Fatal(err)
		}
		waiting := w.get("/connect/applications/" + id + "/logout_deliveries").wants(200)
		if got := waiting.object["data"].([]any)[0].(map[string]any); got["state"] != "pending" || got["seconds"] != nil || got["session_id"] != made.ID {
			t.Errorf("%v", got)
		}
		run(w, func() bool {
			got := w.get("/connect/applications/" + id + "/logout_deliveries").wants(200).object["data"].([]any)[0].(map[string]any)
			seconds, acknowledged := got["seconds"].(float64)
			return got["state"] == "delivered" && acknowledged && seconds > 0 && seconds < 60
		})
		w.get("/connect/applications/conn_app_x/logout_deliveries").wants(404)
	})
}

// run lets the provider work until something is reached.
func run(w *world, reached func() bool) {
	w.Helper()
	c, stop := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.issuer.Run(c)
	}()
	defer func() {
		stop()
		<-done
	}()
	for range 1000 {
		if reached() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.Fatal("it never came")
}

func TestLogout_of_a_profile_is_authorized(t *testing.T) {
	onOne(t, func(w *world) {
		w.profiles["prof_1"] = issuer.Profile{ID: "prof_1", OrganizationID: "org_1"}
		got := w.send("POST", "/sso/logout/authorize", `{"profile_id":"prof_1"}`).wants(200)
		if !strings.HasPrefix(got.text("logout_url"), fmt.Sprintf("%s/sso/logout?token=%s", publicURL, got.text("logout_token"))) {
			t.Error(got.raw)
		}
		w.send("POST", "/sso/logout/authorize", `{"profile_id":"prof_2"}`).wants(404)
		w.send("POST", "/sso/logout/authorize", `{}`).wants(422)
	})
}
