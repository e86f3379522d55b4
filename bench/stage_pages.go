package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/portal"
	"github.com/rollcallhq/rollcall/internal/web"
)

// pageRows share one server that keeps accounts and is filled once.
var pageRows = []string{"pages", "pageload", "stream"}

const (
	crewSize   = 20  // members of a small group
	pageLimit  = 200 // sorts of pages that are looked at
	pageRounds = 11
)

// isFile says whether an address is one of a file. It is not asked for: it may be as long as the audit.
func isFile(address string) bool {
	return strings.HasSuffix(address, "/export") || strings.HasSuffix(address, ".csv") || strings.HasSuffix(address, "/receipt")
}

// addresses are the rows of both URL tables that can be looked at.
func addresses() []string { return slices.Concat(dashboard.Addresses(), portal.Addresses()) }

// leftOut are addresses that are not measured, and why.
var leftOut = map[string]string{
	"/portal/certificates":                       "leads to the one connection that has any",
	"/portal/sso":                                "leads to the step that comes next",
	"/portal/directory":                          "leads to the step that comes next",
	"/portal/sso/{connection}/test":              "leads to the identity provider",
	"/portal/done":                               "leads back to the app",
	"/dashboard/directories/{id}/exchanges/live": "the list of exchanges, and empty while nothing is new",
}

// pages measures how long a page of a large organization takes, and how much a browser loads for the first one. The pages are those that
// links lead to, one of each sort: dashboard and portal are walked as somebody would who opens everything.
func (l *lab) pages(ctx context.Context, eng engine) error {
	s, err := l.newSide(ctx, false, eng, extras{flags: []string{"--allow-target", "127.0.0.0/8", "--accounts", "rollcall"}})
	if err != nil {
		return err
	}
	if err := s.start(ctx, &l.procs); err != nil {
		return err
	}
	return errors.Join(l.pagesOn(ctx, eng, s), s.proc.stop())
}

func (l *lab) pagesOn(ctx context.Context, eng engine, s *side) error {
	size := l.opt.sizes[min(1, len(l.opt.sizes)-1)]
	d, id, err := s.newMembers(ctx)
	if err == nil {
		err = s.fill(ctx, d, size)
	}
	groups := size / crewSize
	if err == nil {
		err = d.makeCrews(ctx, groups)
	}
	if err == nil {
		_, err = s.settled(ctx, id)
	}
	if err != nil {
		return err
	}
	there, err := s.furnish(ctx, d, id)
	if err != nil {
		return err
	}
	suffix := fmt.Sprintf(" of %s people in %s groups", thousands(size), thousands(groups))
	var all []measuredPage
	for _, one := range []struct {
		open   func(context.Context, *side, *directory) (*visitor, error)
		starts []string
	}{{asOperator, there.inDashboard(d.organization)}, {asContact, there.inPortal()}} {
		v, err := one.open(ctx, s, d)
		if err != nil {
			return err
		}
		found, err := v.walk(ctx, one.starts)
		if err != nil {
			return err
		}
		if err := v.measure(ctx, found); err != nil {
			return err
		}
		all = append(all, found...)
	}
	if err := unwalked(addresses(), all); err != nil {
		return err
	}
	l.recordPages(ctx, eng, suffix, all)
	return l.stream(ctx, eng, s, d, id)
}

func (l *lab) recordPages(ctx context.Context, eng engine, suffix string, all []measuredPage) {
	slices.SortFunc(all, func(a, b measuredPage) int { return int(b.median() - a.median()) })
	c := rowOf("pages").cell(eng, suffix)
	c.Now = all[0].median().Seconds() * 1000
	var slow []string
	for _, p := range all[:min(10, len(all))] {
		slow = append(slow, fmt.Sprintf("%s %.1f", p.sort, p.median().Seconds()*1000))
	}
	c.Note = fmt.Sprintf("%d pages, half of them within %.1f ms; slowest: %s", len(all), all[len(all)/2].median().Seconds()*1000, strings.Join(slow, ", "))
	l.record(ctx, c)

	heaviest := slices.MaxFunc(all, func(a, b measuredPage) int { return a.bytes - b.bytes })
	c = rowOf("pageload").cell(eng, suffix)
	c.Now = float64(heaviest.bytes) / 1000
	c.Note = fmt.Sprintf("%s, with stylesheet, scripts and pictures, as compressed as they come", heaviest.sort)
	l.record(ctx, c)
}

// unwalked refuses addresses of the URL tables that no link has led to, and that are not among those left out.
func unwalked(rows []string, walked []measuredPage) error {
	seen := map[string]bool{}
	for _, p := range walked {
		path, _, _ := strings.Cut(p.address, "?")
		seen[addressOf(rows, path)] = true
	}
	missing := slices.DeleteFunc(slices.Clone(rows), func(a string) bool { return seen[a] || isFile(a) || leftOut[a] != "" })
	if len(missing) > 0 {
		return fmt.Errorf("%d pages were not measured; have what they show made in stage_pages.go, or say in leftOut why not: %s", len(missing), strings.Join(missing, ", "))
	}
	return nil
}

// addressOf is the row of the URL tables that a path belongs to, "" for none.
func addressOf(rows []string, path string) string {
	if found, _ := web.Find(rows, func(a *string) web.Pattern { return web.NewPattern(*a) }, path); found != nil {
		return *found
	}
	return ""
}

// makeCrews makes groups of a few people each, of different ones.
func (d *directory) makeCrews(ctx context.Context, n int) error {
	c := d.dial()
	defer c.close()
	for i := range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		group, err := d.newGroup(c, fmt.Sprintf("Crew %05d", i))
		if err != nil {
			return err
		}
		from := i * crewSize % len(d.people)
		if err := d.addMembers(c, group, d.people[from:min(from+crewSize, len(d.people))]...); err != nil {
			return err
		}
	}
	return nil
}

// visitor is a browser with a session.
type visitor struct {
	client *http.Client
	origin string
	prefix string        // of the addresses that are looked at
	pause  time.Duration // before each page: the portal takes 20 of an address a second
}

// measuredPage is one sort of page: the addresses of all organizations, people and so on have one shape.
type measuredPage struct {
	address, sort string
	took          []time.Duration
	bytes         int // with all that it loads
}

func (p measuredPage) median() time.Duration { return p.took[len(p.took)/2] }

// asOperator signs the first operator in, by a link that the command makes beside the server.
func asOperator(ctx context.Context, s *side, _ *directory) (*visitor, error) {
	args := []string{"operator", "link"}
	for i, a := range s.args {
		if a == "--data-dir" {
			args = append(args, s.args[i:i+2]...)
		}
	}
	cmd := exec.CommandContext(ctx, s.program, append(args, "--listen", s.addr)...)
	cmd.Env = s.env
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("rollcall operator link: %w", err)
	}
	return open(ctx, s, strings.TrimSpace(string(out)), "/dashboard/", url.Values{"email": {"bench@operators.example"}})
}

// asContact opens the portal by a link of the app.
func asContact(ctx context.Context, s *side, d *directory) (*visitor, error) {
	var made struct {
		Link string `json:"link"`
	}
	if err := s.api(ctx, http.MethodPost, "/portal/generate_link", map[string]any{"organization": d.organization}, &made); err != nil {
		return nil, err
	}
	v, err := open(ctx, s, made.Link, "/portal/", nil)
	if err == nil {
		v.pause = time.Second / 18
	}
	return v, err
}

// open presses the button of a link.
func open(ctx context.Context, s *side, link, prefix string, fields url.Values) (*visitor, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, err
	}
	u.Host = strings.Replace(u.Host, "localhost", "127.0.0.1", 1)
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &visitor{origin: "http://" + s.addr, prefix: prefix, client: &http.Client{
		Jar: jar, Timeout: requestTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.origin+u.Path, strings.NewReader(fields.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", v.origin)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := v.client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, biggestAnswer))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 3 {
		return nil, fmt.Errorf("POST of a link below %s: %d %.300s", prefix, resp.StatusCode, body)
	}
	return v, nil
}

var (
	hrefs   = regexp.MustCompile(`<a [^>]*href="([^"#]+)"|hx-get="([^"]+)"`) // a page that waits for something asks for a part of itself
	loads   = regexp.MustCompile(`<(?:script|img)[^>]* src="(/[^"]+)"|<link [^>]*rel="(?:stylesheet|icon|modulepreload)"[^>]*href="(/[^"]+)"`)
	search  = regexp.MustCompile(`(?s)<form class="filter"[^>]* action="([^"]+)".*?<input type="search"[^>]* name="([^"]+)"`)
	someID  = regexp.MustCompile(`[a-z]+(_[a-z]+)*_[0-9A-HJKMNP-TV-Z]{26}`)
	chapter = regexp.MustCompile(`^(/portal/(?:sso|directory)/new/)[^/?]+`) // one guide is like another
)

// sortOf is what an address has in common with those of other organizations, people and filters.
func sortOf(u *url.URL) string {
	path := chapter.ReplaceAllString(someID.ReplaceAllString(u.Path, "{id}"), "$1{provider}")
	if names := slices.Sorted(maps.Keys(u.Query())); len(names) > 0 {
		return path + "?" + strings.Join(names, "&")
	}
	return path
}

// walk follows links, one of each sort, and weighs each page.
func (v *visitor) walk(ctx context.Context, starts []string) ([]measuredPage, error) {
	seen := map[string]bool{}
	todo := slices.Clone(starts)
	for _, start := range starts {
		at, err := url.Parse(start)
		if err != nil {
			return nil, err
		}
		seen[sortOf(at)] = true
	}
	var found []measuredPage
	weights := map[string]int{}
	for len(todo) > 0 && len(found) < pageLimit {
		at := todo[0]
		todo = todo[1:]
		base, err := url.Parse(at)
		if err != nil {
			return nil, err
		}
		if err := wait(ctx, v.pause); err != nil {
			return nil, err
		}
		text, weight, err := v.get(ctx, at)
		if err != nil {
			return nil, err
		}
		if text == "" { // a file
			continue
		}
		for _, m := range loads.FindAllStringSubmatch(text, -1) {
			file := html.UnescapeString(m[1] + m[2])
			if weights[file] == 0 {
				if _, weights[file], err = v.get(ctx, file); err != nil {
					return nil, err
				}
			}
			weight += weights[file]
		}
		if !strings.HasPrefix(text, elsewhere) {
			found = append(found, measuredPage{address: at, sort: sortOf(base), bytes: weight})
		}
		for _, link := range linksOf(text) {
			to, err := base.Parse(html.UnescapeString(link))
			if err != nil || to.Host != "" || !strings.HasPrefix(to.Path, v.prefix) || seen[sortOf(to)] || isFile(to.Path) {
				continue
			}
			seen[sortOf(to)] = true
			todo = append(todo, to.RequestURI())
		}
	}
	if len(found) < 5 {
		return nil, fmt.Errorf("from %s links lead to %d pages", starts[0], len(found))
	}
	return found, nil
}

// linksOf are the addresses that a page leads to.
func linksOf(text string) (out []string) {
	for _, m := range hrefs.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1]+m[2])
	}
	for _, m := range search.FindAllStringSubmatch(text, -1) { // for what is nowhere: the longest search there is
		out = append(out, m[1]+"?"+m[2]+"=nowhere")
	}
	return out
}

// elsewhere begins the text of an answer that leads to another page: a link to that.
const elsewhere = "\x00"

// get reads a page, and says how many bytes came. The text of what is no page is empty.
func (v *visitor) get(ctx context.Context, path string) (text string, size int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.origin+path, nil)
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Accept-Encoding", "gzip") // set by hand, the body stays as it came
	resp, err := v.client.Do(req)
	if err != nil {
		return "", 0, err
	}
	counted := &countingReader{from: resp.Body}
	body, err := plain(counted, resp.Header.Get("Content-Encoding"))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return "", 0, fmt.Errorf("GET %s: %w", path, err)
	}
	switch {
	case resp.StatusCode/100 == 3:
		return elsewhere + `<a href="` + html.EscapeString(resp.Header.Get("Location")) + `">`, counted.n, nil
	case resp.StatusCode == http.StatusNoContent: // a part of a page that has not changed
		return "", counted.n, nil
	case resp.StatusCode != http.StatusOK:
		return "", 0, fmt.Errorf("GET %s: %d %.300s", path, resp.StatusCode, body)
	case !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return "", counted.n, nil
	}
	return string(body), counted.n, nil
}

// measure asks for each page in turn, round after round.
func (v *visitor) measure(ctx context.Context, pages []measuredPage) error {
	for range pageRounds {
		for i := range pages {
			if err := wait(ctx, v.pause); err != nil {
				return err
			}
			begun := time.Now()
			if _, _, err := v.get(ctx, pages[i].address); err != nil {
				return err
			}
			pages[i].took = append(pages[i].took, time.Since(begun))
		}
	}
	for i := range pages {
		slices.Sort(pages[i].took)
	}
	return nil
}

type countingReader struct {
	from io.Reader
	n    int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.n += n
	return n, err
}

func plain(r io.Reader, encoding string) ([]byte, error) {
	if encoding == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = z
	}
	return io.ReadAll(io.LimitReader(r, biggestAnswer))
}
