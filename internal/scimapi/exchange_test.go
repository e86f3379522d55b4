package scimapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

func effectOf(t *testing.T, x directory.Exchange) map[string]any {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal(x.Effect, &e); err != nil {
		t.Fatalf("effect %s: %v", x.Effect, err)
	}
	return e
}

// find gives the only exchange with this method, path and status.
func find(t *testing.T, all []directory.Exchange, method, path string, status int) directory.Exchange {
	t.Helper()
	var found []directory.Exchange
	for _, x := range all {
		if x.Method == method && x.Path == path && x.Status == status {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d exchanges %s %s %d among %d", len(found), method, path, status, len(all))
	}
	return found[0]
}

func TestEvery_request_leaves_an_exchange_that_says_what_it_did(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Feed(directory.New{})
		f.Header.Set("User-Agent", "Okta SCIM Client 1.0.0")
		body := `{"userName":"ada","title":"x"}`
		made := f.Do("POST", "/Users", body).Want(http.StatusCreated)
		id := made.ID()
		f.Do("GET", "/Users/"+id+"?attributes=userName&token=abc&flag", "").Want(http.StatusOK)
		same := f.Do("PUT", "/Users/"+id, body).Want(http.StatusOK)
		f.Do("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"name.nothing[","value":"x"}]}`).WantError(http.StatusBadRequest, "invalidPath")
		f.Do("POST", "/Groups", `{"displayName":"G","members":["`+id+`","later"]}`).Want(http.StatusCreated)
		f.Do("DELETE", "/Users/"+id, "").Want(http.StatusNoContent)
		f.Do("GET", "/Users", "", "Authorization", "Bearer wrong").Want(http.StatusUnauthorized)
		all := f.Exchanges(7)
		if len(all) != 7 {
			t.Fatalf("%d exchanges", len(all))
		}
		x := find(t, all, "POST", "/Users", http.StatusCreated)
		if string(x.Body) != body || string(x.Answer) != string(made.Body) || x.UserAgent != "Okta SCIM Client 1.0.0" || x.TokenID == "" ||
			x.RequestID != made.Header.Get("X-Request-Id") || x.Took <= 0 || x.OrganizationID != string(h.Organization.ID) || x.Refused {
			t.Errorf("creation: %+v", x)
		}
		e := effectOf(t, x)
		if e["change"] != "created" || e["resource"] != "user" || e["id"] != id || e["summary"] != "A person was added." ||
			scimapitest.At(e, "events.0.type") != "dsync.user.created" || scimapitest.At(e, "events.0.id") == nil {
			t.Errorf("effect of the creation: %s", x.Effect)
		}
		for _, ev := range f.Events() {
			if string(ev.Type) == "dsync.user.created" && !strings.Contains(string(ev.Context), string(x.ID)) {
				t.Errorf("event %s does not name exchange %s", ev.Context, x.ID)
			}
		}
		x = find(t, all, "GET", "/Users/"+id+"?attributes=userName&token=[hidden]&flag", http.StatusOK)
		if e := effectOf(t, x); e["change"] != "unchanged" || e["action"] != "read" {
			t.Errorf("effect of the read: %s", x.Effect)
		}
		x = find(t, all, "PUT", "/Users/"+id, http.StatusOK)
		if e := effectOf(t, x); e["change"] != "unchanged" || !strings.Contains(e["summary"].(string), "Nothing changed") || e["events"] != nil || string(x.Answer) != string(same.Body) {
			t.Errorf("effect of the same PUT: %s", x.Effect)
		}
		x = find(t, all, "PATCH", "/Users/"+id, http.StatusBadRequest)
		if e := effectOf(t, x); scimapitest.At(e, "refusal.code") != "invalidPath" || scimapitest.At(e, "refusal.fix_by") != "it_admin" || scimapitest.At(e, "refusal.reason") == nil || e["change"] != "unchanged" {
			t.Errorf("effect of the refusal: %s", x.Effect)
		}
		x = find(t, all, "POST", "/Groups", http.StatusCreated)
		if e := effectOf(t, x); e["members_added"] != 2.0 || e["members_parked"] != 1.0 || e["resource"] != "group" {
			t.Errorf("effect of the group: %s", x.Effect)
		}
		x = find(t, all, "DELETE", "/Users/"+id, http.StatusNoContent)
		if e := effectOf(t, x); e["change"] != "deleted" || len(x.Answer) != 0 {
			t.Errorf("effect of the deletion: %s", x.Effect)
		}
		x = find(t, all, "GET", "/Users", http.StatusUnauthorized)
		if e := effectOf(t, x); !x.Refused || x.TokenID != "" || scimapitest.At(e, "refusal.fix_by") != "it_admin" {
			t.Errorf("wrong token: %+v", x)
		}
	})
}

func TestAn_outdated_id_leads_to_the_living_record_and_the_exchange_says_so(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		old := f.Do("POST", "/Users", `{"userName":"ada","externalId":"e1"}`).Want(http.StatusCreated).ID()
		f.Do("DELETE", "/Users/"+old, "").Want(http.StatusNoContent)
		now := f.Do("POST", "/Users", `{"userName":"ada","externalId":"e1"}`).Want(http.StatusCreated).ID()
		got := f.Do("GET", "/Users/"+old, "").Want(http.StatusOK)
		if got.ID() != now || got.Header.Get("Location") != f.Base+"/Users/"+now {
			t.Errorf("healed: %v %s", got.Header, got.Body)
		}
		f.Do("PATCH", "/Users/"+old, `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`).Want(http.StatusOK)
		f.Do("DELETE", "/Users/"+old, "").WantError(http.StatusNotFound, "")
		all := f.Exchanges(7)
		for _, x := range []directory.Exchange{find(t, all, "GET", "/Users/"+old, http.StatusOK), find(t, all, "PATCH", "/Users/"+old, http.StatusOK)} {
			if e := effectOf(t, x); e["healed_id"] != old || !strings.Contains(e["summary"].(string), "outdated") {
				t.Errorf("%s: %s", x.Method, x.Effect)
			}
		}
	})
}

func TestLong_bodies_and_answers_are_cut_within_a_character(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		long := strings.Repeat("ü", 50_000)
		f.Do("POST", "/Users", `{"userName":"ada","displayName":"a`+long+`"}`).Want(http.StatusCreated)
		f.Do("GET", "/Users", "").Want(http.StatusOK)
		f.Do("POST", "/Users", "{\"userName\":\"\xff\x00\"}").Want(http.StatusBadRequest)
		f.Do("GET", "/Users/"+strings.Repeat("%C3%BC", 5000)+"%00", "").Want(http.StatusNotFound)
		f.Do("GET", "/Users?filter=%00%FF", "", "User-Agent", strings.Repeat("x", 4000)+"\xff").Want(http.StatusBadRequest)
		for _, x := range f.Exchanges(6) {
			for name, part := range map[string][]byte{"body": x.Body, "answer": x.Answer, "path": []byte(x.Path), "agent": []byte(x.UserAgent)} {
				if len(part) > 64<<10 || !utf8.Valid(part) || strings.Contains(string(part), "\x00") {
					t.Errorf("%s %.40s: %s of %d bytes", x.Method, x.Path, name, len(part))
				}
			}
			if x.Method == "GET" && x.Path == "/Users" && (len(x.Answer) > 4<<10 || !strings.HasSuffix(string(x.Answer), "…(cut)")) {
				t.Errorf("list: %d bytes", len(x.Answer))
			}
			if x.Status == http.StatusCreated && !strings.HasSuffix(string(x.Body), "…(cut)") {
				t.Errorf("long body: ends in %s", x.Body[len(x.Body)-20:])
			}
		}
	})
}

//scim:136
func TestEach_operation_of_a_bulk_request_has_an_exchange_of_its_own(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		bulk(f, "0", `{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"ada"}}`, `{"method":"DELETE","path":"/Users/nobody"}`, `{"method":"BREW","path":"/Users"}`)
		all := f.Exchanges(5)
		if x := find(t, all, "POST", "/Users", http.StatusCreated); string(x.Body) != `{"userName":"ada"}` || effectOf(t, x)["change"] != "created" {
			t.Errorf("operation: %+v", x)
		}
		find(t, all, "DELETE", "/Users/nobody", http.StatusNotFound)
		find(t, all, "BREW", "/Users", http.StatusBadRequest)
		if x := find(t, all, "POST", "/Bulk", http.StatusOK); effectOf(t, x)["action"] != "bulk" || !strings.Contains(effectOf(t, x)["summary"].(string), "1 of 3") {
			t.Errorf("envelope: %s", x.Effect)
		}
	})
}

func TestA_refused_request_that_deactivates_stops_the_sign_in(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		suspended := func(id string) bool {
			t.Helper()
			a, err := h.Directories.Authenticate(t.Context(), f.Directory.AddressKey, f.Token)
			if err != nil {
				t.Fatal(err)
			}
			u, err := h.Directories.GetUser(t.Context(), a, id, false)
			if err != nil {
				t.Fatal(err)
			}
			return u.Suspended
		}
		for name, refused := range map[string]func(id string){
			"patch": func(id string) {
				f.Do("PATCH", "/Users/"+id, `{"Operations":[{"op":"Replace","path":"active","value":"False"},{"op":"remove","path":"userName"}]}`).WantError(http.StatusBadRequest, "mutability")
			},
			"put": func(id string) {
				f.Do("PUT", "/Users/"+id, `{"active":false}`).WantError(http.StatusBadRequest, "invalidValue")
			},
			"precondition": func(id string) {
				f.Do("PUT", "/Users/"+id, `{"userName":"precondition","active":false}`, "If-Match", `W/"9"`).WantError(http.StatusPreconditionFailed, "")
			},
			"post": func(string) {
				f.Do("POST", "/Users", `{"userName":"POST","active":false}`).WantError(http.StatusConflict, "uniqueness")
			},
			"bulk": func(id string) {
				bulk(f, "0", `{"method":"PATCH","path":"/Users/`+id+`","data":{"Operations":[{"op":"replace","value":{"active":false}},{"op":"sing"}]}}`)
			},
		} {
			id := f.User(name)
			before := f.Do("GET", "/Users/"+id, "").Want(http.StatusOK)
			refused(id)
			if !suspended(id) {
				t.Errorf("%s: the sign-in goes on", name)
			}
			if got := f.Do("GET", "/Users/"+id, "").Want(http.StatusOK); got.At("active") != true || got.At("userName") != before.At("userName") {
				t.Errorf("%s: the person was changed: %s", name, got.Body)
			}
			f.Do("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"active","value":true}]}`).Want(http.StatusOK)
			if suspended(id) {
				t.Errorf("%s: an accepted active did not lift it", name)
			}
		}
		id := f.User("stays")
		f.Do("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"active","value":true},{"op":"remove","path":"userName"}]}`).Want(http.StatusBadRequest)
		f.Do("POST", "/Users", `{"userName":"","active":false}`).Want(http.StatusBadRequest)
		f.Do("PATCH", "/Users/nobody", `{"Operations":[{"op":"replace","path":"active","value":false},{"op":"sing"}]}`).Want(http.StatusBadRequest)
		if suspended(id) {
			t.Error("somebody was suspended whom nobody wanted to deactivate")
		}
		told := 0
		for _, x := range f.Exchanges(25) {
			if e := effectOf(t, x); e["change"] == "suspended" {
				told++
				if x.Status < 400 || scimapitest.At(e, "refusal.reason") == nil || !strings.Contains(e["summary"].(string), "sign-in was stopped") {
					t.Errorf("exchange %s", x.Effect)
				}
			}
		}
		if told != 5 || strings.Count(h.Lines.String(), "the sign-in was stopped") != 5 {
			t.Errorf("%d exchanges tell of a stopped sign-in", told)
		}
	})
}

func TestExchange_of_a_retired_directory_says_that_no_member_follows_it(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		old, next := h.Feed(directory.New{}), h.Feed(directory.New{Silent: true})
		organization, pair := string(h.Organization.ID), directory.Pair{From: old.Directory.ID, To: next.Directory.ID}
		old.Do("POST", "/Users", `{"userName":"ada"}`).Want(http.StatusCreated)
		err := h.DB.Tx(t.Context(), func(tx db.Tx) error {
			return errors.Join(h.Directories.HoldTx(t.Context(), tx, organization, pair),
				h.Directories.CutOverTx(t.Context(), tx, event.Actor{ID: "test", Source: event.API}, organization, pair))
		})
		if err == nil {
			err = h.Directories.Await(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		for feed, said := range map[*scimapitest.Feed]bool{old: true, next: false} {
			feed.Do("POST", "/Users", `{"userName":"bob"}`).Want(http.StatusCreated)
			feed.Do("GET", "/Users", "").Want(http.StatusOK)
			wants := 2
			if said {
				wants = 3
			}
			for _, x := range feed.Exchanges(wants) {
				tells := strings.Contains(effectOf(t, x)["summary"].(string), "switched to another identity provider")
				if want := said && strings.Contains(string(x.Body), "bob"); tells != want {
					t.Errorf("retired %v, and %s tells %s", said, x.Method, x.Effect)
				}
			}
		}
	})
}
