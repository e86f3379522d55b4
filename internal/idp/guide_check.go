package idp

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/yuin/goldmark"
)

// checkWhole finds what a guide lacks.
func (p *guideParser) checkWhole() {
	if p.guide.Title == "" {
		p.fault(1, `the guide has no title: want "# Okta by SAML"`)
	}
	if len(p.guide.Intro) == 0 {
		p.fault(1, "nothing between title and first step: say what the admin will have, which rights are needed and how long it takes")
	}
	for _, step := range p.guide.Steps {
		if len(step.Blocks) == 0 {
			p.fault(1, "step %q is empty", step.Title)
		}
	}
	if len(p.guide.Trouble) < 2 {
		p.fault(1, "%q with at least two rows has to end the guide", troubleshootingTitle)
	}
	switch p.guide.Protocol {
	case SAML:
		p.checkSAML()
	case OIDC:
		p.checkOIDC()
	case SCIM:
		p.wantPlaceholders(PlaceholderSCIMURL, PlaceholderSCIMToken)
		p.wantChecks(CheckFirstRequest, CheckFirstUser)
	}
}

func (p *guideParser) checkSAML() {
	if !slices.Contains(p.used(), PlaceholderSPMetadataURL) {
		p.wantPlaceholders(PlaceholderACSURL, PlaceholderSPEntityID)
	}
	p.wantChecks(CheckMetadata)
	p.wantOneAsk()
	p.wantTest()
}

func (p *guideParser) checkOIDC() {
	p.wantPlaceholders(PlaceholderRedirectURI)
	p.wantChecks(CheckDiscovery)
	p.wantOneAsk()
	p.wantTest()
}

func (p *guideParser) wantPlaceholders(names ...Placeholder) {
	used := p.used()
	for _, name := range names {
		if !slices.Contains(used, name) {
			p.fault(1, "no copy or code block has {{%s}}", name)
		}
	}
}

func (p *guideParser) wantChecks(names ...Check) {
	for _, name := range names {
		has := func(s GuideStep) bool { return s.shows(name) }
		if !slices.ContainsFunc(p.guide.Steps, has) {
			p.fault(1, "no step has the check %q", name)
		}
	}
}

// wantOneAsk keeps what an admin brings back in one form, which is saved as a whole.
func (p *guideParser) wantOneAsk() {
	if p.asks != 1 {
		p.fault(1, "%d ask blocks: want one that asks for everything", p.asks)
	}
}

func (p *guideParser) wantTest() {
	last := len(p.guide.Steps) - 1
	if last < 0 || p.guide.Steps[last].Title != testTitle || !p.guide.Steps[last].shows(CheckTestSignIn) {
		p.fault(1, "the last step has to be %q with the check %q", testTitle, CheckTestSignIn)
	}
}

// checkAsk finds alternatives with which no connection could be made.
func (p *guideParser) checkAsk(line int, alternatives [][]Field) {
	p.asks++
	enough := map[Protocol][][]AskField{
		SAML: {{FieldMetadataURL}, {FieldMetadataXML}, {FieldIDPEntityID, FieldSSOURL, FieldCertificate}},
		OIDC: {{FieldIssuer, FieldClientID, FieldClientSecret}},
	}[p.guide.Protocol]
	for i, fields := range alternatives {
		if !slices.ContainsFunc(enough, func(need []AskField) bool { return hasAll(fields, need) }) {
			p.fault(line, "alternative %d of the ask block: want all fields of one of %q", i+1, enough)
		}
	}
}

func hasAll(fields []Field, need []AskField) bool {
	for _, name := range need {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.Field == name }) {
			return false
		}
	}
	return true
}

func (p *guideParser) used() []Placeholder {
	var used []Placeholder
	for _, step := range p.guide.Steps {
		for _, block := range step.Blocks {
			used = append(used, block.Placeholders()...)
		}
	}
	return used
}

func (s GuideStep) shows(check Check) bool {
	return slices.ContainsFunc(s.Blocks, func(b Block) bool { return slices.Contains(b.Checks, check) })
}

// loadGuides reads the guides of a folder: one for each protocol the provider speaks, no other.
func loadGuides(markdown goldmark.Markdown, files fs.FS, provider Provider) (map[Protocol]Guide, error) {
	guides := make(map[Protocol]Guide)
	var faults []error
	for _, protocol := range []Protocol{SAML, OIDC, SCIM} {
		name := path.Join(string(provider.Slug), string(protocol)+".md")
		source, err := fs.ReadFile(files, name)
		missing := errors.Is(err, fs.ErrNotExist)
		switch {
		case missing && !provider.Speaks(protocol):
			continue
		case missing:
			err = fmt.Errorf("catalog/%s:1: missing, and idp.json has %q in protocols: every protocol has its guide", name, protocol)
		case err != nil:
			err = fmt.Errorf("read %s: %w", name, err)
		case !provider.Speaks(protocol):
			err = fmt.Errorf("catalog/%s:1: a guide for a protocol that is not in protocols of idp.json", name)
		default:
			guides[protocol], err = parseGuide(markdown, path.Join("catalog", name), protocol, source, provider.TestOnly)
		}
		faults = append(faults, err)
	}
	return guides, errors.Join(faults...)
}

// moreAttributes may be sent beside the claims; what is sent is kept with the
// person's profile, and mappings may use it.
func moreAttributes() []string {
	return []string{"costCenter", "department", "division", "employeeNumber", "manager", "title"}
}

// checkGuides finds names in maps of attributes that no sign-in looks for: a slip there would be noticed by nobody but the admin.
func (c *Catalog) checkGuides() []error {
	var faults []error
	for _, provider := range c.providers {
		for _, protocol := range []Protocol{SAML, OIDC} {
			names := moreAttributes()
			for _, known := range c.ClaimNames(provider.Slug, protocol) {
				names = append(names, known...)
			}
			for _, line := range provider.Guides[protocol].mapped() {
				if !slices.Contains(names, line.Name) {
					faults = append(faults, fmt.Errorf("catalog/%s/%s.md:%d: %q is not read: want a name in claims.%s of idp.json, a well-known one, or one of %q",
						provider.Slug, protocol, line.line, line.Name, protocol, moreAttributes()))
				}
			}
		}
	}
	return faults
}

func (g Guide) mapped() []MapLine {
	var lines []MapLine
	for _, step := range g.Steps {
		for _, block := range step.Blocks {
			lines = append(lines, block.Map...)
		}
	}
	return lines
}
