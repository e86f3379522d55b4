//go:build interop

package interop_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// maxHops bounds a sign-in: the longest seen here takes eleven.
const maxHops = 30

// browser is a person without script: it follows redirects, fills the forms it meets from what it was told and presses the
// first button of the first.
type browser struct {
	client *http.Client
	fields map[string]string // form field to what is typed there
	trail  []string          // every request, for the message of a failure
}

func newBrowser(t *testing.T, fields map[string]string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &browser{
		fields: fields,
		client: &http.Client{
			Jar: jar, Timeout: 60 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// arrival is the request that the walk stopped at; it was not sent.
type arrival struct {
	URL  *url.URL
	Form url.Values // nil unless by POST
}

// walk starts with a GET and goes on until a request would go to an address that begins with stop.
func (b *browser) walk(t *testing.T, start, stop string) arrival {
	t.Helper()
	return b.from(t, arrival{URL: parsed(t, start)}, stop)
}

// from goes on with a request that an earlier walk stopped at.
func (b *browser) from(t *testing.T, next arrival, stop string) arrival {
	t.Helper()
	for range maxHops {
		page, err := b.open(next)
		if err != nil {
			t.Fatalf("%v\n%s", err, b.story())
		}
		var found bool
		next, found = b.next(page)
		if !found {
			t.Fatalf("nothing leads on from %s (%d):\n%.6000s\n%s", page.at, page.status, page.body, b.story())
		}
		if strings.HasPrefix(next.URL.String(), stop) {
			return next
		}
	}
	t.Fatalf("no end after %d hops\n%s", maxHops, b.story())
	return arrival{}
}

// page opens an address and gives the page that is finally shown there, redirects followed, forms not sent.
func (b *browser) page(t *testing.T, address string) page {
	t.Helper()
	next := arrival{URL: parsed(t, address)}
	for range maxHops {
		shown, err := b.open(next)
		must(t, err)
		if shown.location == nil {
			return shown
		}
		next = arrival{URL: shown.location}
	}
	t.Fatalf("no end after %d hops\n%s", maxHops, b.story())
	return page{}
}

type page struct {
	at       *url.URL
	status   int
	location *url.URL
	body     string
}

func (b *browser) open(next arrival) (page, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if next.Form != nil {
		method, body = http.MethodPost, strings.NewReader(next.Form.Encode())
	}
	request, err := http.NewRequest(method, next.URL.String(), body)
	if err != nil {
		return page{}, err
	}
	if next.Form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	response, err := b.client.Do(request)
	if err != nil {
		return page{}, fmt.Errorf("%s %s: %w", method, next.URL, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return page{}, fmt.Errorf("read %s: %w", next.URL, err)
	}
	b.trail = append(b.trail, fmt.Sprintf("%s %s -> %d", method, next.URL, response.StatusCode))
	shown := page{at: next.URL, status: response.StatusCode, body: string(text)}
	if to := response.Header.Get("Location"); to != "" && response.StatusCode/100 == 3 {
		shown.location, err = next.URL.Parse(to)
	}
	return shown, err
}

func (b *browser) next(p page) (arrival, bool) {
	if p.location != nil {
		return arrival{URL: p.location}, true
	}
	forms := formsOf(p)
	if len(forms) == 0 {
		return arrival{}, false
	}
	first := forms[0]
	for name := range first.fields {
		if value, told := b.fields[name]; told {
			first.fields.Set(name, value)
		}
	}
	if first.get {
		to := *first.action
		to.RawQuery = first.fields.Encode()
		return arrival{URL: &to}, true
	}
	return arrival{URL: first.action, Form: first.fields}, true
}

func (b *browser) story() string { return "The way here:\n  " + strings.Join(b.trail, "\n  ") }

type form struct {
	action *url.URL
	get    bool
	fields url.Values
}

var (
	formTag   = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	fieldTag  = regexp.MustCompile(`(?is)<(input|button)\b([^>]*)>`)
	attribute = regexp.MustCompile(`(?s)([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
)

func formsOf(p page) []form {
	var forms []form
	for _, match := range formTag.FindAllStringSubmatch(p.body, -1) {
		attributes := attributesOf(match[1])
		action, err := p.at.Parse(attributes["action"])
		if err != nil {
			continue
		}
		if action.Fragment != "" {
			action.Fragment = ""
		}
		f := form{action: action, get: !strings.EqualFold(attributes["method"], "post"), fields: url.Values{}}
		pressed := false
		for _, field := range fieldTag.FindAllStringSubmatch(match[2], -1) {
			a := attributesOf(field[2])
			name, kind := a["name"], strings.ToLower(a["type"])
			if kind == "" && strings.EqualFold(field[1], "button") {
				kind = "submit"
			}
			_, checked := a["checked"]
			switch {
			case name == "" || kind == "button" || kind == "reset" || kind == "image":
				continue
			case kind == "submit" && pressed:
				continue
			case (kind == "checkbox" || kind == "radio") && !checked:
				continue
			}
			pressed = pressed || kind == "submit"
			f.fields.Add(name, a["value"])
		}
		forms = append(forms, f)
	}
	return forms
}

func attributesOf(tag string) map[string]string {
	found := make(map[string]string)
	for _, a := range attribute.FindAllStringSubmatch(tag, -1) {
		found[strings.ToLower(a[1])] = html.UnescapeString(a[2] + a[3] + a[4])
	}
	return found
}

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u
}
