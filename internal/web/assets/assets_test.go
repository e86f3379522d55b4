package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func made(t *testing.T, more ...File) *Set {
	t.Helper()
	s, err := New(more...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fetch(s *Set, method, path, encoding string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestAsset_may_be_kept_for_ever_under_its_own_address_only(t *testing.T) {
	s := made(t)
	for _, name := range []string{CSS, App, Submit, HTMX, SSE, Icon} {
		url := s.URL(name)
		if w := fetch(s, "GET", url, ""); w.Code != 200 || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %q, %d bytes", url, w.Code, w.Header().Get("Cache-Control"), w.Body.Len())
		}
	}
	old := Prefix + "app.000000000000.css"
	if w := fetch(s, "GET", old, ""); w.Code != 200 || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("a page of another release gets %d, %q", w.Code, w.Header().Get("Cache-Control"))
	}
	if a, b := made(t, File{"logo.png", []byte("a")}).URL("logo.png"), made(t, File{"logo.png", []byte("b")}).URL("logo.png"); a == b {
		t.Errorf("two logos have one address, %s", a)
	}
	if s.URL("nothing.css") != "" {
		t.Error("a file that is not there has an address")
	}
}

func TestAsset_is_sent_small_to_those_who_understand(t *testing.T) {
	s := made(t)
	plain := fetch(s, "GET", s.URL(CSS), "gzip;q=0, br")
	for _, header := range []string{"gzip", "deflate, GZIP ; q=0.5"} {
		w := fetch(s, "GET", s.URL(CSS), header)
		if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Fatalf("%q: encoding %q, vary %q", header, w.Header().Get("Content-Encoding"), w.Header().Get("Vary"))
		}
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, plain.Body.Bytes()) {
			t.Errorf("%q: %v, or other bytes", header, err)
		}
	}
	if plain.Header().Get("Content-Encoding") != "" {
		t.Error("one who refuses gzip gets it")
	}
	head := fetch(s, "HEAD", s.URL(CSS), "")
	if head.Body.Len() != 0 || head.Header().Get("Content-Length") != plain.Header().Get("Content-Length") {
		t.Errorf("HEAD: %d bytes, length %q", head.Body.Len(), head.Header().Get("Content-Length"))
	}
}

func TestAssets_refuse_what_they_are_not_for(t *testing.T) {
	s := made(t)
	for path, want := range map[string]int{
		Prefix: 404, Prefix + "app.css/": 404, Prefix + "../doc.go": 404, Prefix + "package.json": 404, Prefix + "app.x.go": 404,
	} {
		if w := fetch(s, "GET", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if w := fetch(s, "POST", s.URL(CSS), ""); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, %q", w.Code, w.Header().Get("Allow"))
	}
	if _, err := New(File{"logo.html", []byte("x")}); err == nil {
		t.Error("a page is taken for an asset")
	}
}

func TestLogo_opened_as_a_page_runs_nothing(t *testing.T) {
	s := made(t, File{"logo.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)})
	h := fetch(s, "GET", s.URL("logo.svg"), "").Header()
	if h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("headers %v", h)
	}
}

// The first visit of the dashboard fetches all of these; a member's page the first two.
func TestFirst_visit_fetches_little(t *testing.T) {
	s, all := made(t, File{Brand, Stylesheet(mustColour(DefaultColour))}), 0
	for _, name := range []string{CSS, Brand, HTMX, SSE, App, Icon} {
		all += fetch(s, "GET", s.URL(name), "gzip").Body.Len()
	}
	if all > 75_000 {
		t.Errorf("the first visit fetches %d bytes, more than 75,000", all)
	}
}

func TestScripts_that_are_served_are_those_in_src(t *testing.T) {
	for _, name := range []string{"app.js", "submit.js", "icon.svg"} {
		want, err := os.ReadFile("src/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := dist.ReadFile("dist/" + name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("dist/%s is out of date; run build.sh", name)
		}
	}
}

func TestLock_names_no_place_to_fetch_from(t *testing.T) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) || !strings.Contains(string(lock), `"integrity"`) {
		t.Error("the lock names addresses, or no hashes")
	}
}
