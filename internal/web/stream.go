package web

import (
	"bufio"
	"errors"
	"net/http"
	"time"
)

// Stream is a long answer. The server's time for writing counts for whole answers; a stream has its own for each part instead, so
// it may last as long as the client keeps reading and no longer.
type Stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buffer  *bufio.Writer
	stall   time.Duration
	flushed time.Time
	began   bool
}

const (
	streamBuffer = 64 << 10
	// streamPause is how long what was written waits for more before it is sent.
	streamPause = time.Second
)

// NewStream makes a stream of a content type. It fails when the client takes no part of it (64 KiB at most) for stall.
func NewStream(w http.ResponseWriter, contentType string, stall time.Duration) *Stream {
	s := &Stream{w: w, control: http.NewResponseController(w), stall: stall, flushed: time.Now()}
	s.buffer = bufio.NewWriterSize(parts{s}, streamBuffer)
	w.Header().Set("Content-Type", contentType)
	return s
}

// Began tells whether anything may have reached the client: then no other answer can be given.
func (s *Stream) Began() bool { return s.began }

// Write adds to the stream.
func (s *Stream) Write(p []byte) (int, error) {
	n, err := s.buffer.Write(p)
	if err == nil && time.Since(s.flushed) > streamPause {
		err = s.Flush()
	}
	return n, err
}

// Flush sends what was written.
func (s *Stream) Flush() error {
	if err := s.buffer.Flush(); err != nil {
		return err
	}
	s.flushed = time.Now()
	if err := s.extend(); err != nil {
		return err
	}
	return s.control.Flush()
}

func (s *Stream) extend() error {
	s.began = true
	err := s.control.SetWriteDeadline(time.Now().Add(s.stall))
	if errors.Is(err, http.ErrNotSupported) { // then there is no connection that could stall, as in tests
		return nil
	}
	return err
}

// parts gives each part its time.
type parts struct{ *Stream }

func (p parts) Write(b []byte) (int, error) {
	if err := p.extend(); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}
