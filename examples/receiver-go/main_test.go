package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

type spoken struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *spoken) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// started runs the program until the test ends.
func started(t *testing.T, env map[string]string) *spoken {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, ended := &spoken{}, make(chan error, 1)
	go func() { ended <- run(ctx, func(name string) string { return env[name] }, out) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	})
	return out
}

func await(t *testing.T, out *spoken, pattern string) []string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(out.String()); m != nil {
			return m
		}
	}
	t.Fatalf("never said %s:\n%s", pattern, out)
	return nil
}

func event(n int, kind, state string) string {
	return fmt.Sprintf(`{"object":"event","id":"event_%d","event":"dsync.user.%s","data":{"id":"directory_user_1","email":"ada@example.com","state":%q},"created_at":"2026-01-15T12:00:00.000Z","context":{}}`, n, kind, state)
}

// story shows both ways in which a person leaves and returns, with repetitions and with what comes late: 6 before 5.
func story() []string {
	return []string{
		event(1, "created", "active"), event(1, "created", "active"),
		event(2, "updated", "inactive"), event(3, "updated", "active"), event(2, "updated", "inactive"),
		event(4, "deleted", "inactive"), event(6, "created", "active"), event(5, "updated", "inactive"), event(4, "deleted", "inactive"),
	}
}

const told = "ada@example.com may use the app: true\n" + "ada@example.com may use the app: false\n"

func post(t *testing.T, url, secret, body string) int {
	t.Helper()
	at := time.Now().UnixMilli()
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at, body)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("WorkOS-Signature", fmt.Sprintf("t=%d, v1=%s", at, hex.EncodeToString(mac.Sum(nil))))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestReceiver_of_webhooks_tolerates_repetitions_and_both_modes_and_no_stranger(t *testing.T) {
	out := started(t, map[string]string{"WEBHOOK_SECRETS": "old,secret", "LISTEN": "127.0.0.1:0"})
	url := await(t, out, `listening on (\S+)`)[1]
	for _, e := range story() {
		if status := post(t, url, "secret", e); status != http.StatusNoContent {
			t.Errorf("%d for %s", status, e)
		}
	}
	if status := post(t, url, "stranger", event(9, "deleted", "inactive")); status != http.StatusBadRequest {
		t.Errorf("%d for a stranger", status)
	}
	if want := told + told + "ada@example.com may use the app: true\n"; !strings.HasSuffix(out.String(), "/webhooks\n"+want) {
		t.Errorf("it said\n%s", out)
	}
}

func TestReceiver_consumes_the_log(t *testing.T) {
	var mu sync.Mutex
	acked := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.HasSuffix(r.URL.Path, "/acknowledge"):
			acked = true
			fallthrough
		case !strings.HasSuffix(r.URL.Path, "/events"):
			fmt.Fprint(w, `{"object":"event_consumer","name":"receiver-go","events":[],"organization_id":null}`)
		case acked:
			fmt.Fprint(w, `{"object":"list","data":[],"list_metadata":{"after":null}}`)
		default:
			fmt.Fprintf(w, `{"object":"list","data":[%s],"list_metadata":{"after":null}}`, strings.Join(story(), ","))
		}
	}))
	t.Cleanup(server.Close)
	out := started(t, map[string]string{"ROLLCALL_URL": server.URL, "ROLLCALL_API_KEY": "sk_test"})
	await(t, out, `(?s)true.*false.*true.*false.*true\n$`)
	if want := told + told + "ada@example.com may use the app: true\n"; out.String() != want {
		t.Errorf("it said\n%s", out)
	}
}

func TestReceiver_says_what_is_missing(t *testing.T) {
	if err := run(t.Context(), func(string) string { return "" }, &spoken{}); err == nil || !strings.Contains(err.Error(), "address") {
		t.Error(err)
	}
}
