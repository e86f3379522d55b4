package issuer_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
)

func kid(t *testing.T, raw string) string {
	t.Helper()
	header, _, _ := strings.Cut(raw, ".")
	var h struct{ Kid string }
	if err := json.Unmarshal(unbase64(t, header), &h); err != nil || h.Kid == "" {
		t.Fatalf("%s %v", header, err)
	}
	return h.Kid
}

func kids(keys []oidc.PublicKey) map[string]bool {
	out := map[string]bool{}
	for _, k := range keys {
		out[k.KID()] = true
	}
	return out
}

// A key is shown a day before it signs, and until nothing it signed counts any more.
func TestO11_keys_overlap_when_they_are_rotated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		idToken := func() string { return w.token(c.redeem(w.signIn(c).code)).IDToken }
		old := idToken()
		before := kids(w.published(w.s))
		if !before[kid(t, old)] || len(before) != 2 {
			t.Fatalf("%v does not hold %s", before, kid(t, old))
		}
		w.must(w.s.RotateKeys(ctx, oidc.ES256))
		w.must(w.s.RotateKeys(ctx, oidc.ES256)) // again changes nothing
		waiting := kids(w.published(w.s))
		if len(waiting) != 3 || kid(t, idToken()) != kid(t, old) {
			t.Fatalf("published %v; the new key has to be shown before it signs", waiting)
		}
		w.later(23*time.Hour + 50*time.Minute)
		if kid(t, idToken()) != kid(t, old) {
			t.Fatal("the new key signs before a day is over")
		}
		w.later(20 * time.Minute)
		next := idToken()
		if kid(t, next) == kid(t, old) || !waiting[kid(t, next)] {
			t.Fatal("after a day the key that was shown signs")
		}
		if !kids(w.published(w.s))[kid(t, old)] {
			t.Fatal("the old key is hidden while its tokens count")
		}
		w.later(25 * time.Hour)
		w.must(w.s.TendKeys(ctx))
		if shown := kids(w.published(w.s)); shown[kid(t, old)] || !shown[kid(t, next)] {
			t.Fatalf("published %v", shown)
		}
		var private *string
		w.must(w.db.QueryRow(ctx, `SELECT private_key FROM signing_keys WHERE kid = $1`, kid(t, old)).Scan(&private))
		if private != nil {
			t.Error("the private half of a key that signs no more is kept")
		}
		// An ID token of it is still known as a hint, expired as it is.
		out, err := w.s.EndSession(ctx, oidc.EndSessionRequest{IDTokenHint: old, PostLogoutRedirectURI: "https://app.test/bye"}, session.Session{}, false)
		if err != nil || out.Redirect != "https://app.test/bye" {
			t.Errorf("%+v %v", out, err)
		}
	})
}

func TestO11_keys_are_rotated_by_themselves_every_ninety_days(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		first := kid(t, w.token(c.redeem(w.signIn(c).code)).IDToken)
		day := 24 * time.Hour
		w.later(87 * day)
		w.must(w.s.TendKeys(ctx))
		if n := len(w.published(w.s)); n != 2 {
			t.Fatalf("%d keys before the time has come", n)
		}
		w.later(day + time.Hour)
		w.must(w.s.TendKeys(ctx))
		w.must(w.s.TendKeys(ctx))
		if kid(t, w.token(c.redeem(w.signIn(c).code)).IDToken) != first || len(w.published(w.s)) != 3 {
			t.Fatal("the next key is to be shown, and not to sign")
		}
		w.later(2 * day)
		if kid(t, w.token(c.redeem(w.signIn(c).code)).IDToken) == first {
			t.Fatal("a key signs for more than its ninety days")
		}
		w.later(200 * day) // nobody was here in time: what there is goes on signing until the next was shown for a day
		late := kid(t, w.token(c.redeem(w.signIn(c).code)).IDToken)
		w.must(w.s.TendKeys(ctx))
		w.later(23 * time.Hour)
		if kid(t, w.token(c.redeem(w.signIn(c).code)).IDToken) != late {
			t.Error("the next key signs before it was shown for a day")
		}
		w.later(2 * time.Hour)
		if kid(t, w.token(c.redeem(w.signIn(c).code)).IDToken) == late {
			t.Error("the next key does not sign")
		}
	})
}

func TestKeys_of_processes_that_start_together_are_the_same(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var done sync.WaitGroup
		sets := make([]map[string]bool, 8)
		for i := range sets {
			done.Go(func() { sets[i] = kids(w.published(w.process())) })
		}
		done.Wait()
		for _, set := range sets {
			if len(set) != 2 {
				t.Fatalf("%v", set)
			}
			for k := range set {
				if !sets[0][k] {
					t.Fatalf("%v and %v", sets[0], set)
				}
			}
		}
	})
}

func TestKeys_are_sealed_where_they_are_stored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.published(w.s)
		rows, err := w.db.Query(ctx, `SELECT kid, private_key, public_key FROM signing_keys`)
		w.must(err)
		defer rows.Close()
		n := 0
		for rows.Next() {
			var id, private, public string
			w.must(rows.Scan(&id, &private, &public))
			if !strings.HasPrefix(private, "s1.") || strings.Contains(public, `"d"`) {
				t.Errorf("%s", id)
			}
			if _, err := w.sealer.Open("signing_keys.private_key/other", private); err == nil {
				t.Error("a key may be moved to another row")
			}
			n++
		}
		if n != 2 {
			t.Errorf("%d keys", n)
		}
	})
}

func TestReplaceKeys_makes_everything_the_old_ones_signed_void(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		old := w.token(c.redeem(w.signIn(c).code)).IDToken
		other := w.app(func(n *issuer.New) { n.Algorithm = oidc.RS256 })
		rsa := w.token(other.redeem(w.signIn(other).code)).IDToken
		w.must(w.s.ReplaceKeys(ctx, oidc.ES256))
		if shown := kids(w.published(w.s)); shown[kid(t, old)] || !shown[kid(t, rsa)] || len(shown) != 2 {
			t.Errorf("%v", shown)
		}
		if _, err := w.s.EndSession(ctx, oidc.EndSessionRequest{IDTokenHint: old}, session.Session{}, false); !onPage(err) {
			t.Errorf("a hint of a void key: %v", err)
		}
		if kid(t, w.token(c.redeem(w.signIn(c).code)).IDToken) == kid(t, old) {
			t.Error("it signs")
		}
	})
}

func TestClientJWKS_has_what_the_compatible_clients_know(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		w.published(w.s)
		body, err := w.s.ClientJWKS(ctx, c.ClientID)
		w.must(err)
		var set struct{ Keys []map[string]any }
		w.must(json.Unmarshal(body, &set))
		if len(set.Keys) != 1 {
			t.Fatalf("%s", body)
		}
		for name, want := range map[string]any{"alg": "RS256", "kty": "RSA", "use": "sig"} {
			if set.Keys[0][name] != want {
				t.Errorf("%s is %v", name, set.Keys[0][name])
			}
		}
		for _, name := range []string{"x5c", "n", "e", "kid", "x5t#S256"} {
			if set.Keys[0][name] == nil {
				t.Errorf("no %s", name)
			}
		}
		if _, err := w.s.ClientJWKS(ctx, "client_nobody"); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

// The issuer is what is configured; there is no request that could name another.
func TestO12_discovery_names_the_configured_issuer_everywhere(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		body, err := w.s.Discovery()
		w.must(err)
		told := w.object(body)
		if told["issuer"] != home {
			t.Errorf("issuer %v", told["issuer"])
		}
		for name, value := range told {
			if text, ok := value.(string); ok && !strings.HasPrefix(text, home) {
				t.Errorf("%s is %s", name, text)
			}
		}
		if told["authorization_response_iss_parameter_supported"] != true || told["backchannel_logout_session_supported"] != true {
			t.Errorf("%v", told)
		}
	})
}

func states(keys []issuer.Key, alg oidc.Algorithm) string {
	var out []string
	for _, k := range keys {
		if k.Algorithm == alg {
			out = append(out, string(k.State))
		}
	}
	return strings.Join(out, " ")
}

// What is listed agrees with the key set and with who signs, through the whole life of a key.
func TestKeys_are_listed_with_what_they_are_good_for(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app()
		list := func(want string) []issuer.Key {
			t.Helper()
			keys, err := w.s.Keys(ctx)
			w.must(err)
			if got := states(keys, oidc.ES256); got != want {
				t.Fatalf("%s, want %s", got, want)
			}
			published, signer := kids(w.published(w.s)), kid(t, w.token(c.redeem(w.signIn(c).code)).IDToken)
			for _, k := range keys {
				if published[k.KID] != (k.State != issuer.KeyRetired) || k.Algorithm == oidc.ES256 && (k.KID == signer) != (k.State == issuer.KeySigning) {
					t.Errorf("%s is %s; published %v, signs %s", k.KID, k.State, published, signer)
				}
				if k.CreatedAt.IsZero() || k.SignsUntil.Before(k.SignsFrom) || k.ShownUntil.Before(k.SignsUntil) {
					t.Errorf("%+v", k)
				}
			}
			return keys
		}
		if keys := list("signing"); len(keys) != 2 {
			t.Fatalf("%v", keys)
		}
		for range 2 { // again changes nothing
			keys, err := w.s.Rotate(ctx, issuer.Rotation{Algorithm: oidc.ES256})
			w.must(err)
			if states(keys, oidc.ES256) != "waiting signing" || states(keys, oidc.RS256) != "signing" {
				t.Fatalf("%v", keys)
			}
		}
		list("waiting signing")
		w.later(24*time.Hour + time.Minute)
		list("signing shown")
		w.later(25 * time.Hour)
		list("signing retired")
		before := list("signing retired")
		after, err := w.s.Rotate(ctx, issuer.Rotation{Compromised: true})
		w.must(err)
		if states(after, oidc.ES256) != "signing" || states(after, oidc.RS256) != "signing" {
			t.Fatalf("%v", after)
		}
		for _, old := range before {
			for _, k := range after {
				if k.KID == old.KID {
					t.Errorf("%s is there still", k.KID)
				}
			}
		}
		list("signing")
		if _, err := w.s.Rotate(ctx, issuer.Rotation{Algorithm: "HS256", Compromised: true}); !fault.Is(err, fault.Unprocessable) {
			t.Error(err)
		}
	})
}

func TestKeys_rotated_by_processes_at_once_are_rotated_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.published(w.s)
		for _, compromised := range []bool{false, true} {
			var done sync.WaitGroup
			failed := make([]error, 8)
			for i := range failed {
				done.Go(func() {
					_, failed[i] = w.process().Rotate(ctx, issuer.Rotation{Algorithm: oidc.ES256, Compromised: compromised})
				})
			}
			done.Wait()
			for _, err := range failed {
				w.must(err)
			}
			want := "waiting signing"
			if compromised {
				want = "signing"
			}
			if keys, err := w.process().Keys(ctx); err != nil || states(keys, oidc.ES256) != want {
				t.Errorf("compromised %v: %v %v", compromised, keys, err)
			}
		}
	})
}
