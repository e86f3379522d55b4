package idp

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

// eachGuide visits every guide of the catalogue.
func eachGuide(t *testing.T, visit func(provider Provider, guide Guide)) {
	t.Helper()
	for _, provider := range loadCatalog(t).Providers() {
		for _, protocol := range provider.Protocols {
			guide, ok := provider.Guides[protocol]
			if !ok {
				t.Errorf("%s has no guide of %s", provider.Slug, protocol)
				continue
			}
			visit(provider, guide)
		}
	}
}

func sampleValues() map[Placeholder]string {
	return map[Placeholder]string{
		PlaceholderACSURL: "https://id.example/saml/k7/acs", PlaceholderSPEntityID: "https://id.example/saml/k7", PlaceholderSPMetadataURL: "https://id.example/saml/k7",
		PlaceholderSLOURL: "https://id.example/saml/k7/slo", PlaceholderLoginURL: "https://id.example/saml/k7/login", PlaceholderRedirectURI: "https://id.example/oidc/k7/callback",
		PlaceholderSCIMURL: "https://id.example/scim/v2/acme", PlaceholderSCIMToken: "scim_example", PlaceholderAppName: "Rota & Co", PlaceholderOrganization: "Acme",
	}
}

// rendered is everything of a step that a person would see, with its values filled in.
func rendered(t *testing.T, where string, blocks []Block) string {
	t.Helper()
	var page strings.Builder
	for _, block := range blocks {
		page.WriteString(block.HTML)
		page.WriteString(html.EscapeString(block.FillCode(sampleValues())))
		for _, line := range block.Copy {
			value := line.Fill(sampleValues())
			if strings.TrimSpace(line.Label) == "" || strings.TrimSpace(value) == "" {
				t.Errorf("%s: a blank line to copy: %+v", where, line)
			}
			page.WriteString(html.EscapeString(line.Label + value))
		}
		for _, line := range block.Map {
			page.WriteString(html.EscapeString(line.Name + line.Source))
		}
		for _, fields := range block.Ask {
			for _, field := range fields {
				page.WriteString(html.EscapeString(field.Label + field.Hint))
			}
		}
		for _, check := range block.Checks {
			page.WriteString(string(check))
		}
		if block.HTML == "" && block.Code == "" && len(block.Copy)+len(block.Map)+len(block.Ask)+len(block.Checks) == 0 {
			t.Errorf("%s: an empty block %s", where, block.Kind)
		}
	}
	return page.String()
}

var (
	address  = regexp.MustCompile(`href="([^"]*)"`)
	anyTag   = regexp.MustCompile(`<(/?[a-z0-9]+)`)
	pageTags = regexp.MustCompile(`^/?(a|code|em|li|ol|p|strong|t(able|body|d|h|head|r)|ul)$`)
)

func TestEvery_step_of_every_guide_can_be_shown(t *testing.T) {
	guides := 0
	eachGuide(t, func(provider Provider, guide Guide) {
		guides++
		where := string(provider.Slug) + "/" + string(guide.Protocol)
		parts := map[string]string{"the introduction": rendered(t, where, guide.Intro)}
		if len(guide.GoodToKnow) > 0 {
			parts["good to know"] = rendered(t, where, guide.GoodToKnow)
		}
		for _, step := range guide.Steps {
			parts[step.Title] = rendered(t, where, step.Blocks)
		}
		for _, row := range guide.Trouble {
			parts["the trouble "+row.See] = row.See + row.Why + row.Do
		}
		for part, page := range parts {
			checkPage(t, where+", "+part, page)
		}
	})
	if guides < 60 {
		t.Errorf("%d guides were shown; want those of the whole catalogue", guides)
	}
}

func checkPage(t *testing.T, where, page string) {
	t.Helper()
	if strings.TrimSpace(page) == "" {
		t.Errorf("%s: nothing to see", where)
	}
	if at := strings.Index(page, "{{"); at >= 0 {
		t.Errorf("%s: a placeholder is left: %.40s", where, page[at:])
	}
	for _, found := range address.FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(found[1], "https://") {
			t.Errorf("%s: a link to %s", where, found[1])
		}
	}
	for _, found := range anyTag.FindAllStringSubmatch(page, -1) {
		if !pageTags.MatchString(found[1]) {
			t.Errorf("%s: an element %s, which pages have no style for", where, found[1])
		}
	}
}

// What the titles of guides say is in menus and search results beside each other.
func TestTitles_name_the_provider(t *testing.T) {
	titles := make(map[string]Slug)
	eachGuide(t, func(provider Provider, guide Guide) {
		if other, taken := titles[guide.Title]; taken {
			t.Errorf("%s and %s have the title %q", other, provider.Slug, guide.Title)
		}
		titles[guide.Title] = provider.Slug
	})
}
