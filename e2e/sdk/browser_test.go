package sdk_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// maxHops bounds a walk: the longest sign-in here takes a dozen.
const maxHops = 30

// browser is a person without script: it follows redirects, fills the forms that it meets from what it was told, and presses the
// first button of the first, unless it was told another.
type browser struct {
	client *http.Client
	typed  map[string]string // field to what is typed or chosen there
	trail  []string          // every request, for the message of a failure
}

func newBrowser(typed map[string]string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil { // it has no options that could be wrong
		panic(err)
	}
	return &browser{typed: typed, client: &http.Client{
		Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ada is who signs in: Rollcall is told the address, the provider's page the person.
func ada() *browser {
	return newBrowser(map[string]string{"email": "ada@acme.example", "person": "sim-ada"})
}

// screen is what the browser shows.
type screen struct {
	at     *url.URL
	status int
	body   string
}

// walk goes from an address through redirects and forms to the first page that has no form. With stop it ends before a request to an
// address that begins so, which the screen then names.
func (b *browser) walk(start, stop string) (screen, error) {
	at, err := url.Parse(start)
	if err != nil {
		return screen{}, err
	}
	var form url.Values
	for range maxHops {
		if stop != "" && strings.HasPrefix(at.String(), stop) {
			return screen{at: at}, nil
		}
		shown, to, err := b.open(at, form)
		if err != nil {
			return shown, err
		}
		at, form = to, nil
		if to == nil {
			if at, form = b.fill(shown); at == nil {
				return shown, nil
			}
		}
	}
	return screen{}, fmt.Errorf("no end after %d hops", maxHops)
}

// open makes one request; a form is posted. to is where a redirect leads.
func (b *browser) open(at *url.URL, form url.Values) (shown screen, to *url.URL, err error) {
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	request, err := http.NewRequest(method, at.String(), body) //nolint:noctx // the client has a timeout
	if err != nil {
		return shown, nil, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.Header.Set("Accept", "text/html,*/*;q=0.8")
	answer, err := b.client.Do(request)
	if err != nil {
		return shown, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return shown, nil, err
	}
	b.trail = append(b.trail, fmt.Sprintf("%s %s -> %d", method, at, answer.StatusCode))
	if location := answer.Header.Get("Location"); location != "" && answer.StatusCode/100 == 3 {
		to, err = at.Parse(location)
	}
	return screen{at, answer.StatusCode, string(text)}, to, err
}

var (
	formTag   = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	fieldTag  = regexp.MustCompile(`(?is)<(input|button)\b([^>]*)>`)
	attribute = regexp.MustCompile(`(?s)([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
)

// fill gives where the first form of a page leads, and what it sends there; form is nil where it is sent by GET.
func (b *browser) fill(shown screen) (to *url.URL, form url.Values) {
	found := formTag.FindStringSubmatch(shown.body)
	if found == nil || shown.status >= http.StatusInternalServerError {
		return nil, nil
	}
	head := attributesOf(found[1])
	to, err := shown.at.Parse(head["action"])
	if err != nil {
		return nil, nil
	}
	form = url.Values{}
	pressed := false
	for _, field := range fieldTag.FindAllStringSubmatch(found[2], -1) {
		a := attributesOf(field[2])
		name, kind := a["name"], strings.ToLower(a["type"])
		button := kind == "submit" || kind == "" && strings.EqualFold(field[1], "button")
		typed, told := b.typed[name]
		switch _, checked := a["checked"]; {
		case name == "" || kind == "button" || button && (pressed || told && typed != a["value"]):
		case kind == "radio" && told && typed == a["value"] || kind == "radio" && !told && checked:
			form.Set(name, a["value"])
		case kind == "radio" || kind == "checkbox" && !checked:
		case button:
			pressed = true
			form.Set(name, a["value"])
		case told:
			form.Set(name, typed)
		default:
			form.Set(name, a["value"])
		}
	}
	if !strings.EqualFold(head["method"], "post") {
		to.RawQuery, form = form.Encode(), nil
	}
	return to, form
}

func attributesOf(tag string) map[string]string {
	found := map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
		found[strings.ToLower(a[1])] = html.UnescapeString(a[2] + a[3] + a[4])
	}
	return found
}

// shows walks to the end and checks what is written there.
func (b *browser) shows(t *testing.T, start, want string) {
	t.Helper()
	shown, err := b.walk(start, "")
	if err != nil || !strings.Contains(shown.body, want) {
		t.Fatalf("the browser shows (%v) %d %s\n%.1500s\nwant %q. The way here:\n  %s", err, shown.status, shown.at, shown.body, want, strings.Join(b.trail, "\n  "))
	}
}

// becomes waits until the page of an address shows something.
func (b *browser) becomes(t *testing.T, address, want string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%q at %s", want, address), func() bool {
		shown, err := b.walk(address, "")
		must(t, err)
		return strings.Contains(shown.body, want)
	})
}

// browsers lets the scripts of the SDKs walk: {"start", "stop", "typed"} is answered with {"url", "status", "body"}.
func browsers(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var wish struct {
			Start, Stop string
			Typed       map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&wish); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b := newBrowser(wish.Typed)
		shown, err := b.walk(wish.Start, wish.Stop)
		if err != nil {
			http.Error(w, fmt.Sprintf("%v\n%s", err, strings.Join(b.trail, "\n")), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"url": shown.at.String(), "status": shown.status, "body": shown.body}) // the script is gone
	}))
	t.Cleanup(s.Close)
	s.Config.WriteTimeout = time.Minute
	return s.URL
}
