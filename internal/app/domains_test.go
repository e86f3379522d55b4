package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/app"
)

const (
	acme  = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"
	other = "org_01ARZ3NDEKTSV4RRFFQ69G5FAW"
)

func TestCustom_domains_are_hosts_for_all_or_for_one_organization(t *testing.T) {
	c := mustLoad(t, parse(t, "--custom-domain", "SCIM.App.example", "--custom-domain", "scim.acme.example:8443="+acme+", http://127.0.0.1:8080="+other))
	var got []string
	for _, d := range c.CustomDomains {
		got = append(got, d.URL.String()+" "+d.Organization)
	}
	if want := []string{"https://scim.app.example ", "https://scim.acme.example:8443 " + acme, "http://127.0.0.1:8080 " + other}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if c := mustLoad(t, parse(t), "ROLLCALL_CUSTOM_DOMAIN=https://a.example/,http://localhost="+acme+",http://[::1]:1="+other); len(c.CustomDomains) != 3 {
		t.Errorf("%v", c.CustomDomains)
	}
}

func TestCustom_domains_that_cannot_be_are_faults_that_say_why(t *testing.T) {
	for value, want := range map[string]string{
		"a_b.example":                              `holds "a_b.example", which is no host`,
		"https://a.example/scim":                   `which is no host`,
		"user@a.example":                           `which is no host`,
		"-a.example":                               `which is no host`,
		"a.example:0":                              `which is no host`,
		"a.example:99999":                          `which is no host`,
		"bücher.example":                           `which is no host`,
		strings.Repeat("a.", 130) + "example":      `which is no host`,
		"http://a.example":                         `holds "http://a.example"; identity providers want HTTPS`,
		"ftp://a.example":                          `write the host alone`,
		"=" + acme:                                 `which is no host`,
		"a.example=":                               `where "" is no organization's id`,
		"a.example=acme":                           `where "acme" is no organization's id`,
		"a.example=" + strings.ToLower(acme):       `is no organization's id`,
		"a.example,https://a.example:443=" + acme:  `holds the host a.example twice`,
		"a.example,A.example":                      `holds the host a.example twice`,
		"a.example,A.example=" + acme:              `holds the host a.example twice`,
		"a.example,b.example":                      `holds two hosts for all organizations, a.example and b.example`,
		"a.example=" + acme + ",b.example=" + acme: `holds two hosts for ` + acme,
	} {
		got := faultsOf(t, parse(t, "--custom-domain="+value))
		if len(got) != 1 || !strings.HasPrefix(got[0], "--custom-domain ") || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	if got := faultsOf(t, parse(t, "--custom-domain", "a b,c_d,http://e.example")); len(got) != 3 {
		t.Errorf("not all faults at once: %q", got)
	}
}

func FuzzCustom_domain(f *testing.F) {
	f.Add("scim.acme.example:8443=" + acme)
	f.Add("http://[::1]:80,https://x/=")
	f.Fuzz(func(t *testing.T, value string) {
		c, err := load(value)
		if err != nil {
			return
		}
		for _, d := range c.CustomDomains {
			if host := d.URL.Host; host == "" || strings.ContainsAny(host, "/@?#_ ") || d.URL.String() != d.URL.Scheme+"://"+host {
				t.Errorf("%q became %q", value, d.URL)
			}
		}
	})
}

func load(value string) (app.Config, error) {
	return app.Load(&app.Settings{}, []string{"ROLLCALL_CUSTOM_DOMAIN=" + value})
}
