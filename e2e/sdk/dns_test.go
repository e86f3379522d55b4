package sdk_test

import (
	"net"
	"testing"
)

// emptyDNS is a DNS server that knows no name (RFC 1035 section 4.1.1: response code 3), so that no test asks anybody else's.
func emptyDNS(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		const header, nameError = 12, 3
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return // closed
			}
			if n < header {
				continue
			}
			answer := question(buf[:n])
			answer[2] |= 0x80 // a response
			answer[3] = nameError
			copy(answer[6:header], make([]byte, 6)) // no records
			if _, err := conn.WriteTo(answer, from); err != nil {
				return
			}
		}
	}()
	return conn.LocalAddr().String()
}

// question cuts off what follows the one question: the records with which a resolver tells what it can do.
func question(message []byte) []byte {
	end := 12
	for end < len(message) && message[end] != 0 {
		end += int(message[end]) + 1
	}
	return message[:min(end+5, len(message))] // the root, type and class
}
