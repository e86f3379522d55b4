package app

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/web/assets"
)

func TestPages_show_the_brand_and_everything_they_fetch_is_served(t *testing.T) {
	c := testConfig(t)
	colour, err := assets.ParseColour("#ffcc00")
	if err != nil {
		t.Fatal(err)
	}
	c.Brand.Name, c.Brand.Colour, c.Brand.Logo = "Acme Shop", &colour, &assets.File{Name: "logo.svg", Body: []byte("<svg/>")}
	a := build(t, c)
	stop := start(t, a)
	_, page := get(t, a.URL()+"/signed-out")
	all := ""
	for _, m := range regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		status, body := get(t, a.URL()+m[1])
		if status != 200 {
			t.Errorf("%s: %d", m[1], status)
		}
		all += body
	}
	for _, want := range []string{"--brand:#ffcc00", "<svg/>", ".plain-card"} {
		if !strings.Contains(all, want) {
			t.Errorf("what the page fetches lacks %q", want)
		}
	}
	if !strings.Contains(page, `alt="Acme Shop"`) {
		t.Errorf("the page is not the operator's: %s", page)
	}
	if status, _ := get(t, a.URL()+assets.Prefix+"nothing.js"); status != 404 {
		t.Errorf("what is not there: %d", status)
	}
	if _, metrics := get(t, a.URL()+"/metrics"); !strings.Contains(metrics, `route="assets",status="200"`) {
		t.Error("files are not counted under their own name")
	}
	if err := stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}
