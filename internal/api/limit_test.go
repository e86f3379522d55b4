package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

// limited is a world in which time stands still until a test moves it.
func limited(t *testing.T, perSecond float64, test func(w *world, now *time.Time)) {
	t.Helper()
	onOne(t, func(w *world) {
		now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
		w.server.o.Now = func() time.Time { return now }
		w.server.limits = newLimits(perSecond)
		test(w, &now)
	})
}

// from makes a request with a secret from an address.
func (w *world) from(address string, secret token.Secret) reply {
	w.Helper()
	r := httptest.NewRequest(http.MethodGet, "/organizations", nil)
	r.RemoteAddr = address
	r.Header.Set("Authorization", "Bearer "+secret.Reveal())
	return w.serve(r)
}

func TestLimit_refuses_a_key_that_comes_too_often_and_says_when_to_come_back(t *testing.T) {
	limited(t, 3, func(w *world, now *time.Time) {
		for range 3 {
			w.get("/organizations").wants(http.StatusOK)
		}
		got := w.send("POST", "/organizations", `{"name":"Acme"}`)
		got.refused(http.StatusTooManyRequests, "rate_limited", "")
		if got.header.Get("Retry-After") != "1" || !strings.Contains(got.text("message"), "More than 3 requests a second") {
			t.Errorf("%v %s", got.header, got.raw)
		}
		*now = now.Add(time.Second)
		if got := w.get("/organizations").wants(http.StatusOK).data(); len(got) != 0 {
			t.Errorf("a refused request made %v", got)
		}
	})
}

func TestLimit_is_each_key_s_own(t *testing.T) {
	limited(t, 1, func(w *world, _ *time.Time) {
		other := token.NewSecret("sk")
		w.server.o.Keys = append(w.server.o.Keys, token.HashOf(other))
		w.from("192.0.2.1:1", w.key).wants(http.StatusOK)
		w.from("192.0.2.2:1", w.key).wants(http.StatusTooManyRequests)
		w.from("192.0.2.1:1", other).wants(http.StatusOK)
	})
}

func TestLimit_of_strangers_never_stops_one_with_a_key(t *testing.T) {
	limited(t, 2, func(w *world, _ *time.Time) {
		for range 2 {
			w.from("192.0.2.1:1", token.NewSecret("sk")).wants(http.StatusUnauthorized)
		}
		stopped := w.from("192.0.2.1:2", token.NewSecret("sk"))
		stopped.refused(http.StatusTooManyRequests, "rate_limited", "")
		if stopped.header.Get("Retry-After") == "" {
			t.Error("it does not say when to come back")
		}
		w.from("192.0.2.2:1", token.NewSecret("sk")).wants(http.StatusUnauthorized) // another address
		for range 2 {
			w.from("192.0.2.1:1", w.key).wants(http.StatusOK) // the strangers' own address
		}
	})
}

func TestLimit_takes_the_addresses_of_an_ipv6_network_for_one_stranger(t *testing.T) {
	limited(t, 1, func(w *world, _ *time.Time) {
		w.from("[2001:db8:0:1::1]:1", "x").wants(http.StatusUnauthorized)
		w.from("[2001:db8:0:1:ffff::2]:1", "x").wants(http.StatusTooManyRequests)
		w.from("[2001:db8:0:2::1]:1", "x").wants(http.StatusUnauthorized)
	})
	for ip, want := range map[string]string{"": "", "192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "fe80::1%eth0": "fe80::/64"} {
		if got := network(ip); got != want {
			t.Errorf("%s is of %s, want %s", ip, got, want)
		}
	}
}

func TestLimit_of_zero_is_none(t *testing.T) {
	limited(t, 0, func(w *world, _ *time.Time) {
		for range 300 {
			w.get("/events").wants(http.StatusOK)
		}
	})
}
