package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Proxies are the networks whose forwarded headers are believed. Empty: nobody's are.
type Proxies []netip.Prefix

func (p Proxies) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr.Unmap()) })
}

// ClientIP is the address the request came from. Behind trusted proxies it is the last hop that is not one of them, read from
// the right: everything to the left of that was written by a stranger. X-Forwarded-For and Forwarded (RFC 7239) both
// count; where both are there and disagree a client has slipped one past a proxy that writes only the other, so neither does.
func (p Proxies) ClientIP(r *http.Request) string {
	peer, ok := peerAddr(r)
	if !ok {
		return ""
	}
	if !p.trusts(peer) {
		return peer.String()
	}
	older := p.lastStranger(listed(r.Header.Values("X-Forwarded-For")))
	newer := p.lastStranger(forwarded(r.Header.Values("Forwarded"), "for"))
	switch {
	case newer == older, !newer.IsValid():
		return orPeer(older, peer)
	case !older.IsValid():
		return orPeer(newer, peer)
	default:
		return peer.String()
	}
}

func orPeer(addr, peer netip.Addr) string {
	if addr.IsValid() {
		return addr.String()
	}
	return peer.String()
}

func (p Proxies) lastStranger(hops []string) netip.Addr {
	var last netip.Addr
	for _, hop := range slices.Backward(hops) {
		addr, ok := hopAddr(hop)
		if !ok {
			break
		}
		last = addr
		if !p.trusts(addr) {
			break
		}
	}
	return last
}

// Base is the scheme and host under which the client sees us. A configured public URL always wins; else the Host header,
// or what a trusted proxy says it was. It reports false when the host is not one: it would end up in addresses we hand out.
func (p Proxies) Base(r *http.Request, public *url.URL) (string, bool) {
	if public != nil {
		return strings.TrimSuffix(public.String(), "/"), true
	}
	scheme, host := "http", p.host(r)
	if r.TLS != nil {
		scheme = "https"
	}
	if peer, ok := peerAddr(r); ok && p.trusts(peer) {
		scheme = p.said(r, "proto", "X-Forwarded-Proto", scheme)
	}
	if host == "" {
		host = localAddr(r)
	}
	scheme = strings.ToLower(scheme)
	return scheme + "://" + host, (scheme == "http" || scheme == "https") && plausibleHost(host)
}

// host is the Host header, or what a trusted proxy says it was.
func (p Proxies) host(r *http.Request) string {
	if peer, ok := peerAddr(r); ok && p.trusts(peer) {
		return p.said(r, "host", "X-Forwarded-Host", r.Host)
	}
	return r.Host
}

// said reads what the nearest proxy said, the last element; the others passed through from further away.
func (p Proxies) said(r *http.Request, param, header, otherwise string) string {
	if v := listed(r.Header.Values(header)); len(v) > 0 {
		return v[len(v)-1]
	}
	if v := forwarded(r.Header.Values("Forwarded"), param); len(v) > 0 {
		return v[len(v)-1]
	}
	return otherwise
}

func peerAddr(r *http.Request) (netip.Addr, bool) {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	return ap.Addr().Unmap().WithZone(""), err == nil
}

func localAddr(r *http.Request) string {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return a.String()
	}
	return "localhost"
}

// hopAddr reads one hop: "192.0.2.1", "192.0.2.1:4711", "2001:db8::1" or "[2001:db8::1]:4711".
func hopAddr(hop string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(hop); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	return addr.Unmap().WithZone(""), err == nil
}

func listed(values []string) []string {
	var out []string
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// forwarded reads one parameter of each element of the Forwarded header (RFC 7239 section 4). Quoted values hold no comma or
// semicolon where an address, scheme or host is due, so plain splitting is right for every value that could be used.
func forwarded(values []string, param string) []string {
	var out []string
	for _, element := range listed(values) {
		for pair := range strings.SplitSeq(element, ";") {
			name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if ok && strings.EqualFold(name, param) {
				out = append(out, strings.Trim(value, `"`))
			}
		}
	}
	return out
}

// Network is what a limit counts a caller by: the address of IPv4, of IPv6 the network of 64 bits that a subscriber has.
func Network(ip string) string {
	const subscriber = 64
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Is4() {
		return ip
	}
	p, err := addr.Prefix(subscriber)
	if err != nil {
		return ip
	}
	return p.String()
}

// plausibleHost accepts names and addresses with an optional port; also "_", which container networks use.
func plausibleHost(host string) bool {
	if host == "" || len(host) > 300 {
		return false
	}
	return strings.IndexFunc(host, func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune("-._:[]", c)
	}) < 0
}
