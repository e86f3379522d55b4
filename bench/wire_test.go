package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswers_are_read_to_their_end_and_not_beyond(t *testing.T) {
	for name, tc := range map[string]struct {
		wire   string
		status int
		body   string
		keep   bool
	}{
		"length":           {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
		"any letter case":  {"HTTP/1.1 200 OK\r\ncontent-LENGTH:5\r\n\r\nhello", 200, "hello", true},
		"bare status":      {"HTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n", 201, "", true},
		"chunks":           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", 200, "hello", true},
		"chunks, trailer":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", 200, "0123456789", true},
		"no content":       {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
		"closing":          {"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", 400, "no", false},
		"interim response": {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
	} {
		t.Run(name, func(t *testing.T) {
			in := bufio.NewReader(strings.NewReader(tc.wire + "NEXT"))
			a, err := readAnswer(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != tc.status || string(a.body) != tc.body || a.keep != tc.keep {
				t.Errorf("got %d %q keep=%t, want %d %q keep=%t", a.status, a.body, a.keep, tc.status, tc.body, tc.keep)
			}
			if rest, _ := io.ReadAll(in); string(rest) != "NEXT" {
				t.Errorf("left on the connection: %q, want NEXT", rest)
			}
		})
	}
}

func TestBroken_answers_are_errors(t *testing.T) {
	for name, wire := range map[string]string{
		"nothing":                "",
		"another protocol":       "SSH-2.0-OpenSSH_9.9\r\n\r\n",
		"half a status":          "HTTP/1.1 2",
		"half a header":          "HTTP/1.1 200 OK\r\nContent-Len",
		"not a field":            "HTTP/1.1 200 OK\r\nhello\r\n\r\n",
		"half a body":            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
		"negative length":        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"no length":              "HTTP/1.1 200 OK\r\n\r\nhello",
		"not a chunk size":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"chunk longer than said": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
		"too large":              "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
		"unknown encoding":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := readAnswer(bufio.NewReader(strings.NewReader(wire)), nil); err == nil {
				t.Errorf("read %+v without an error", a)
			}
		})
	}
}

func TestA_buffer_is_used_again_without_mixing_bodies(t *testing.T) {
	var buf []byte
	for _, body := range []string{"a longer body", "short", strings.Repeat("x", 5000)} {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))), buf[:0])
		if err != nil {
			t.Fatal(err)
		}
		if string(a.body) != body {
			t.Fatalf("body %.20q, want %.20q", a.body, body)
		}
		buf = a.body
	}
}

func TestThe_client_speaks_to_net_http_over_one_connection(t *testing.T) {
	peers := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		for range 3000 { // more than net/http buffers, so the answer is chunked
			fmt.Fprintf(w, "%s %s %s|", r.Method, r.URL.RawQuery, body)
		}
	}))
	defer srv.Close()
	c := newConn(strings.TrimPrefix(srv.URL, "http://"), "secret")
	defer c.close()
	for _, body := range [][]byte{nil, []byte(`{"a":1}`), nil} {
		status, got, err := c.do("POST", "/x?q=1", body)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Repeat(fmt.Sprintf("POST q=1 %s|", body), 3000); status != 200 || string(got) != want {
			t.Fatalf("status %d, %d bytes; want 200, %d", status, len(got), len(want))
		}
	}
	if len(peers) != 1 {
		t.Errorf("%d connections were used, want 1", len(peers))
	}
}

func TestA_connection_that_breaks_is_told_from_a_refusal(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer srv.Close()
	c := newConn(strings.TrimPrefix(srv.URL, "http://"), "")
	defer c.close()
	_, _, err := c.do("GET", "/", nil)
	if !isConnectionError(err) || !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want a broken connection", err)
	}
	if isConnectionError(answered("get", 200, 500, nil)) {
		t.Error("a status must not look like a broken connection")
	}
}
