package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// limit is what a target says of itself: SCIM in its ServiceProviderConfig, the API in its refusal.
func (f fixture) limit(t *testing.T, at target) int {
	t.Helper()
	if at.secret == managementKey {
		return 1 << 20
	}
	bulk, _ := f.x.scim(f.p).must(t, 200, "GET", "/ServiceProviderConfig", "")["bulk"].(object)
	size, _ := bulk["maxPayloadSize"].(float64)
	if size < 1<<20 {
		t.Fatalf("maxPayloadSize is %v", bulk)
	}
	return int(size)
}

func TestBody_over_the_limit_is_a_413_whether_announced_or_not(t *testing.T) {
	besieged(t, func(t *testing.T, f fixture) {
		for _, at := range f.targets() {
			limit := f.limit(t, at)
			announced := strings.Replace(f.request(at, ""), "Content-Length: 0", fmt.Sprintf("Content-Length: %d", limit+1), 1) + "{"
			a := f.sendAndCheck(t, at.path+" with an announced body over the limit", announced)
			if a.status != http.StatusRequestEntityTooLarge || !bytes.Contains(a.raw, fmt.Append(nil, limit)) {
				t.Errorf("%s %s over %d: %d %s", at.method, at.path, limit, a.status, a.raw)
			}
		}
		for _, at := range []target{f.targets()[0], {"POST", "/organizations", managementKey}} {
			const chunk = 1 << 16
			head := strings.Replace(f.request(at, ""), "Content-Length: 0", "Transfer-Encoding: chunked", 1)
			endless := strings.Repeat(fmt.Sprintf("%x\r\n%s\r\n", chunk, strings.Repeat(" ", chunk)), f.limit(t, at)/chunk+1)
			a := f.sendAndCheck(t, at.path+" with endless chunks", head+endless+"0\r\n\r\n")
			if a.status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s with endless chunks: %d %s", at.path, a.status, a.raw)
			}
		}
	})
}

func TestNasty_framing_is_survived(t *testing.T) {
	besieged(t, func(t *testing.T, f fixture) {
		good := userBody("framed", "Framed")
		for _, at := range []target{{"POST", f.x.path + "/Users", f.x.token}, {"POST", "/organizations", managementKey}} {
			head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n", at.method, at.path, f.p.address(), at.secret)
			for name, wire := range map[string]string{
				"a compressed body":          f.request(at, good, "Content-Encoding: gzip"),
				"an unknown encoding":        f.request(at, good, "Content-Encoding: \xff"),
				"an unknown transfer coding": head + "Transfer-Encoding: rot13\r\n\r\n" + good,
				"a length that is none":      head + "Content-Length: many\r\n\r\n" + good,
				"a negative length":          head + "Content-Length: -1\r\n\r\n" + good,
				"two lengths":                head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + good,
				"a length beyond all":        head + "Content-Length: 99999999999999999999\r\n\r\n" + good,
				"length and chunks":          head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
				"a chunk that is none":       head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
				"a huge promised length":     head + "Content-Length: 9000000000\r\n\r\n",
				"no host":                    strings.Replace(head, "Host: "+f.p.address()+"\r\n", "", 1) + "\r\n",
				"two hosts":                  head + "Host: elsewhere\r\n\r\n",
				"a host that is none":        strings.Replace(head, f.p.address(), "a b<c>", 1) + "\r\n",
				"a host of another form":     strings.Replace(head, f.p.address(), "\"><script>", 1) + "\r\n",
				"a header without a name":    head + ": x\r\n\r\n",
				"a folded header":            head + "X-A: b\r\n c\r\n\r\n",
				"a NUL in a header":          head + "X-A: \x00\r\n\r\n",
				"large headers":              head + "X-A: " + strings.Repeat("x", 200_000) + "\r\n\r\n",
				"two authorizations":         f.request(at, good, "Authorization: Bearer other"),
				"an odd If-Match":            f.request(at, good, "If-Match: \"\xff, W/, *, \"1"),
				"an odd Accept":              f.request(at, good, "Accept: \x01;q=\xff, */*;q=nan"),
				"an odd Content-Type":        strings.Replace(f.request(at, good), "application/json", "text/\xff; charset=utf-7", 1),
				"an odd agent":               f.request(at, good, "User-Agent: \xff\xfe\x80"),
				"no HTTP":                    "hello\r\n\r\n",
				"another version":            strings.Replace(head, "HTTP/1.1", "HTTP/1.9", 1) + "\r\n",
				"an absolute address":        strings.Replace(head, " /", " http://elsewhere/", 1) + "\r\n",
				"an address with a fragment": strings.Replace(head, " HTTP/", "#x HTTP/", 1) + "\r\n",
				"a bad escape":               strings.Replace(head, " HTTP/", "/%zz HTTP/", 1) + "\r\n",
			} {
				f.sendAndCheck(t, at.path+" with "+name, wire)
			}
			// Cut short: whoever is still there is told, whoever has gone must not do harm.
			for _, n := range []int{1, 20, len(head), len(head) + 30} {
				f.hangUp(t, f.request(at, good)[:n])
			}
		}
	})
}

// hangUp leaves in the middle of a request.
func (f fixture) hangUp(t *testing.T, wire string) {
	t.Helper()
	conn := f.p.dial(t)
	_, err := io.WriteString(conn, wire)
	must(t, err)
	must(t, conn.Close())
}
