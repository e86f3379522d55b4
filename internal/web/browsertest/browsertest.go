// Package browsertest is for tests that look at pages in a browser: it finds a Chromium, puts it into each of the looks that pages come in, and asks
// axe (https://github.com/dequelabs/axe-core) whether everybody can read them. With the flag -pictures a test leaves what it saw in the folder build
// of its package.
package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var pictures = flag.Bool("pictures", false, "write a picture of each page into the folder build")

//go:embed axe.min.js
var axe string

// patience bounds a test in the browser: what is waited for and never comes fails it before the test program is killed with all its others.
const patience = 10 * time.Minute

// Start starts a headless browser without cookies, which ends with the test. The test fails where there is none.
func Start(t testing.TB) context.Context {
	t.Helper()
	path := find()
	if path == "" {
		t.Fatal("no browser; install Chromium, or name one by ROLLCALL_TEST_CHROME")
	}
	patient, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.NoSandbox, chromedp.ExecPath(path))
	allocator, stop := chromedp.NewExecAllocator(patient, options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	must(t, chromedp.Do(ctx))
	return ctx
}

// find gives the program; "" where there is none.
func find() string {
	for _, path := range []string{os.Getenv("ROLLCALL_TEST_CHROME"), "/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(path); path != "" && err == nil {
			return path
		}
	}
	return ""
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// WithoutScript switches the scripts of the pages off that are opened from now on.
func WithoutScript(ctx context.Context, t testing.TB) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	must(t, err)
}

// Evaluate runs a script in the page, and waits for what it promises.
func Evaluate[T any](ctx context.Context, t testing.TB, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	must(t, err)
	return v
}

// Complaints gathers what the browser says on its console: breaches of the policy, errors of scripts. What it returns gives what was said since it
// was asked last.
func Complaints(ctx context.Context, t testing.TB) func() []string {
	t.Helper()
	var mu sync.Mutex
	var said []string
	must(t, chromedp.Listen(ctx, func(e any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := e.(type) {
		case *cdplog.EventEntryAdded:
			said = append(said, e.Entry.Text)
		case *runtime.EventExceptionThrown:
			said = append(said, e.ExceptionDetails.Text)
		}
	}))
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := said
		said = nil
		return out
	}
}

// Look is one of the ways to look at a page. Width is in CSS pixels.
type Look struct {
	Name  string
	Dark  bool
	Width int64
}

// Height is that of the window in every look, in CSS pixels.
const Height = 900

// Looks are light and dark, on a desk and on a small telephone.
func Looks() []Look {
	return []Look{{"light", false, 1360}, {"dark", true, 1360}, {"light-360", false, 360}, {"dark-360", true, 360}}
}

// Narrow says that it is a telephone's.
func (l Look) Narrow() bool { return l.Width < 1000 }

// Put has the pages look so, with nothing that moves.
func (l Look) Put(ctx context.Context, t testing.TB) {
	t.Helper()
	scheme := "light"
	if l.Dark {
		scheme = "dark"
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	must(t, err)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(l.Width, Height)))
}

// Fits fails the test when the page is wider than its window.
func Fits(ctx context.Context, t testing.TB, name string) {
	t.Helper()
	if wide := Evaluate[float64](ctx, t, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
		t.Errorf("%s: the page is %v pixels wider than the window", name, wide)
	}
}

// Readable fails the test for everything that axe has seriously against the page.
func Readable(ctx context.Context, t testing.TB, name string) {
	t.Helper()
	for _, finding := range Findings(ctx, t) {
		t.Errorf("%s: %s", name, finding)
	}
}

// Findings are those of axe that are serious or critical, each with the element and what is wrong with it.
func Findings(ctx context.Context, t testing.TB) (out []string) {
	t.Helper()
	Evaluate[any](ctx, t, "if (!window.axe) {"+axe+"}; 1")
	text := Evaluate[string](ctx, t, "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))")
	var all []struct {
		ID, Impact string
		Nodes      []struct {
			Target         []any
			FailureSummary string
		}
	}
	must(t, json.Unmarshal([]byte(text), &all))
	for _, v := range all {
		if v.Impact != "serious" && v.Impact != "critical" {
			continue
		}
		for _, n := range v.Nodes {
			out = append(out, fmt.Sprintf("%s (%s) at %v: %s", v.ID, v.Impact, n.Target, strings.Join(strings.Fields(n.FailureSummary), " ")))
		}
	}
	return out
}

// Picture writes what is seen into the folder build, when pictures are wanted.
func Picture(ctx context.Context, t testing.TB, name string) {
	t.Helper()
	if !*pictures {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	must(t, err)
	must(t, os.MkdirAll("build", 0o755))
	must(t, os.WriteFile(filepath.Join("build", name+".png"), png, 0o644))
}
