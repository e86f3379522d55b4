package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

const (
	payload   = `{"id":"event_1","event":"dsync.user.created","data":{"name":"A & B <c>"},"created_at":"2026-01-15T12:00:00.000Z"}`
	secret    = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	oldSecret = "whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
)

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

func workosHeader(at time.Time, secret, body string) http.Header {
	t := at.UnixMilli()
	return http.Header{"Workos-Signature": {fmt.Sprintf("t=%d, v1=%s", t, hex.EncodeToString(mac([]byte(secret), fmt.Sprintf("%d.%s", t, body))))}}
}

func standardHeader(at time.Time, id, secret, body string) http.Header {
	key, _ := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
	sum := base64.StdEncoding.EncodeToString(mac(key, fmt.Sprintf("%s.%d.%s", id, at.Unix(), body)))
	return http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {fmt.Sprint(at.Unix())},
		"Webhook-Signature": {"v1a,AAAA v1," + base64.StdEncoding.EncodeToString(make([]byte, 32)) + " v1," + sum},
	}
}

func TestVerifyWebhook_takes_both_signatures_with_any_of_the_secrets(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for name, h := range map[string]http.Header{
		"WorkOS": workosHeader(now.Add(-time.Minute), secret, payload), "Standard Webhooks": standardHeader(now.Add(time.Minute), "event_1", secret, payload),
	} {
		for _, secrets := range [][]string{{secret}, {oldSecret, secret}, {secret, oldSecret}} {
			if e, err := VerifyWebhook([]byte(payload), h, secrets, 0, now); err != nil || e.ID != "event_1" || e.Type != "dsync.user.created" {
				t.Errorf("%s: %+v %v", name, e, err)
			}
		}
	}
}

func TestVerifyWebhook_distrusts_everything_else(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	good := standardHeader(now, "event_1", secret, payload)
	without := func(name string) http.Header {
		h := good.Clone()
		h.Del(name)
		return h
	}
	with := func(name, value string) http.Header {
		h := good.Clone()
		h.Set(name, value)
		return h
	}
	for name, c := range map[string]struct {
		body    string
		header  http.Header
		secrets []string
	}{
		"no signature":             {payload, http.Header{}, []string{secret}},
		"no secret":                {payload, good, nil},
		"an empty secret":          {payload, workosHeader(now, "", payload), []string{""}},
		"an empty standard secret": {payload, standardHeader(now, "event_1", "whsec_", payload), []string{"whsec_", ""}},
		"another secret":           {payload, good, []string{oldSecret}},
		"a changed body":           {payload + " ", good, []string{secret}},
		"a changed body, WorkOS":   {payload + " ", workosHeader(now, secret, payload), []string{secret}},
		"too old":                  {payload, standardHeader(now.Add(-6*time.Minute), "event_1", secret, payload), []string{secret}},
		"too old, WorkOS":          {payload, workosHeader(now.Add(-6*time.Minute), secret, payload), []string{secret}},
		"from the future":          {payload, workosHeader(now.Add(6*time.Minute), secret, payload), []string{secret}},
		"another time":             {payload, with("Webhook-Timestamp", fmt.Sprint(now.Unix()+1)), []string{secret}},
		"no time":                  {payload, without("Webhook-Timestamp"), []string{secret}},
		"no id":                    {payload, without("Webhook-Id"), []string{secret}},
		"another id":               {payload, with("Webhook-Id", "event_2"), []string{secret}},
		"an id that is not its":    {payload, standardHeader(now, "event_2", secret, payload), []string{secret}},
		"no version":               {payload, with("Webhook-Signature", "AAAA"), []string{secret}},
		"no time, WorkOS":          {payload, http.Header{"Workos-Signature": {"v1=00"}}, []string{secret}},
		"no sum, WorkOS":           {payload, http.Header{"Workos-Signature": {fmt.Sprintf("t=%d", now.UnixMilli())}}, []string{secret}},
		"no JSON":                  {"x", workosHeader(now, secret, "x"), []string{secret}},
	} {
		if e, err := VerifyWebhook([]byte(c.body), c.header, c.secrets, 0, now); !errors.Is(err, ErrWebhook) || e.ID != "" {
			t.Errorf("%s: %+v %v", name, e, err)
		}
	}
}

func FuzzVerifyWebhook(f *testing.F) {
	f.Add("t=1, v1=00", "v1,AAAA", "1", "event_1", payload)
	f.Add("t=,v1", "v1, v1,", "x", "", "")
	f.Fuzz(func(t *testing.T, workos, standard, at, id, body string) {
		h := http.Header{"Workos-Signature": {workos}, "Webhook-Signature": {standard}, "Webhook-Timestamp": {at}, "Webhook-Id": {id}}
		if _, err := VerifyWebhook([]byte(body), h, []string{secret}, 0, time.Now()); !errors.Is(err, ErrWebhook) {
			t.Errorf("a stranger's signature passes: %v", err)
		}
	})
}
