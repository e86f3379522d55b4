package web

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// streaming serves one stream behind a server whose own time for writing is short, and gives what became of it.
func streaming(t *testing.T, stall time.Duration, write func(*Stream) error) (addr string, ended <-chan error) {
	t.Helper()
	done := make(chan error, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		done <- write(NewStream(&recorder{ResponseWriter: w}, "text/plain", stall))
	}))
	server.Config.WriteTimeout = 100 * time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), done
}

func TestStream_outlasts_the_time_of_whole_answers_while_it_is_read(t *testing.T) {
	addr, ended := streaming(t, 5*time.Second, func(s *Stream) error {
		for range 4 {
			if _, err := s.Write([]byte("line\n")); err != nil {
				return err
			}
			if err := s.Flush(); err != nil {
				return err
			}
			time.Sleep(60 * time.Millisecond)
		}
		return s.Flush()
	})
	response, err := http.Get("http://" + addr) //nolint:noctx // a test server of our own
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "line\nline\nline\nline\n" {
		t.Errorf("%q, %v", body, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := response.Header.Get("Content-Type"); got != "text/plain" {
		t.Errorf("content type %q", got)
	}
}

func TestStream_sends_what_was_written_without_being_asked(t *testing.T) {
	release := make(chan struct{})
	addr, ended := streaming(t, 5*time.Second, func(s *Stream) error {
		s.flushed = s.flushed.Add(-2 * streamPause)
		_, err := s.Write([]byte("first\n"))
		<-release
		return err
	})
	response, err := http.Get("http://" + addr) //nolint:noctx // a test server of our own
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	first := make([]byte, 6)
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "first\n" {
		t.Errorf("%q, %v", first, err)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStream_ends_when_nobody_reads_it(t *testing.T) {
	part := bytes.Repeat([]byte("x"), streamBuffer)
	addr, ended := streaming(t, 200*time.Millisecond, func(s *Stream) error {
		for {
			if _, err := s.Write(part); err != nil {
				return err
			}
		}
	})
	conn, err := net.Dial("tcp", addr) //nolint:noctx // a test server of our own
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the stream waits for ever")
	}
}
