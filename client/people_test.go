package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestMember_is_read_with_account_and_reason(t *testing.T) {
	const text = `{"object":"organization_membership","id":"om_1","user_id":"user_1","organization_id":"org_1","status":"inactive","why":"directory_inactive","primary":true,` +
		`"role":{"slug":"admin"},"licence":null,"wanted_licence":"pro","directory_managed":true,"directory_user_id":"directory_user_1","custom_attributes":{"office":"Graz"},` +
		`"joined_at":null,"created_at":"2026-01-15T12:00:00.000Z","user":{"id":"user_1","email":"ann@a.com","metadata":{}}}`
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "%s", text) })
	m, err := c.OrganizationMembership(t.Context(), "om_1")
	must(t, err)
	if m.Status != "inactive" || m.Why != "directory_inactive" || !m.Primary || m.Role.Slug != "admin" || m.Licence != "" || m.WantedLicence != "pro" || !m.DirectoryManaged ||
		m.DirectoryUserID != "directory_user_1" || string(m.CustomAttributes) != `{"office":"Graz"}` || !m.JoinedAt.IsZero() || m.User.Email != "ann@a.com" ||
		string(m.JSON()) != text {
		t.Errorf("%+v", m)
	}
}

func TestRefusal_names_code_and_field(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 409, "directory_managed") })
	_, err := c.ReactivateOrganizationMembership(t.Context(), "om_1")
	if Status(err) != 409 || Code(err) != "directory_managed" || !strings.Contains(err.Error(), "field name") {
		t.Errorf("%v", err)
	}
	for name, call := range map[string]error{
		"no organization": func() error { _, err := c.Team(t.Context(), "", "g"); return err }(),
		"no slug":         c.DeleteRole(t.Context(), "o", ""),
		"dots":            c.DeleteUser(t.Context(), ".."),
	} {
		if call == nil || Status(call) != 0 {
			t.Errorf("%s: %v, want an error before anything is sent", name, call)
		}
	}
}

// A page of audit or preview may be empty and not the last.
func TestSparse_lists_go_on_behind_an_empty_page(t *testing.T) {
	var asked []string
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		after := r.URL.Query().Get("after")
		asked = append(asked, r.Method+" "+after)
		answer(w, 200, `{"object":"list","data":[%s],"list_metadata":{"before":null,"after":%s}}`,
			map[string]string{"": `{"id":"1"}`, "a": "", "b": `{"id":"2"}`}[after], map[string]string{"": `"a"`, "a": `"b"`, "b": "null"}[after])
	})
	entries, err := Collect(c.Audit(t.Context(), AuditQuery{}), 0)
	must(t, err)
	if len(entries) != 2 || entries[1].ID != "2" || strings.Join(asked, ",") != "GET ,GET a,GET b" {
		t.Errorf("%d entries; asked %q", len(entries), asked)
	}
	asked = nil
	if found, err := Collect(c.PreviewMapping(t.Context(), "d", MappingChange{}), 0); err != nil || len(found) != 2 || strings.Join(asked, ",") != "POST ,POST a,POST b" {
		t.Errorf("%d differences, %v; asked %q", len(found), err, asked)
	}
	// Other lists have no such pages, and one that leads to itself ends.
	asked = nil
	if found, err := Collect(c.Organizations(t.Context(), OrganizationQuery{}), 0); err != nil || len(found) != 1 || len(asked) != 2 {
		t.Errorf("%d organizations, %v; asked %q", len(found), err, asked)
	}
	c = newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, `{"object":"list","data":[],"list_metadata":{"before":null,"after":"a"}}`)
	})
	if found, err := Collect(c.Audit(t.Context(), AuditQuery{}), 0); err != nil || len(found) != 0 {
		t.Errorf("%d entries, %v", len(found), err)
	}
}

func TestExport_is_the_servers_to_the_byte(t *testing.T) {
	const text = "created_at,id\r\n2026,\"a,b\"\r\n\r\n"
	tries := 0
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			answer(w, 503, `{"code":"busy","message":"Later."}`)
			return
		}
		if got := r.Header.Get("Accept"); got != "*/*" {
			t.Errorf("accepts %q", got)
		}
		_, _ = io.WriteString(w, text)
	})
	var out bytes.Buffer
	must(t, c.ExportAudit(t.Context(), AuditQuery{}, CSV, &out))
	if out.String() != text || tries != 2 {
		t.Errorf("%q after %d tries", out.String(), tries)
	}
}

func TestExport_that_is_refused_writes_nothing(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 422, "invalid_action") })
	var out bytes.Buffer
	err := c.ExportAudit(t.Context(), AuditQuery{Actions: []string{"x"}}, JSONLines, &out)
	if Code(err) != "invalid_action" || out.Len() > 0 {
		t.Errorf("%v with %q", err, out.String())
	}
}

// breaking is a body that breaks off.
type breaking struct{ io.Reader }

func (b breaking) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (breaking) Close() error { return nil }

func TestExport_that_breaks_off_is_an_error_and_is_not_begun_again(t *testing.T) {
	tries := 0
	c := newFailing(t, func(*http.Request) (*http.Response, error) {
		tries++
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: breaking{strings.NewReader("half")}}, nil
	})
	var out bytes.Buffer
	err := c.ExportAccess(t.Context(), "o", time.Time{}, JSONLines, &out)
	if err == nil || !strings.Contains(err.Error(), "broke off after 4 bytes") || tries != 1 || out.String() != "half" {
		t.Errorf("%v with %q after %d tries", err, out.String(), tries)
	}
}

func TestExport_does_not_wait_for_a_silent_server_for_ever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFailing(t, func(r *http.Request) (*http.Response, error) {
			in, out := io.Pipe()
			go func() {
				_, _ = out.Write([]byte("one\n"))
				<-r.Context().Done()
				out.CloseWithError(r.Context().Err())
			}()
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: in}, nil
		})
		began := time.Now()
		err := c.ExportAudit(t.Context(), AuditQuery{}, CSV, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "nothing came for 30s") || time.Since(began) != 30*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestKeySet_is_the_servers(t *testing.T) {
	c := newTest(t, func(w http.ResponseWriter, r *http.Request) { answer(w, 200, `{"keys":[{"kid":%q}]}`, r.URL.Path) })
	found, err := c.KeySet(t.Context())
	if want := fmt.Sprintf(`{"keys":[{"kid":%q}]}`, "/oauth2/jwks"); err != nil || string(found) != want {
		t.Errorf("%s, %v", found, err)
	}
}

func TestMail_that_would_come_too_soon_is_the_callers_to_repeat(t *testing.T) {
	tries := 0
	c := newTest(t, func(w http.ResponseWriter, _ *http.Request) {
		tries++
		w.Header().Set("Retry-After", "1")
		refuse(w, 429, "too_many_mails")
	})
	_, err := c.ResendInvitation(t.Context(), "invitation_1", "")
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Code != "too_many_mails" || refusal.RetryAfter != time.Second || tries != 1 {
		t.Errorf("%v after %d tries", err, tries)
	}
}
