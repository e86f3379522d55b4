package app

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
)

func errand(t *testing.T, c Config, e Errand) ErrandAnswer {
	t.Helper()
	answer, err := RunErrand(t.Context(), c, slog.New(slog.DiscardHandler), e)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func opens(t *testing.T, link string) bool {
	t.Helper()
	status, _ := get(t, link)
	return status == http.StatusOK
}

func TestErrands_are_done_beside_a_running_server_and_without_one(t *testing.T) {
	c := testConfig(t)
	a := build(t, c)
	first, err := a.FirstLink(t.Context())
	if err != nil || !strings.HasPrefix(first, "http://localhost:") {
		t.Fatal(first, err)
	}
	stop := start(t, a)
	if !opens(t, first) {
		t.Error("the link of the start opens nothing")
	}
	secret := operator.NewSecret()
	answer := errand(t, c, Errand{Verb: LinkErrand, Hash: token.HashOf(secret)})
	if !answer.Asked.First || answer.Refusal != "" || !opens(t, answer.Link(secret)) {
		t.Errorf("%+v", answer)
	}
	secret = operator.NewSecret()
	answer = errand(t, c, Errand{Verb: LinkErrand, Email: "ann@example.com", Hash: token.HashOf(secret)})
	if answer.Asked.Operator.Role != operator.Owner || !opens(t, answer.Link(secret)) {
		t.Errorf("%+v", answer)
	}
	if opens(t, first) {
		t.Error("the link for the first operator opens where there is one")
	}
	if again, err := a.FirstLink(t.Context()); again != "" || err != nil {
		t.Error("a start would print a link where there is an operator", err)
	}
	if answer = errand(t, c, Errand{Verb: RemoveErrand, Email: "ann@example.com"}); !strings.Contains(answer.Refusal, "only owner") {
		t.Errorf("%+v", answer)
	}
	if answer = errand(t, c, Errand{Verb: "dance"}); !strings.Contains(answer.Refusal, "dance") {
		t.Errorf("%+v", answer)
	}
	if left, err := filepath.Glob(filepath.Join(c.DataDir, "*operator-*")); err != nil || len(left) > 0 {
		t.Error("errands lie about:", left, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if answer = errand(t, c, Errand{Verb: LinkErrand, Email: "bob@example.com", Hash: token.HashOf(operator.NewSecret())}); answer.Asked.Operator.Role != operator.Admin {
		t.Errorf("%+v", answer)
	}
	if answer = errand(t, c, Errand{Verb: RemoveErrand, Email: "bob@example.com"}); answer.Refusal != "" {
		t.Errorf("%+v", answer)
	}
	if answer = errand(t, c, Errand{Verb: ListErrand}); len(answer.Operators) != 1 || answer.Operators[0].Email != "ann@example.com" {
		t.Errorf("%+v", answer)
	}
}

func TestErrands_make_no_database_and_say_what_is_missing(t *testing.T) {
	c := testConfig(t)
	_, err := RunErrand(t.Context(), c, slog.New(slog.DiscardHandler), Errand{Verb: ListErrand})
	if err == nil || !strings.Contains(err.Error(), "--data-dir") {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(c.DataDir, databaseFile)); err == nil {
		t.Error("a database was made")
	}
}

// Somebody gave up on it: it must not be done when nobody expects it any more.
func TestErrand_that_is_old_is_thrown_away(t *testing.T) {
	c := testConfig(t)
	a := build(t, c)
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	path := filepath.Join(c.DataDir, errandPrefix+"old")
	if err := os.WriteFile(path, []byte(`{"verb":"link","email":"eve@example.com"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, long, long); err != nil {
		t.Fatal(err)
	}
	if err := a.errands(context.Background()); err != nil {
		t.Fatal(err)
	}
	if there, err := a.operators.Any(t.Context()); there || err != nil {
		t.Error("an old errand was done", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an old errand lies about")
	}
}

func TestLinks_name_a_host_at_which_browsers_make_passkeys(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "http://localhost:8080", "0.0.0.0:80": "http://localhost:80", ":8080": "http://localhost:8080", "[::1]:9": "http://localhost:9", "192.0.2.1:8080": "http://192.0.2.1:8080",
		"rollcall.internal:8080": "http://rollcall.internal:8080",
	} {
		if got := (Config{}).base(listen, false); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
}
