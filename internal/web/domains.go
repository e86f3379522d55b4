package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Domain is a public host beside the public URL, of one organization or ("") of all.
type Domain struct {
	URL          *url.URL // scheme and host
	Organization string
}

// Domains are the public hosts that the operator has named. Every host is served, named or not; these are the ones that appear in
// addresses. The zero value names none.
type Domains struct {
	public string            // base, "" if not configured; as the others without a slash at the end
	all    string            // the host for all organizations
	own    map[string]string // by organization
	known  map[string]string // by host as in hostKey
}

// NewDomains makes the list; public may be nil. Of several hosts for the same the last counts: the configuration refuses that.
func NewDomains(public *url.URL, more ...Domain) Domains {
	d := Domains{own: map[string]string{}, known: map[string]string{}}
	if public != nil {
		d.public = baseOfURL(public)
		d.known[hostKey(public.Host)] = d.public
	}
	for _, m := range more {
		base := baseOfURL(m.URL)
		d.known[hostKey(m.URL.Host)] = base
		if m.Organization == "" {
			d.all = base
		} else {
			d.own[m.Organization] = base
		}
	}
	return d
}

func baseOfURL(u *url.URL) string { return strings.TrimSuffix(u.String(), "/") }

// hostKey makes equal hosts equal: letter case, the root's dot and the ports that schemes imply do not matter.
func hostKey(host string) string {
	host = strings.ToLower(host)
	for _, port := range []string{":443", ":80"} {
		host = strings.TrimSuffix(host, port)
	}
	return strings.TrimSuffix(host, ".")
}

// Preferred is what addresses that are handed out for an organization begin with: its own host, else the one for all, else the public
// URL, else what the request came to. organization may be "".
func (d Domains) Preferred(r *http.Request, organization string) string {
	if own := d.own[organization]; own != "" && organization != "" {
		return own
	}
	switch {
	case d.all != "":
		return d.all
	case d.public != "":
		return d.public
	}
	return From(r.Context()).Base
}

// Called is what the addresses of resources in an answer begin with: the host the client called, if it is one of these, so that one
// who stays with an old host keeps getting the addresses it knows; else Preferred.
func (d Domains) Called(r *http.Request, organization string) string {
	if base := From(r.Context()).Known; base != "" {
		return base
	}
	return d.Preferred(r, organization)
}

// Bases are the hosts that the operator has named for an organization, each once, the preferred one first; those that are other
// organizations' own are not among them. For "" they are all hosts. Where none is named it is listen, what the process itself listens
// on: what a request says of its host is never among them.
func (d Domains) Bases(organization, listen string) []string {
	out := []string{}
	named := []string{d.own[organization], d.all, d.public}
	if organization == "" {
		named = append(named, slices.Sorted(maps.Values(d.own))...)
	}
	for _, base := range named {
		if base != "" && !slices.Contains(out, base) {
			out = append(out, base)
		}
	}
	if len(out) == 0 || d.public == "" {
		out = append(out, listen)
	}
	return out
}
