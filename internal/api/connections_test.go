package api

import (
	"encoding/pem"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

func pemOf(s samltest.Signer) string {
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate.Raw}))
	return strings.ReplaceAll(text, "\n", `\n`)
}

// samlConnection makes a complete one.
func (w *world) samlConnection(organization string) (reply, *samltest.IDP) {
	w.Helper()
	p := samltest.New("https://idp.example.com/acme")
	made := w.send("POST", "/connections", `{"organization_id":"`+organization+`","name":"Acme Okta","connection_type":"OktaSAML","idp_entity_id":"`+p.EntityID+`",
		"sso_url":"https://idp.example.com/sso","certificates":["`+pemOf(p.Signer)+`"]}`).wants(http.StatusCreated)
	return made, p
}

func (w *world) begin(id string, kind sso.Kind) sso.AttemptID {
	w.Helper()
	out, err := w.conns.Start(w.Context(), sso.Start{ConnectionID: sso.ID(id), Kind: kind, Browser: token.HashOf("a browser"), Base: publicURL})
	w.must(err)
	return out.Attempt
}

func TestConnection_is_made_changed_and_deleted(t *testing.T) {
	onBoth(t, func(w *world) {
		organization := w.organization("Acme")
		made, p := w.samlConnection(organization)
		id, key := made.text("id"), ""
		if acs := made.text("acs_url"); strings.HasPrefix(acs, publicURL+"/saml/") && strings.HasSuffix(acs, "/acs") {
			key = strings.TrimSuffix(strings.TrimPrefix(acs, publicURL+"/saml/"), "/acs")
		}
		if len(key) != 24 || made.text("sp_entity_id") != publicURL+"/saml/"+key || made.text("sp_metadata_url") != publicURL+"/saml/"+key ||
			made.text("login_url") != publicURL+"/saml/"+key+"/login" || made.text("state") != "validating" || made.text("provider") != "okta" ||
			made.at("redirect_uri") != nil || made.text("options.unsolicited") != "restart" || made.at("options.clock_skew") != 120.0 {
			t.Fatalf("%s", made.raw)
		}
		if strings.Contains(made.raw, "PRIVATE") || strings.Contains(made.raw, "s1.") {
			t.Error("a sealed or private key is shown")
		}
		w.get("/connections/" + id).wants(200)
		same(t, "list", w.get("/connections?organization_id="+organization+"&connection_type=OktaSAML&search=okta").wants(200).each("id"), []string{id})
		same(t, "other type", w.get("/connections?connection_type=GenericOIDC").wants(200).each("id"), []string{})
		same(t, "other domain", w.get("/connections?domain=nowhere.example").wants(200).each("id"), []string{})

		changed := w.send("PATCH", "/connections/"+id, `{"name":"Okta","state":"inactive","options":{"sign_requests":true},"acs_paths":["/sso/saml/acs/01HXYZ"],
			"sp_entity_id":"https://old.example/sp","attribute_map":{"department":["dept"]}}`).wants(200)
		if changed.text("state") != "inactive" || changed.at("options.sign_requests") != true || changed.text("sp_entity_id") != "https://old.example/sp" {
			t.Errorf("%s", changed.raw)
		}
		back := w.send("PATCH", "/connections/"+id, `{"state":"active","sp_entity_id":null,"attribute_map":null}`).wants(200)
		if back.text("state") != "validating" || back.text("sp_entity_id") != publicURL+"/saml/"+key || len(back.at("attribute_map").(map[string]any)) != 0 {
			t.Errorf("%s", back.raw)
		}
		second := samltest.NewSigner(samltest.RSA("second", 2048), time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour))
		w.send("POST", "/connections/"+id+"/certificates", `{"certificate":"`+pemOf(second)+`"}`).wants(201)
		listed := w.get("/connections/" + id + "/certificates").wants(200)
		if len(listed.data()) != 2 || p.Certificate == nil {
			t.Errorf("%s", listed.raw)
		}
		w.send("DELETE", "/connections/"+id+"/certificates/"+listed.each("fingerprint")[0], "").wants(204)
		w.send("DELETE", "/connections/"+id+"/certificates/"+listed.each("fingerprint")[0], "").refused(404, "entity_not_found", "")
		test := w.send("POST", "/connections/"+id+"/test_sign_ins", "").wants(201)
		if !strings.HasPrefix(test.text("url"), publicURL) {
			t.Errorf("%s", test.raw)
		}
		attempt := string(w.begin(id, sso.SignIn))
		if got := w.get("/sign_in_attempts/" + attempt).wants(200); got.text("state") != "at_provider" || got.text("connection_id") != id {
			t.Errorf("%s", got.raw)
		}
		same(t, "attempts", w.get("/connections/"+id+"/sign_in_attempts").wants(200).each("id"), []string{attempt})
		w.send("DELETE", "/connections/"+id, "").wants(204)
		w.get("/connections/"+id).refused(404, "entity_not_found", "")
	})
}

func TestConnection_refusals_name_the_field(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, db.SQLite, migrations.Files))
	organization := w.organization("Acme")
	for body, want := range map[string][2]string{
		`{"organization_id":"` + organization + `","name":"a"}`:                                                                         {"required", "connection_type"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"GitHubOAuth"}`:                                         {"invalid_type", "connection_type"},
		`{"organization_id":"` + organization + `","name":"a","provider":"nobody"}`:                                                     {"invalid_provider", "provider"},
		`{"organization_id":"` + organization + `","connection_type":"OktaSAML"}`:                                                       {"required", "name"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","sso_url":"javascript:alert(1)"}`:            {"invalid_url", "sso_url"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","sso_url":"http://idp.example.com/"}`:        {"invalid_url", "sso_url"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","options":{"nothing":true}}`:                 {"invalid_option", "options.nothing"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","options":{"clock_skew":600}}`:               {"invalid_option", "options.clock_skew"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","certificates":["x"]}`:                       {"invalid_certificate", "certificates"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","metadata_url":"https://10.0.0.1/metadata"}`: {"idp_unreachable", "metadata_url"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","metadata_xml":"<html></html>"}`:             {"invalid_metadata", "metadata_xml"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","issuer":"https://idp.example.com"}`:         {"wrong_protocol", "issuer"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"GenericOIDC","issuer":"http://169.254.169.254"}`:       {"idp_unreachable", "issuer"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","acs_paths":["/saml/abc/acs"]}`:              {"reserved_path", "acs_paths"},
		`{"organization_id":"` + organization + `","name":"a","connection_type":"OktaSAML","attribute_map":{"email":[]}}`:               {"invalid_attribute", "attribute_map.email"},
	} {
		w.send("POST", "/connections", body).refused(422, want[0], want[1])
	}
	w.send("POST", "/connections", `{"organization_id":"org_01ARZ3NDEKTSV4RRFFQ69G5FAV","name":"a","connection_type":"OktaSAML"}`).refused(404, "entity_not_found", "")
	made, _ := w.samlConnection(organization)
	id := made.text("id")
	w.send("POST", "/connections/"+id+"/refresh_metadata", "").refused(409, "no_metadata_url", "")
	w.send("POST", "/connections/"+id+"/approve_metadata", "").refused(409, "nothing_pending", "")
	w.send("PATCH", "/connections/"+id, `{"state":"draft"}`).refused(422, "invalid_state", "state")
	w.get("/sign_in_attempts/sign_in_attempt_01ARZ3NDEKTSV4RRFFQ69G5FAV").refused(404, "entity_not_found", "")
	w.get("/connections/org_1").refused(404, "entity_not_found", "")
}

func TestConnection_knows_when_its_client_secret_ends(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, db.SQLite, migrations.Files))
	body := `{"organization_id":"` + w.organization("Acme") + `","name":"a","connection_type":"GenericOIDC","client_id":"i"`
	w.send("POST", "/connections", body+`,"client_secret_expires_at":"2027-01-31"}`).refused(422, "invalid", "client_secret_expires_at") // no secret
	w.send("POST", "/connections", body+`,"client_secret":"s","client_secret_expires_at":"soon"}`).refused(422, "invalid_date", "client_secret_expires_at")
	w.send("POST", "/connections", body+`,"client_secret":"s","client_secret_expires_at":17}`).refused(422, "invalid_type", "client_secret_expires_at")
	w.send("POST", "/connections", body+`,"client_secret":"s","client_secret_expires_at":"1970-01-31"}`).refused(422, "invalid", "client_secret_expires_at")
	made := w.send("POST", "/connections", body+`,"client_secret":"s","client_secret_expires_at":"2027-01-31"}`).wants(201)
	at := "/connections/" + made.text("id")
	for _, step := range []struct {
		change string
		want   any
	}{
		{`{"name":"b"}`, "2027-01-31T00:00:00.000Z"},
		{`{"client_secret_expires_at":"2028-02-01T12:00:00Z"}`, "2028-02-01T12:00:00.000Z"},
		{`{"client_secret":"t"}`, nil},
		{`{"client_secret":"u","client_secret_expires_at":"2029-01-01"}`, "2029-01-01T00:00:00.000Z"},
		{`{"client_secret_expires_at":null}`, nil},
	} {
		if got := w.send("PATCH", at, step.change).wants(200); got.at("client_secret_expires_at") != step.want {
			t.Errorf("%s: it ends at %v, want %v", step.change, got.at("client_secret_expires_at"), step.want)
		}
		if got := w.get(at).wants(200); got.at("client_secret_expires_at") != step.want {
			t.Errorf("%s: it is kept to end at %v, want %v", step.change, got.at("client_secret_expires_at"), step.want)
		}
	}
	saml, _ := w.samlConnection(w.organization("Beta"))
	w.send("PATCH", "/connections/"+saml.text("id"), `{"client_secret_expires_at":"2027-01-31"}`).refused(422, "wrong_protocol", "client_secret_expires_at")
}

// Whatever is an address of Rollcall's own is out of reach for the paths of connections.
func TestPaths_of_connections_never_hide_a_route(t *testing.T) {
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	for _, r := range table() {
		if path := placeholder.ReplaceAllString(r.pattern, "x"); sso.Free(path) || sso.Free(path+"/x") {
			t.Errorf("%s may become the path of a connection: reserve it in package sso", r.pattern)
		}
	}
}

// everyEventOfSignIns makes each event about connections and sign-ins.
func (w *world) everyEventOfSignIns(organization string) {
	w.Helper()
	made, p := w.samlConnection(organization)
	id := sso.ID(made.text("id"))
	at := func(base, key string) samltest.To {
		return samltest.To{EntityID: base + "/saml/" + key, ACS: base + "/saml/" + key + "/acs"}
	}
	c, err := w.conns.Get(w.Context(), id)
	w.must(err)
	receive := func(change func(*samltest.Message)) (*sso.Verified, error) {
		out, err := w.conns.Start(w.Context(), sso.Start{ConnectionID: id, Kind: sso.SignIn, Browser: token.HashOf("a browser"), Base: publicURL, IP: "192.0.2.1"})
		w.must(err)
		u, err := url.Parse(out.URL)
		w.must(err)
		m := p.Message(at(publicURL, c.Key), time.Now().UTC())
		m.InResponseTo = requestID(w.T, u.Query().Get("SAMLRequest"))
		m.AssertionID = "_" + token.NewKey(20)
		change(&m)
		return w.conns.ReceiveSAML(w.Context(), sso.SAMLArrival{
			Key: c.Key, Bases: func(string) []string { return []string{publicURL} }, Response: samltest.Post(p.Respond(m, samltest.AssertionSigned)), Browser: token.HashOf("a browser"),
		})
	}
	v, err := receive(func(*samltest.Message) {})
	w.must(err)
	var write db.Write
	w.must(w.conns.FinishInto(&write, v, sso.End{}))
	w.must(w.db.Write(w.Context(), &write))
	_, err = receive(func(m *samltest.Message) { m.Audience = "https://other.example" })
	refusal, is := err.(*sso.Refusal) //nolint:errorlint // it is what the verb says
	if !is {
		w.Fatal(err)
	}
	_, err = w.conns.Fail(w.Context(), refusal)
	w.must(err)
	w.begin(string(id), sso.SignIn)
	w.must(w.db.Tx(w.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(w.Context(), "UPDATE sign_in_attempts SET expires_at = 1 WHERE state = 'at_provider'")
		return err
	}))
	w.must(w.conns.Sweep(w.Context()))
	soon := samltest.NewSigner(samltest.RSA("soon", 2048), time.Now().Add(-time.Hour), time.Now().Add(10*24*time.Hour))
	later := samltest.NewSigner(samltest.RSA("later", 2048), time.Now().Add(-time.Hour), time.Now().Add(400*24*time.Hour))
	w.send("PATCH", "/connections/"+string(id), `{"certificates":["`+pemOf(soon)+`"]}`).wants(200)
	w.must(w.conns.WatchCertificates(w.Context()))
	w.send("POST", "/connections/"+string(id)+"/certificates", `{"certificate":"`+pemOf(later)+`"}`).wants(201)
	w.send("PATCH", "/connections/"+string(id), `{"state":"inactive"}`).wants(200)
	w.send("DELETE", "/connections/"+string(id), "").wants(204)
}
