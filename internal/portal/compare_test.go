package portal

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/itadmin"
)

// upload sends a list as a browser does.
func (b *adminBrowser) upload(csrf, list string) seen {
	b.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	b.must(form.WriteField(csrfField, csrf))
	file, err := form.CreateFormFile("list", "people.csv")
	b.must(err)
	_, err = file.Write([]byte(list))
	b.must(err)
	b.must(form.Close())
	r := httptest.NewRequest(http.MethodPost, comparePath, &body)
	r.Header.Set("Cookie", b.cookie)
	r.Header.Set("Content-Type", form.FormDataContentType())
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return seen{b.T, w.Code, w.Header().Get("Location"), w.Body.String()}
}

func TestList_of_the_provider_is_compared_with_the_directory_and_nothing_of_it_is_kept(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, other := d.enter(d.organization("Acme").ID, itadmin.DirectorySync), d.enter(d.organization("Other").ID, itadmin.DirectorySync)
		one, theirs := b.beginDirectory("okta"), other.beginDirectory("okta")
		p, q := d.push(string(one.ID), b.makeToken(one)), d.push(string(theirs.ID), other.makeToken(theirs))
		q.person("Their", "Own", "theirs@other.example")
		p.person("Ada", "Lovelace", "ada@acme.example")
		p.person("Alan", "Turing", "alan@acme.example")
		p.person("Grace", "Hopper", "grace@acme.example")
		p.person("Left", "Already", "left@acme.example")
		p.leaves("left@acme.example")
		b.get(comparePath).wants(http.StatusOK).shows("Compare with a list", "nothing of it is stored")
		before := len(d.audit(b.organization))
		list := "\xef\xbb\xbfE-Mail Address;Status;Note\nADA@acme.example;ACTIVE;x\nalan@acme.example;DEPROVISIONED;x\n\"" + strings.ReplaceAll(hostile, `"`, `""`) + "\";;x\nleft@acme.example;active;x\ntheirs@other.example;inactive;x\n"
		got := b.upload(b.token(), list).wants(http.StatusOK)
		got.shows("1 person is active here and not on the list", "grace@acme.example", "Grace Hopper", "1 person is on the list and not here", "2 people are active on one side only", "alan@acme.example", "left@acme.example")
		got.hides("<script>alert", "<img src=x", "ada@acme.example", "theirs@other.example", "Their Own")
		if got := text(got.body); !strings.Contains(got, "On the list 5") || !strings.Contains(got, "Active in the directory 3") || !strings.Contains(got, "Alike 2") {
			t.Errorf("%.3000s", got)
		}
		if after := len(d.audit(b.organization)); after != before {
			t.Errorf("%d changes", after-before)
		}
		b.upload(b.token(), "userName\nada@acme.example\nAlan@acme.example\ngrace@acme.example\n").wants(http.StatusOK).shows("alike")
	})
}

func TestList_is_compared_with_the_members_where_there_is_no_directory(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		o := d.organization("Acme")
		for _, name := range []string{"ada", "alan"} {
			u, err := d.members.CreateUser(d.Context(), d.operator(), newUser(name+"@acme.example"))
			d.must(err)
			_, err = d.members.CreateMembership(d.Context(), d.operator(), newMembership(u.ID, string(o.ID)))
			d.must(err)
		}
		b := d.enter(o.ID, itadmin.Everything)
		b.upload(b.token(), "email\nADA@acme.example\nnew@acme.example\n").wants(http.StatusOK).
			shows("With access now 2", "1 person is active here and not on the list", "alan@acme.example", "1 person is on the list and not here", "new@acme.example")
	})
}

func TestUpload_is_refused_without_the_token_of_the_session_and_where_it_is_no_form_or_too_large(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		b, other := d.enter(d.organization("Acme").ID, itadmin.DirectorySync), d.enter(d.organization("Other").ID, itadmin.DirectorySync)
		b.upload("", "email\na@b.c\n").wants(http.StatusForbidden)
		b.upload(other.token(), "email\na@b.c\n").wants(http.StatusForbidden)
		b.post(comparePath, "list", "email\na@b.c\n").wants(http.StatusUnprocessableEntity).shows("The file is empty")
		b.upload(b.token(), "email\n"+strings.Repeat("x", maxList)).wants(http.StatusRequestEntityTooLarge).shows("larger than 8 MB")
		b.upload(b.token(), "").wants(http.StatusUnprocessableEntity).shows("The file is empty")
		b.upload(b.token(), "email\nada@acme.example\nalan@acme.example,x\n").wants(http.StatusUnprocessableEntity).shows("Line 3: It has another number of columns")
		d.enter(other.organization, itadmin.SSO).upload("x", "email\na@b.c\n").wants(http.StatusForbidden)
	})
}

func TestComparisons_are_made_few_at_once(t *testing.T) {
	s := &Server{comparing: make(chan struct{}, 1), o: Options{}}
	s.comparing <- struct{}{}
	atDesks(t, true, func(d *desk) {
		c := &call{visit: &visit{s: s, r: httptest.NewRequest(http.MethodPost, comparePath, nil)}}
		s.o.Site = d.site
		if err := takeCompare(c); !fault.Is(err, fault.Limited) {
			t.Errorf("%v", err)
		}
	})
	if len(s.comparing) != 1 {
		t.Error("a place was given back that nobody took")
	}
}

func TestReadList_names_the_line_that_is_wrong(t *testing.T) {
	for name, tc := range map[string]struct{ list, want string }{
		"nothing":              {" \n", "The file is empty"},
		"a workbook":           {"PK\x03\x04...", "This is a workbook"},
		"no UTF-8":             {"email\nada@x.example\nz\xfcrich@x.example\n", "Line 3: There are characters in it that are no UTF-8"},
		"UTF-16":               {"e\x00m\x00", "Line 1: There are characters"},
		"no columns":           {"first,last\nAda,Lovelace\n", "Line 1: There is no column named email or userName"},
		"only headings":        {"email\n", "nobody below it"},
		"another width":        {"email,active\na@x.example,true\nb@x.example\n", "Line 3: It has another number of columns than the first line, which has 2"},
		"an open quotation":    {"email\na@x.example\n\"b@x.example\n", "A quotation mark is opened"},
		"a bare quotation":     {"email\na\"b@x.example\n", "Line 2: A quotation mark stands within"},
		"nobody on a line":     {"email,userName\na@x.example,a\n,\n", "Line 3: It has neither"},
		"somebody twice":       {"email\na@x.example\nb@x.example\nA@x.example\n", "Line 4: A@x.example stands there a second time, after line 2"},
		"a name without end":   {"email\n" + strings.Repeat("x", 2000) + "\n", "longer than 1000 bytes"},
		"lines within a value": {"email,note\na@x.example,\"one\ntwo\"\nb@x.example\n", "Line 4: It has another number"},
	} {
		_, err := readList([]byte(tc.list))
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Unprocessable || f.Field != "list" || !strings.Contains(f.Message, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var many strings.Builder
	many.WriteString("email\n")
	for i := range maxListRows + 1 {
		fmt.Fprintf(&many, "p%d@x.example\n", i)
	}
	if _, err := readList([]byte(many.String())); err == nil || !strings.Contains(err.Error(), "more than 100000 people") {
		t.Errorf("%v", err)
	}
}

func TestReadList_finds_columns_by_the_headings_that_providers_write(t *testing.T) {
	for list, want := range map[string]string{
		"Email,Active\na@x.example,TRUE\n": "2 a@x.example  in",
		"First Name [Required],Email Address [Required],Status [READ ONLY]\nA,a@x,Suspended\n": "2 a@x  -",
		"userPrincipalName\tdisplayName\taccountEnabled\na@x\tA\tFalse\n":                      "2  a@x out",
		"login;email;status\nA;a@x;STAGED\n":                                                   "2 a@x A -",
		"user_name,mail\r\nA,a@x\r\n":                                                          "2 a@x A -",
	} {
		got, err := readList([]byte(list))
		if err != nil || len(got) != 1 {
			t.Errorf("%q: %v %v", list, got, err)
			continue
		}
		state := "-"
		if got[0].In != nil {
			state = map[bool]string{true: "in", false: "out"}[*got[0].In]
		}
		if text := fmt.Sprintf("%d %s %s %s", got[0].Line, got[0].Email, got[0].UserName, state); text != want {
			t.Errorf("%q: %q, want %q", list, text, want)
		}
	}
}

func FuzzReadList(f *testing.F) {
	f.Add([]byte("email,active\na@x.example,true\n"))
	f.Add([]byte("\xef\xbb\xbf\"e\"\"mail\";x\n1;2\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := readList(text)
		if _, known := fault.As(err); err != nil && !known {
			t.Errorf("no refusal: %v", err)
		}
		for _, one := range list {
			if one.Name() == "" || one.Line < 2 {
				t.Errorf("%+v", one)
			}
		}
	})
}
