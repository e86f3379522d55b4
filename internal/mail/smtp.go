package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

const (
	submissionPort  = 587 // RFC 6409
	submissionsPort = 465 // RFC 8314 section 3.3
	stepTime        = 30 * time.Second
	// plaintextOption is the parameter of an SMTP URL that does without TLS beyond this machine.
	plaintextOption = "allow-plaintext"
)

// SMTP sends through a mail server.
type SMTP struct {
	Host           string
	Port           int
	User, Password string
	Implicit       bool            // TLS from the first byte (smtps), else by STARTTLS
	Plaintext      bool            // do without TLS where the server has none; else it is an error, except on this machine
	From           netmail.Address // of the header, and of the envelope
	RootCAs        *x509.CertPool  // nil: those of the system

	really string // of tests: where the server is
}

// ParseSMTP reads smtp://user:password@host:587 and smtps://…:465, both with optional user and port. Beyond this machine STARTTLS has to
// be there, unless the URL ends in ?allow-plaintext=true. No error repeats the URL: it holds a password.
func ParseSMTP(text string) (SMTP, error) {
	u, err := url.Parse(text)
	if err != nil {
		return SMTP{}, errors.New("cannot be read as an address; escape special characters of the password (%40 for @)")
	}
	s := SMTP{Host: u.Hostname(), Port: submissionPort, Implicit: u.Scheme == "smtps"}
	switch {
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return SMTP{}, errors.New("must begin with smtp:// or smtps://")
	case s.Host == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "":
		return SMTP{}, errors.New("names no server; write smtp://user:password@host:587")
	}
	if s.Implicit {
		s.Port = submissionsPort
	}
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return SMTP{}, errors.New("has a port that is none")
		}
		s.Port = int(n)
	}
	s.User = u.User.Username()
	s.Password, _ = u.User.Password()
	if (s.User == "") != (s.Password == "") {
		return SMTP{}, errors.New("needs both a user and a password, or neither")
	}
	return s.options(u.Query())
}

func (s SMTP) options(query url.Values) (SMTP, error) {
	for name, values := range query {
		if name != plaintextOption || len(values) != 1 || values[0] != "true" {
			return SMTP{}, fmt.Errorf("has the parameter %.40q; there is only %s=true", name, plaintextOption)
		}
		s.Plaintext = true
	}
	if s.Plaintext && s.Implicit {
		return SMTP{}, fmt.Errorf("is smtps, which is never without TLS; leave %s out", plaintextOption)
	}
	return s, nil
}

// ParseFrom reads an address with or without a name: Acme <no-reply@acme.example>.
func ParseFrom(text string) (netmail.Address, error) {
	from, err := netmail.ParseAddress(text)
	if err != nil || checkAddress(from.Address) != nil || line(from.Name) != from.Name {
		return netmail.Address{}, errors.New("is no address; write it like: Acme <no-reply@acme.example>")
	}
	return *from, nil
}

// lenient tells whether the server may do without TLS.
func (s SMTP) lenient() bool {
	ip := net.ParseIP(s.Host)
	return s.Plaintext || s.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send gives the letter to the server. What the server refuses with a 5xx is a *PermanentError; what goes wrong before it is
// asked, a wrong password for one, is not: the operator can mend it.
func (s SMTP) Send(ctx context.Context, l Letter) error {
	message, err := s.message(l)
	if err != nil {
		return &PermanentError{err}
	}
	client, err := s.client(ctx)
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("reach the mail server: %w", err)
	}
	err = client.Send(message)
	_ = client.Close() // whether the server says goodbye does not matter: it has taken the mail, or has not
	var refused *gomail.SendError
	switch {
	case message.IsDelivered():
		return nil
	case errors.As(err, &refused) && refused.ErrorCode() >= 500:
		return &PermanentError{err}
	case err == nil:
		return errors.New("the mail server has not said that it took the mail")
	}
	return err
}

func (s SMTP) message(l Letter) (*gomail.Msg, error) {
	if err := checkAddress(l.To); err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&s.From)
	m.ToMailAddress(&netmail.Address{Address: l.To})
	m.Subject(line(l.Subject))
	m.SetDate()
	_, domain, _ := strings.Cut(s.From.Address, "@")
	m.SetMessageIDWithValue(l.ID + "@" + domain)       // the same at each attempt: who gets it twice can tell
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 section 5
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	return m, nil
}

func (s SMTP) client(ctx context.Context) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(stepTime), gomail.WithTLSConfig(s.tls()), gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithDialContextFunc(s.dial(ctx)), gomail.WithoutNoop(),
	}
	if s.lenient() {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if s.Implicit {
		options = append(options, gomail.WithSSL())
	}
	if s.User != "" {
		options = append(options, gomail.WithUsername(s.User), gomail.WithPassword(s.Password), gomail.WithOpportunisticSMTPAuth(s.mechanisms()...))
	}
	client, err := gomail.NewClient(s.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("mail client: %w", err)
	}
	return client, nil
}

// mechanisms from the best. A password in clear goes over TLS only, except where the operator has said that there is none.
func (s SMTP) mechanisms() []gomail.SMTPAuthType {
	out := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1}
	if s.lenient() {
		return append(out, gomail.SMTPAuthCramMD5, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc)
	}
	return append(out, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin)
}

func (s SMTP) tls() *tls.Config {
	return &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12, RootCAs: s.RootCAs}
}

// dial connects so that nothing on the connection outlives ctx: each step has its time, and all together have that of the mail.
func (s SMTP) dial(whole context.Context) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if s.really != "" {
			address = s.really
		}
		raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		until, _ := whole.Deadline()
		conn := net.Conn(&bounded{Conn: raw, until: until, release: context.AfterFunc(whole, func() { _ = raw.Close() })})
		if !s.Implicit {
			return conn, nil
		}
		secured := tls.Client(conn, s.tls())
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secured, nil
	}
}

// bounded is a connection with a last moment.
type bounded struct {
	net.Conn
	until   time.Time // zero: none
	release func() bool
}

func (b *bounded) SetDeadline(t time.Time) error {
	if !b.until.IsZero() && (t.IsZero() || t.After(b.until)) {
		t = b.until
	}
	return b.Conn.SetDeadline(t)
}

func (b *bounded) Close() error {
	b.release()
	return b.Conn.Close()
}
