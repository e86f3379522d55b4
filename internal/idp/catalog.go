package idp

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
)

//go:embed catalog
var embedded embed.FS // constant: nothing can write to it

// onlyInDemo has the folder of the test identity provider, apart from the catalogue so that nobody meets it by listing that.
//
//go:embed demo
var onlyInDemo embed.FS

// Catalog is the checked set of identity providers. It never changes after [Load].
type Catalog struct {
	providers []Provider // ordered by slug
	names     sync.Map   // nameKey → map[Claim][]string, see SignInNames
}

// Load reads the catalogue built into the program and checks it, without the traffic, which only tests play. An error lists
// every fault found, each by its file.
func Load() (*Catalog, error) { return builtIn() }

// builtIn is read once in a process: reading takes some 15 ms, and always comes to the same.
var builtIn = sync.OnceValues(func() (*Catalog, error) { return loadEmbedded(false) })

// LoadWithTraffic is Load with every provider's stories, which are checked too.
func LoadWithTraffic() (*Catalog, error) { return loadEmbedded(true) }

// LoadForDemo is Load with the test identity provider beside the others. Whoever trusts a connection to it lets anybody in: it is for an
// installation that serves one.
func LoadForDemo() (*Catalog, error) { return withTestProvider() }

var withTestProvider = sync.OnceValues(func() (*Catalog, error) {
	all, err := Load()
	if err != nil {
		return nil, err
	}
	folder, err := fs.Sub(onlyInDemo, "demo")
	if err != nil {
		return nil, fmt.Errorf("open the folder of the test identity provider: %w", err)
	}
	more, faults := read(folder, false, true)
	c := Catalog{providers: append(all.Providers(), more...)}
	slices.SortFunc(c.providers, func(a, b Provider) int { return strings.Compare(string(a.Slug), string(b.Slug)) })
	if err := errors.Join(append(faults, c.checkTogether()...)...); err != nil {
		return nil, err
	}
	return &c, nil
})

func loadEmbedded(traffic bool) (*Catalog, error) {
	folder, err := fs.Sub(embedded, "catalog")
	if err != nil {
		return nil, fmt.Errorf("open the built-in catalogue: %w", err)
	}
	return load(folder, traffic)
}

func load(files fs.FS, traffic bool) (*Catalog, error) {
	found, faults := read(files, traffic, false)
	c := Catalog{providers: found}
	faults = append(faults, c.checkTogether()...)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &c, nil
}

// read gives the providers of a folder by their slugs, and all that is wrong with it. Test providers are in a folder of their own.
func read(files fs.FS, traffic, test bool) (found []Provider, faults []error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, []error{fmt.Errorf("list the catalogue: %w", err)}
	}
	markdown := newMarkdown()
	for _, entry := range entries {
		provider, err := loadProvider(markdown, files, entry, traffic)
		faults = append(faults, err)
		if provider.Slug == "" {
			continue
		}
		if provider.TestOnly != test {
			faults = append(faults, fmt.Errorf("%s: test_only is %v: providers that let anybody in are in the demo's folder, and nothing else is", provider.Slug, provider.TestOnly))
		}
		found = append(found, provider)
	}
	return found, faults
}

// loadProvider reads one folder. A provider comes back, whatever is wrong in its other files, if its idp.json is right: then it can
// be compared with others.
func loadProvider(markdown goldmark.Markdown, files fs.FS, entry fs.DirEntry, traffic bool) (Provider, error) {
	slug := entry.Name()
	if !entry.IsDir() {
		return Provider{}, fmt.Errorf("%s: the catalogue holds one folder per provider, not files", slug)
	}
	if err := checkFolder(files, slug); err != nil {
		return Provider{}, err
	}
	name := path.Join(slug, "idp.json")
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return Provider{}, fmt.Errorf("read %s: %w", name, err)
	}
	provider, err := parseProvider(Slug(slug), text)
	if err != nil {
		return Provider{}, fmt.Errorf("%s: %w", name, err)
	}
	return provider, provider.loadRest(markdown, files, traffic)
}

// loadRest reads the other files of the folder, and names the faults of all of them.
func (p *Provider) loadRest(markdown goldmark.Markdown, files fs.FS, traffic bool) error {
	var faults [4]error
	p.Dialect, faults[0] = loadDialect(files, p.Slug)
	if p.Dialect != nil && !p.Speaks(SCIM) {
		faults[0] = fmt.Errorf("%s: simulate.json without scim in protocols: there is nothing to play", p.Slug)
	}
	p.Logo, faults[1] = loadLogo(files, p.Slug)
	p.Guides, faults[2] = loadGuides(markdown, files, *p)
	if traffic {
		p.Stories, faults[3] = loadStories(files, *p)
	}
	return errors.Join(faults[:]...)
}

// checkFolder refuses what nothing would ever read, such as a misspelled folder of traffic.
func checkFolder(files fs.FS, slug string) error {
	known := []string{"idp.json", "logo.svg", "oidc.md", "saml.md", "scim.md", "simulate.json", "traffic"}
	entries, err := fs.ReadDir(files, slug)
	if err != nil {
		return fmt.Errorf("list %s: %w", slug, err)
	}
	for _, entry := range entries {
		if !slices.Contains(known, entry.Name()) {
			return fmt.Errorf("%s/%s: nothing reads it; a provider's folder holds %q", slug, entry.Name(), known)
		}
	}
	return nil
}

func parseProvider(slug Slug, text []byte) (Provider, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var provider Provider
	if err := decoder.Decode(&provider); err != nil {
		return Provider{}, fmt.Errorf("not a provider's JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Provider{}, errors.New("something follows the JSON object")
	}
	provider.Slug = slug
	return provider, provider.check()
}

func loadStories(files fs.FS, provider Provider) ([]Story, error) {
	names, err := fs.Glob(files, path.Join(string(provider.Slug), "traffic", "*"))
	if err != nil {
		return nil, fmt.Errorf("list traffic of %s: %w", provider.Slug, err)
	}
	var stories []Story
	var faults []error
	for _, name := range names {
		story, err := loadStory(files, provider, name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		stories = append(stories, story)
	}
	return stories, errors.Join(faults...)
}

func loadStory(files fs.FS, provider Provider, name string) (Story, error) {
	if !strings.HasSuffix(name, ".traffic") {
		return Story{}, fmt.Errorf("%s: a traffic folder holds *.traffic files only", name)
	}
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return Story{}, fmt.Errorf("read %s: %w", name, err)
	}
	story, err := ParseStory(name, text)
	if err != nil {
		return Story{}, err
	}
	if !slices.Contains(provider.DirectoryTypes, story.Type) {
		return Story{}, fmt.Errorf("%s: type %q is not among the provider's directory_types %q", name, story.Type, provider.DirectoryTypes)
	}
	return story, nil
}

// checkTogether finds what is only wrong between providers: a type nobody or two
// stand for, a sign or a rank two of them claim.
func (c *Catalog) checkTogether() []error {
	var faults []error
	standing := make(map[DirectoryType][]Slug)
	signs := make(map[string]Slug)
	ranks := make(map[int]Slug)
	for _, provider := range c.providers {
		if other, taken := ranks[provider.Rank]; taken && provider.Rank != 0 {
			faults = append(faults, fmt.Errorf("%s and %s both have the rank %d", other, provider.Slug, provider.Rank))
		}
		ranks[provider.Rank] = provider.Slug
		standing[provider.StandsFor] = append(standing[provider.StandsFor], provider.Slug)
		for _, sign := range provider.Recognise.all() {
			if other, taken := signs[sign]; taken {
				faults = append(faults, fmt.Errorf("%s and %s both claim the %s", other, provider.Slug, sign))
			}
			signs[sign] = provider.Slug
		}
	}
	for _, directoryType := range DirectoryTypes() {
		if slugs := standing[directoryType]; len(slugs) != 1 {
			faults = append(faults, fmt.Errorf("directory type %q: want exactly one provider with it in stands_for, got %q", directoryType, slugs))
		}
	}
	faults = append(faults, c.checkConnectionTypes()...)
	return append(faults, c.checkGuides()...)
}

// Provider finds a provider by its slug.
func (c *Catalog) Provider(slug Slug) (Provider, bool) {
	i, found := slices.BinarySearchFunc(c.providers, slug, func(p Provider, want Slug) int {
		return strings.Compare(string(p.Slug), string(want))
	})
	if !found {
		return Provider{}, false
	}
	return c.providers[i], true
}

// Providers lists the whole catalogue ordered by slug.
func (c *Catalog) Providers() []Provider { return slices.Clone(c.providers) }

// ByDirectoryType lists the providers a directory of this type may belong to. The
// first is the one the type stands for: it is meant when nobody names a provider.
// A type that cannot be created gives an empty list.
func (c *Catalog) ByDirectoryType(directoryType DirectoryType) []Provider {
	var first, others []Provider
	for _, provider := range c.providers {
		switch {
		case provider.StandsFor == directoryType && directoryType != "":
			first = append(first, provider)
		case slices.Contains(provider.DirectoryTypes, directoryType):
			others = append(others, provider)
		}
	}
	return append(first, others...)
}

// Recognise names the provider whose traffic a SCIM request shows. It is evidence
// for the people who look ("this is Okta talking to a directory of type Entra"),
// never a reason to switch behaviour: all of it can be sent by anybody.
func (c *Catalog) Recognise(userAgent string, query url.Values, header http.Header) (Slug, bool) {
	for _, provider := range c.providers {
		if provider.Recognise.match(userAgent, query, header) {
			return provider.Slug, true
		}
	}
	return "", false
}
