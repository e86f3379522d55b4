// Package dnstest has a name server for tests of how domains are proven.
package dnstest

import (
	"encoding/binary"
	"net"
	"strings"
	"sync"
	"testing"
)

// Server answers questions for TXT records (RFC 1035) on this machine. A name it does not have does not exist.
type Server struct {
	// Address is where it answers, host:port.
	Address string

	conn  net.PacketConn
	mu    sync.Mutex
	texts map[string]string
}

// New starts a server, which ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: conn.LocalAddr().String(), conn: conn, texts: map[string]string{}}
	var serving sync.WaitGroup
	serving.Go(s.serve)
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return s
}

// Set has a name exist, in any case of its letters, with one record. The text is at most 255 bytes long.
func (s *Server) Set(name, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[strings.ToLower(strings.TrimSuffix(name, "."))+"."] = text
}

func (s *Server) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if _, err := s.conn.WriteTo(s.answer(buf[:n]), from); err != nil {
			return
		}
	}
}

// answer takes the question over from the message and adds one record, or says that there is no such name.
func (s *Server) answer(q []byte) []byte {
	const header = 12
	var name strings.Builder
	end := header
	for q[end] != 0 {
		name.Write(q[end+1 : end+1+int(q[end])])
		name.WriteByte('.')
		end += 1 + int(q[end])
	}
	end += 5 // the root, type and class
	s.mu.Lock()
	text, found := s.texts[strings.ToLower(name.String())]
	s.mu.Unlock()
	out := append([]byte{q[0], q[1], 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0}, q[header:end]...)
	if !found {
		return out
	}
	out[3], out[7] = 0x80, 1
	out = append(out, 0xc0, header, 0, 16, 0, 1, 0, 0, 0, 60) // the name as asked, TXT, IN, a minute
	out = binary.BigEndian.AppendUint16(out, uint16(len(text)+1))
	return append(append(out, byte(len(text))), text...)
}
