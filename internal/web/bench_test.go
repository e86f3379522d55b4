package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/web"
)

// BenchmarkFront measures what the front adds to each request, its log line included.
func BenchmarkFront(b *testing.B) {
	front := web.Front{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), NewID: func() string { return "req_01M7ZXSYAMB01TKBQPVDKNE000" },
		BodyLimit: 1 << 20, Deadline: time.Minute, Refuse: refuse,
	}
	h := front.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	r := httptest.NewRequest(http.MethodGet, "/scim/v2/demo/Users?filter=userName+eq+%22ann%40example.com%22", nil)
	r.Header.Set("User-Agent", "Okta SCIM Client 1.0.0")
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
