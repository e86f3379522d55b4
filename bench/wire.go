package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

const (
	requestTimeout = 60 * time.Second
	biggestAnswer  = 64 << 20 // a group of 100,000 members is about 12 MB
)

// brokenError is a connection that ended or could not be made: the request may
// or may not have been carried out.
type brokenError struct{ err error }

func (b *brokenError) Error() string { return "connection: " + b.err.Error() }
func (b *brokenError) Unwrap() error { return b.err }

// conn is one persistent HTTP/1.1 connection. It is not safe for concurrent use.
type conn struct {
	addr string
	head []byte // header fields that every request carries, each ended by CRLF
	nc   net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
}

func newConn(addr, token string) *conn {
	head := "Host: " + addr + "\r\nAccept: application/scim+json\r\n"
	if token != "" {
		head += "Authorization: Bearer " + token + "\r\n"
	}
	return &conn{addr: addr, head: []byte(head)}
}

func (c *conn) open() error {
	nc, err := net.DialTimeout("tcp", c.addr, 5*time.Second)
	if err != nil {
		return err
	}
	c.nc = nc
	c.in = bufio.NewReaderSize(nc, 32<<10)
	return nil
}

func (c *conn) close() {
	if c.nc != nil {
		_ = c.nc.Close() // nothing is written after the last answer
		c.nc = nil
	}
}

// do sends one request and reads its whole answer. The body is valid until the
// next call. A failed request is never repeated: the caller must know about it.
func (c *conn) do(method, path string, body []byte) (status int, answer []byte, err error) {
	c.out = appendRequest(c.out[:0], method, path, c.head, body)
	status, keep, err := c.exchange()
	if err != nil || !keep {
		c.close()
	}
	if err != nil {
		return 0, nil, &brokenError{err}
	}
	return status, c.body, nil
}

func (c *conn) exchange() (status int, keep bool, err error) {
	if c.nc == nil {
		if err := c.open(); err != nil {
			return 0, false, err
		}
	}
	if err := c.nc.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return 0, false, err
	}
	if _, err := c.nc.Write(c.out); err != nil {
		return 0, false, err
	}
	return c.read()
}

func (c *conn) read() (status int, keep bool, err error) {
	a, err := readAnswer(c.in, c.body[:0])
	c.body = a.body
	return a.status, a.keep, err
}

func appendRequest(out []byte, method, path string, head, body []byte) []byte {
	out = append(out, method...)
	out = append(out, ' ')
	out = append(out, path...)
	out = append(out, " HTTP/1.1\r\n"...)
	out = append(out, head...)
	if body != nil {
		out = append(out, "Content-Type: application/scim+json\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(body)), 10)
		out = append(out, "\r\n"...)
	}
	out = append(out, "\r\n"...)
	return append(out, body...)
}

// answer is one HTTP/1.1 response.
type answer struct {
	status int
	keep   bool // the connection may be used again
	body   []byte
}

// framing is what the header says about where the body ends (RFC 9112 §6.3).
type framing struct {
	length  int
	known   bool
	chunked bool
	closing bool
}

var errTooLarge = errors.New("answer is larger than the benchmark reads")

// readAnswer reads one response, appending its body to buf. Interim 1xx
// responses are skipped.
func readAnswer(in *bufio.Reader, buf []byte) (answer, error) {
	for {
		status, err := readStatus(in)
		if err != nil {
			return answer{body: buf}, err
		}
		f, err := readHeader(in)
		if err != nil {
			return answer{status: status, body: buf}, err
		}
		if status >= 200 {
			body, err := readBody(in, buf, status, f)
			return answer{status: status, keep: !f.closing, body: body}, err
		}
	}
}

func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func readStatus(in *bufio.Reader) (int, error) {
	line, err := readLine(in)
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("not an HTTP/1.1 status line: %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil || status < 100 {
		return 0, fmt.Errorf("not an HTTP/1.1 status line: %q", line)
	}
	return status, nil
}

func readHeader(in *bufio.Reader) (framing, error) {
	var f framing
	for {
		line, err := readLine(in)
		if err != nil {
			return f, unexpected(err)
		}
		if len(line) == 0 {
			return f, nil
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			return f, fmt.Errorf("not a header field: %q", line)
		}
		if err := f.take(name, bytes.TrimSpace(value)); err != nil {
			return f, err
		}
	}
}

func (f *framing) take(name, value []byte) error {
	switch {
	case is(name, "Content-Length"):
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 0 {
			return fmt.Errorf("Content-Length is %q", value)
		}
		f.length, f.known = n, true
	case is(name, "Transfer-Encoding"):
		if !is(value, "chunked") {
			return fmt.Errorf("Transfer-Encoding is %q, only chunked is known", value)
		}
		f.chunked = true
	case is(name, "Connection"):
		f.closing = is(value, "close")
	}
	return nil
}

func is(got []byte, want string) bool {
	return len(got) == len(want) && bytes.EqualFold(got, []byte(want))
}

func readBody(in *bufio.Reader, buf []byte, status int, f framing) ([]byte, error) {
	switch {
	case status == 204 || status == 304:
		return buf, nil
	case f.chunked:
		return readChunks(in, buf)
	case f.known:
		return readExactly(in, buf, f.length)
	}
	return buf, errors.New("an answer without Content-Length on a persistent connection")
}

func readExactly(in *bufio.Reader, buf []byte, n int) ([]byte, error) {
	if n > biggestAnswer || len(buf)+n > biggestAnswer {
		return buf, errTooLarge
	}
	from := len(buf)
	if cap(buf) < from+n {
		grown := make([]byte, from, max(from+n, 2*cap(buf)))
		copy(grown, buf)
		buf = grown
	}
	buf = buf[:from+n]
	_, err := io.ReadFull(in, buf[from:])
	return buf, unexpected(err)
}

func readChunks(in *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		line, err := readLine(in)
		if err != nil {
			return buf, unexpected(err)
		}
		size, _, _ := bytes.Cut(line, []byte{';'})
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 31)
		if err != nil {
			return buf, fmt.Errorf("not a chunk size: %q", line)
		}
		if n == 0 {
			_, err := readHeader(in) // the trailer ends like a header
			return buf, err
		}
		if buf, err = readExactly(in, buf, int(n)); err != nil {
			return buf, err
		}
		if line, err = readLine(in); err != nil || len(line) != 0 {
			return buf, errors.Join(errors.New("a chunk does not end where its size says"), err)
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
