package ui

import (
	"context"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

func page(t testing.TB) context.Context {
	t.Helper()
	catalogue, err := words.Load()
	if err != nil {
		t.Fatal(err)
	}
	set, err := assets.New(assets.File{Name: assets.Brand, Body: []byte(":root{}")})
	if err != nil {
		t.Fatal(err)
	}
	return With(t.Context(), &View{Words: catalogue.Source(), Assets: set, Now: time.Date(2026, 11, 22, 8, 40, 25, 0, time.UTC)})
}

func drawn(t testing.TB, c templ.Component) string {
	t.Helper()
	var out strings.Builder
	if err := c.Render(page(t), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var tags = regexp.MustCompile(`<[^>]*>`)

// heard is the text of markup.
func heard(markup string) string { return html.UnescapeString(tags.ReplaceAllString(markup, "")) }

func TestCode_shows_every_byte_as_it_was(t *testing.T) {
	for _, text := range []string{
		"{\n  \"a\": [1, true, null, \"x\\\"y\"],\n\n  \"b\": \"<script>&amp;\"\n}", "no JSON at all: \"open", "", "\"\\", "{\"a\":\"b\nc\"}", "ü \"ключ\" : 1e9",
	} {
		for _, isJSON := range []bool{false, true} {
			got := drawn(t, Code(CodeProps{ID: "c", Label: "L", Text: text, JSON: isJSON}))
			got = got[strings.Index(got, `<code id="c">`):strings.Index(got, "</code>")]
			if heard(got) != text {
				t.Errorf("JSON %t: %q is shown as %q", isJSON, text, heard(got))
			}
			if strings.Contains(got, "<script") {
				t.Errorf("text is markup: %s", got)
			}
		}
	}
}

func FuzzCode_loses_nothing(f *testing.F) {
	f.Add(`{"a":"b"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var got strings.Builder
		for i, line := range colour(text) {
			if i > 0 {
				got.WriteByte('\n')
			}
			for _, p := range line {
				got.WriteString(p.text)
			}
		}
		if want := strings.TrimSuffix(text, "\n"); got.String() != want {
			t.Fatalf("%q became %q", want, got.String())
		}
	})
}

func TestCode_marks_a_line_and_says_why(t *testing.T) {
	got := drawn(t, Code(CodeProps{ID: "c", Label: "L", Text: "a\nb\nc", Marks: map[int]Mark{2: {Tone: Bad, Text: "Not this."}}}))
	if !strings.Contains(got, `<span class="line" data-tone="bad">b`) || strings.Count(got, `class="line" data-tone`) != 1 || !strings.Contains(heard(got), "Line 2 Not this.") {
		t.Errorf("drawn as %s", got)
	}
}

func TestLinks_lead_to_pages_only(t *testing.T) {
	for href, want := range map[string]string{
		"/a?b=c:d#e": "/a?b=c:d#e", "?q=javascript:1": "?q=javascript:1", "https://x.example": "https://x.example", "HTTP://x": "HTTP://x", "mailto:a@b": "mailto:a@b",
		"com.example.app:/cb": "com.example.app:/cb", "": "", "#main": "#main",
		"javascript:alert(1)": "#unsafe", " javascript:alert(1)": "#unsafe", "JaVaScRiPt:alert(1)": "#unsafe", "java\nscript:alert(1)": "#unsafe", "\x01javascript:x": "#unsafe",
		"data:text/html,x": "#unsafe", "vbscript:x": "#unsafe", "blob:x": "#unsafe", "java.script\t:x": "#unsafe",
	} {
		if got := safeHref(href); got != want {
			t.Errorf("%q leads to %q, want %q", href, got, want)
		}
	}
	evil := "javascript:alert(1)"
	for _, c := range []templ.Component{
		Button(ButtonProps{Label: "x", Href: evil}), Form(FormProps{Action: evil}), Anchor(Link{"x", evil}), Tabs("x", []Tab{{Label: "x", Href: evil}}), Steps("x", []Step{{Label: "x", Href: evil}}),
		Stats([]StatProps{{Label: "x", Href: evil}}), Person("x", "y", evil), EventRow(EventProps{Title: "x", Href: evil}), Head(HeadProps{Title: "x", Back: Link{"x", evil}}),
		Filter(FilterProps{Action: evil, Clear: evil, Export: Link{"x", evil}}), Table(TableProps{Columns: []Column{{Label: "x", Sort: evil}}, Rows: []Row{{}}, Pager: Pager{First: evil, Previous: evil, Next: evil}}),
		Shell(ShellProps{Nav: []NavGroup{{Items: []NavItem{{Label: "x", Href: evil}}}}, Crumbs: []Link{{"x", evil}, {"y", evil}}, Search: FilterProps{Search: "q", Action: evil}, Account: Account{Name: "x", SignOut: FormProps{Action: evil}, Links: []Link{{"x", evil}}}}),
		PortalShell(PortalProps{Exit: Link{"x", evil}, Help: Link{"x", evil}}), Confirm(ConfirmProps{Form: FormProps{Action: evil}, Cancel: Link{"x", evil}}),
	} {
		if got := drawn(t, c); strings.Contains(got, "javascript:") {
			t.Errorf("leads into a script: %s", got)
		}
	}
}

func TestTime_is_said_relative_to_now_and_exact_for_machines(t *testing.T) {
	now := Of(page(t)).Now
	for d, want := range map[time.Duration]string{
		0: "just now", 44 * time.Second: "just now", 50 * time.Second: "1 minute ago", 59 * time.Minute: "59 minutes ago", time.Hour: "1 hour ago", 47 * time.Hour: "1 day ago",
		59 * 24 * time.Hour: "59 days ago", 61 * 24 * time.Hour: "2 months ago", 800 * 24 * time.Hour: "2 years ago", -20 * time.Second: "just now", -3 * time.Hour: "in 3 hours",
		-30 * 24 * time.Hour: "in 30 days", -5 * time.Minute: "in 5 minutes", -90 * 24 * time.Hour: "in 3 months", -1000 * 24 * time.Hour: "in 2 years",
	} {
		at := now.Add(-d)
		got := drawn(t, Time(TimeProps{At: at.In(time.FixedZone("x", 3600))}))
		if heard(got) != want || !strings.Contains(got, `datetime="`+at.UTC().Format(time.RFC3339)+`"`) {
			t.Errorf("%v before: %s, want %q", d, got, want)
		}
	}
	if got := heard(drawn(t, Time(TimeProps{At: now, Absolute: true}))); got != "2026-11-22 08:40:25 UTC" {
		t.Errorf("exactly: %q", got)
	}
	if got := heard(drawn(t, Time(TimeProps{}))); got != "Never" {
		t.Errorf("the zero time: %q", got)
	}
}

func TestField_names_what_belongs_to_it(t *testing.T) {
	got := drawn(t, Input(InputProps{FieldProps: FieldProps{ID: "url", Name: "metadata_url", Label: "Address", Hint: "H", Error: "E", Why: "W"}, MaxLength: 9}))
	for _, want := range []string{`<label for="url">`, `aria-describedby="url-error url-hint url-why"`, `id="url-error"`, `id="url-hint"`, `id="url-why"`, `aria-invalid="true"`, ` required`, `name="metadata_url"`, `maxlength="9"`, `autocomplete="off"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	for _, f := range []FieldProps{{ID: "a", Label: "A", Optional: true}, {ID: "a", Label: "A", Lax: true}, {ID: "a", Label: "A", ReadOnly: true}, {ID: "a", Label: "A", Disabled: true}} {
		if got := drawn(t, Input(InputProps{FieldProps: f})); strings.Contains(got, " required") || strings.Contains(got, "aria-") && !strings.Contains(got, "aria-hidden") {
			t.Errorf("%+v: %s", f, got)
		}
	}
	if got := drawn(t, Switch(SwitchProps{FieldProps: FieldProps{ID: "a", Label: "A"}})); strings.Contains(got, "required") {
		t.Errorf("a switch that is off is no missing answer: %s", got)
	}
}

func TestConfirmation_that_wants_a_name_typed_asks_for_it(t *testing.T) {
	got := drawn(t, Confirm(ConfirmProps{Title: "T", Type: "Acme", Confirm: "Delete", Form: FormProps{Action: "/x", Hidden: []Hidden{{"id", "org_1"}}}, Lines: []string{"a", "b"}}))
	for _, want := range []string{`name="confirm"`, "Type Acme to confirm", `data-variant="destructive"`, `name="id" value="org_1"`, `method="post"`, ">Cancel", "<li>a</li>"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q: %s", want, got)
		}
	}
}

func TestTable_says_how_it_is_sorted_and_what_to_do_where_it_is_empty(t *testing.T) {
	props := TableProps{ID: "t", Caption: "People", Columns: []Column{{Label: "Name", Sort: "?s", Sorted: Descending}, {Label: "Actions", Unseen: true}}, Empty: EmptyProps{Title: "Nobody yet"}}
	if got := drawn(t, Table(props)); !strings.Contains(got, "Nobody yet") || strings.Contains(got, "<table") {
		t.Errorf("without rows: %s", got)
	}
	props.Rows = []Row{{ID: "r1", Cells: []templ.Component{Text("Ada")}}}
	got := drawn(t, Table(props))
	for _, want := range []string{`aria-sort="descending"`, `<th scope="row"`, "<caption", `id="r1"`, `data-label="Name"`, `<span class="unseen">Actions</span>`, `data-label=""`} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q: %s", want, got)
		}
	}
	if strings.Contains(got, `class="pager"`) {
		t.Errorf("a table without pages has a pager: %s", got)
	}
}

func TestChart_has_the_numbers_in_words_and_stays_in_its_frame(t *testing.T) {
	c := ChartProps{ID: "c", Title: "Sign-ins", Text: "Most on Monday.", Over: "Day", Labels: []string{"Mon", "Tue"}, Series: []Series{{Name: "OK", Values: []float64{4120, 7}}, {Name: "No", Values: []float64{3}}}}
	for _, kind := range []ChartKind{Bars, Lines} {
		c.Kind = kind
		got := drawn(t, Chart(c))
		for _, want := range []string{`role="img" aria-label="Sign-ins. Most on Monday."`, `<th scope="row">Tue</th>`, `<td class="number">4120</td>`, `<td class="number">0</td>`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q: %s", kind, want, got)
			}
		}
	}
	for most, top := range map[float64]float64{0: 4, 3: 4, 5: 6, 10: 10, 11: 20, 399: 400, 4120: 6000, 1e6: 1e6} {
		c.Series = []Series{{Values: []float64{most}}}
		if c.top() != top {
			t.Errorf("a chart up to %v ends at %v, want %v", most, c.top(), top)
		}
	}
	if got := drawn(t, Chart(ChartProps{ID: "c", Kind: Lines, Series: []Series{{}}})); strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
		t.Errorf("a chart of nothing: %s", got)
	}
}

func TestInitials_are_those_of_names_in_any_script(t *testing.T) {
	for name, want := range map[string]string{"Ada Lovelace": "AL", "ada@acme.example": "A", "ada.king@acme.example": "AK", "李 小龙": "李小", "Donald E. Knuth": "DK", "": "?", "@": "?", "ßx": "SS", "  ": "?"} {
		if got := initials(name); got != want && !(name == "ßx" && got == "ß") {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestEvery_icon_has_its_picture_and_no_other_is_there(t *testing.T) {
	source, err := os.ReadFile("icons.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`Icon += "([a-z0-9-]+)"`).FindAllStringSubmatch(string(source), -1)
	for _, m := range named {
		if !strings.HasPrefix(icons()[Icon(m[1])], "<") {
			t.Errorf("%s has no picture; run internal/web/assets/build.sh", m[1])
		}
	}
	if len(named) != len(icons()) || len(named) < 40 {
		t.Errorf("%d icons are named, %d are there", len(named), len(icons()))
	}
}

func TestShells_show_the_brand_of_the_operator(t *testing.T) {
	ctx := page(t)
	for _, c := range []struct {
		brand Brand
		want  []string
	}{
		{Brand{}, []string{"brand-mark", "<title>T · Rollcall</title>"}},
		{Brand{Name: "Acme Shop"}, []string{`brand-letters" aria-hidden="true">AS<`, "Acme Shop</span>", "<title>T · Acme Shop</title>"}},
		{Brand{Name: "Acme", Logo: "/assets/logo.1.png"}, []string{`<img class="brand-logo" src="/assets/logo.1.png" alt="Acme">`, `<link rel="icon" href="/assets/logo.1.png">`}},
	} {
		view := *Of(ctx)
		view.Brand = c.brand
		var out strings.Builder
		if err := Shell(ShellProps{Title: "T"}).Render(With(ctx, &view), &out); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%+v: %q is not in %s", c.brand, want, out.String())
			}
		}
	}
}

func TestPortal_says_at_which_step_it_is(t *testing.T) {
	for _, c := range []struct {
		steps []Step
		want  string
	}{
		{[]Step{{Label: "One", State: StepDone}, {Label: "Two", State: StepCurrent}, {Label: "Three", State: StepNext}}, "Step 2 of 3"},
		{[]Step{{Label: "One", State: StepDone}, {Label: "Two", State: StepDone}}, "Step 2 of 2"},
		{[]Step{{Label: "One", State: StepWrong}, {Label: "Two", State: StepNext}}, "Step 1 of 2"},
	} {
		if got := drawn(t, PortalShell(PortalProps{Title: "T", Steps: c.steps})); !strings.Contains(got, c.want) || strings.Contains(got, `aria-current="step"`) != (c.steps[1].State == StepCurrent) {
			t.Errorf("%+v: want %q in %s", c.steps, c.want, got)
		}
	}
}
