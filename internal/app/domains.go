package app

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// hostForm is a name in the form that DNS has for hosts. Addresses with an underscore are refused by some identity providers.
var hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// domains reads custom domains: HOST or HOST=ORGANIZATION.
func (l *loader) domains(t Text) []web.Domain {
	var out []web.Domain
	hosts, owners := map[string]bool{}, map[string]string{}
	for _, v := range t.values {
		host, organization, owned := strings.Cut(v, "=")
		d := web.Domain{URL: l.domainURL(t, strings.TrimSpace(host)), Organization: strings.TrimSpace(organization)}
		if d.URL == nil {
			continue
		}
		if owned && !isOrganization(d.Organization) {
			l.fault(t, "holds %q, where %q is no organization's id; write HOST=org_…, or HOST alone for all organizations", v, d.Organization)
			continue
		}
		first, twice := owners[d.Organization]
		switch {
		case hosts[d.URL.Host]:
			l.fault(t, "holds the host %s twice; give each host once", d.URL.Host)
			continue
		case twice && d.Organization == "":
			l.fault(t, "holds two hosts for all organizations, %s and %s; leave one, for only one can be shown. Other hosts are served without being named", first, d.URL.Host)
			continue
		case twice:
			l.fault(t, "holds two hosts for %s, %s and %s; leave one, for only one can be shown. Other hosts are served without being named",
				d.Organization, first, d.URL.Host)
			continue
		}
		hosts[d.URL.Host], owners[d.Organization] = true, d.URL.Host
		out = append(out, d)
	}
	return out
}

func isOrganization(id string) bool {
	prefix, u, ok := token.Parse(id)
	return ok && prefix == "org" && id == "org_"+u.String()
}

// domainURL reads one host. HTTPS is meant unless a host of this machine is given with http://, as tests do.
func (l *loader) domainURL(t Text, v string) *url.URL {
	scheme, host, given := strings.Cut(strings.ToLower(v), "://")
	if !given {
		scheme, host = "https", scheme
	}
	host = strings.TrimSuffix(host, "/")
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme])
	name, ok := hostName(host)
	switch {
	case !ok:
		l.fault(t, "holds %q, which is no host; write a name like scim.example.com, without path or user, and with xn-- for other than ASCII letters", redactedURL(v))
	case scheme == "http" && !isLoopback(name):
		l.fault(t, "holds %q; identity providers want HTTPS, so leave http:// out", v)
	case scheme != "http" && scheme != "https":
		l.fault(t, "holds %q; write the host alone", redactedURL(v))
	default:
		return &url.URL{Scheme: scheme, Host: host}
	}
	return nil
}

// hostName takes the port off.
func hostName(host string) (name string, ok bool) {
	const longest = 253
	name = host
	if n, port, err := net.SplitHostPort(host); err == nil {
		if p, err := strconv.ParseUint(port, 10, 16); err != nil || p == 0 {
			return "", false
		}
		name = n
	}
	if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return addr.String(), addr.Zone() == ""
	}
	return name, len(name) <= longest && hostForm.MatchString(name)
}

func isLoopback(name string) bool {
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && addr.IsLoopback()
}
