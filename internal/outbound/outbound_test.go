package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// private holds one address of each kind that must not be called.
var private = []string{
	"0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
	"192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
	"100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:0a00:0001::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
	"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:127.0.0.1", "4000::1",
}

var public = []string{"1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::200e", "64:ff9b::808:808", "2002:0808:0808::1"}

func TestPublic_is_what_the_world_can_reach(t *testing.T) {
	for _, text := range private {
		if Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is taken for public", text)
		}
	}
	for _, text := range public {
		if !Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is not taken for public", text)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is no public one")
	}
}

func TestClient_refuses_private_addresses_as_it_dials(t *testing.T) {
	client := Policy{}.Client()
	defer client.CloseIdleConnections()
	for _, text := range private {
		for _, scheme := range []string{"https", "http"} {
			host := strings.ReplaceAll(netip.AddrPortFrom(netip.MustParseAddr(text), 9).String(), "%", "%25")
			refusedBy(t, client, scheme+"://"+host+"/")
		}
	}
	for _, other := range []string{"http://localhost:9/", "https://localhost:9/", "http://1.1.1.1/", "http://[2606:4700::1111]/"} {
		refusedBy(t, client, other)
	}
}

func refusedBy(t *testing.T, client *http.Client, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	var refused *RefusedError
	if !errors.As(err, &refused) {
		t.Errorf("%s: %v", url, err)
	}
	if err == nil {
		answer.Body.Close()
	}
}

func local(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func TestClient_calls_what_the_operator_has_named_and_follows_nothing(t *testing.T) {
	s := local(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			t.Error("a redirect was followed")
		}
		http.Redirect(w, r, "/there", http.StatusFound)
	})
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	client := NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil).Client()
	defer client.CloseIdleConnections()
	if got := get(t, client, s.URL+"/here"); got.StatusCode != http.StatusFound {
		t.Error(got.Status)
	}
	// A name counts for what it means when it is dialled, whatever it meant before.
	if got := get(t, client, "http://localhost:"+s.URL[strings.LastIndexByte(s.URL, ':')+1:]); got.StatusCode != http.StatusFound {
		t.Error(got.Status)
	}
	elsewhere := NewPolicy([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, nil).Client()
	refusedBy(t, elsewhere, s.URL)
}

func TestClient_gives_up_on_headers_without_end(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		for err == nil {
			_, err = io.WriteString(conn, "X: "+strings.Repeat("a", 1000)+"\r\n")
		}
	}()
	client := NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil).Client()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := client.Do(r); err == nil {
		answer.Body.Close()
		t.Error("headers without end were taken")
	}
}

func TestCheck_says_at_once_what_could_never_be_called(t *testing.T) {
	names := map[string][]netip.Addr{
		"public.example": {netip.MustParseAddr("1.1.1.1")}, "inside.example": {netip.MustParseAddr("10.0.0.1")},
		"mixed.example": {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("1.1.1.1")}, "app": {netip.MustParseAddr("172.20.0.3")},
	}
	p := NewPolicy([]netip.Prefix{netip.MustParsePrefix("172.20.0.0/16"), netip.MustParsePrefix("::1/128")}, func(_ context.Context, host string) ([]netip.Addr, error) {
		if found, ok := names[host]; ok {
			return found, nil
		}
		return nil, errors.New("no such host")
	})
	for url, want := range map[string]string{
		"https://public.example/x?y=1": "", "https://public.example:8443/": "", "https://mixed.example/": "", "https://unknown.example/": "", "https://1.1.1.1/": "",
		"http://app:3000/hooks": "", "http://172.20.0.3/": "", "http://[::1]:8080/": "", "https://app/": "", "https://public.example./": "",
		"http://public.example/": Setting, "https://inside.example/": Setting, "http://unknown.example/": Setting, "https://10.0.0.1/": Setting, "http://1.1.1.1/": Setting,
		"https://[::ffff:10.0.0.1]/": Setting, "https://[fe80::1%25eth0]/": Setting,
		"https://a:b@public.example/": "password", "https://public.example/#f": "#", "ftp://public.example/": "https://", "public.example": "whole URL", "https://": "whole URL",
		"mailto:a@b.example": "whole URL", "https://0x7f000001/": "usual form", "https://127.1/": "usual form", "https://2130706433/": "usual form", "https://017700000001/": "usual form",
		"https://public.example:0/": "port", "https://public.example:65536/": "port", "https://public example/": "space", "https://public.example\\@10.0.0.1/": "backslash",
		"https://public.example/\n": "control", "https://" + strings.Repeat("a", MaxURL): "longer", "https://%zz/": "whole URL", "": "whole URL",
	} {
		_, err := p.Check(t.Context(), url)
		var refused *RefusedError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Reason, want)):
			t.Errorf("%s: %v, want something with %q", url, err, want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"https://app.example.com/", "http://[::1%25x]:1/", "https://a@b:c/#d", "https://[::ffff:1.2.3.4]/", "//x", "https://\x00"} {
		f.Add(seed)
	}
	p := NewPolicy(nil, nil)
	f.Fuzz(func(t *testing.T, text string) {
		u, err := p.Check(t.Context(), text)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.User != nil || u.Hostname() == "" || len(text) > MaxURL {
			t.Errorf("%q was taken", text)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !Public(a) {
			t.Errorf("%q was taken", text)
		}
	})
}
