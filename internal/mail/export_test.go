package mail

// At has the server's name stand for an address of this machine.
func (s SMTP) At(address string) SMTP {
	s.really = address
	return s
}

// Told is told.
func Told(err error) string { return told(err) }

// Lease is how long a claim holds.
const Lease = lease
