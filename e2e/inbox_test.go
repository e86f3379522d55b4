package e2e_test

import (
	"cmp"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// inbox is a mail server of this process, which keeps what it is sent.
type inbox struct {
	t       *testing.T
	address string

	mu      sync.Mutex
	letters []letter
}

// letter is one mail. text is its plain part.
type letter struct{ to, subject, text string }

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{t: t}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &taking{in: in}, nil }))
	server.Domain, server.ErrorLog = "mail.example", log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	in.address = listener.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // it ends with Close
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // a server that has not begun to serve does not know it
		serving.Wait()
	})
	return in
}

// env has a program send its mails here, and those to the operator to ops@app.example.
func (in *inbox) env() []string {
	return []string{"ROLLCALL_SMTP_URL=smtp://" + in.address, "ROLLCALL_MAIL_FROM=no-reply@app.example", "ROLLCALL_OPERATOR_EMAIL=" + operates}
}

// taking is one connection.
type taking struct {
	in *inbox
	to string
}

func (k *taking) Mail(string, *smtp.MailOptions) error { return nil }

func (k *taking) Rcpt(to string, _ *smtp.RcptOptions) error {
	k.to = to
	return nil
}

func (k *taking) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return err
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	plain, err := multipart.NewReader(m.Body, parameters["boundary"]).NextPart()
	if err != nil {
		return err
	}
	said, err := io.ReadAll(plain)
	k.in.mu.Lock()
	defer k.in.mu.Unlock()
	k.in.letters = append(k.in.letters, letter{k.to, subject, string(said)})
	return err
}

func (k *taking) Reset()        {}
func (k *taking) Logout() error { return nil }

// to lists what somebody got.
func (in *inbox) to(email string) (out []letter) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range in.letters {
		if l.to == email {
			out = append(out, l)
		}
	}
	return out
}

func (in *inbox) count(email string) int { return len(in.to(email)) }

// next waits for the one after so many.
func (in *inbox) next(email string, after int) letter {
	in.t.Helper()
	eventually(in.t, "a mail to "+email, func() bool { return in.count(email) > after })
	return in.to(email)[after]
}

var (
	codeIn = regexp.MustCompile(`\b\d{6}\b`)
	linkIn = regexp.MustCompile(`https?://\S+/invitations/\w+`)
)

// about waits for one after so many whose subject or text has these words.
func (in *inbox) about(email string, after int, words string) (found letter) {
	in.t.Helper()
	eventually(in.t, "a mail to "+email+" about "+words, func() bool {
		for _, l := range in.to(email)[after:] {
			if strings.Contains(l.subject+"\n"+l.text, words) {
				found = l
				return true
			}
		}
		return false
	})
	return found
}

// tells waits until both an IT contact and the operator have been told of a change that somebody made in the portal; by is their name, or how it
// begins.
func (in *inbox) tells(contact, change, by string) {
	in.t.Helper()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(change) + `: .*, by ` + regexp.QuoteMeta(by) + `\S* \(portal\), `)
	for _, email := range []string{contact, operates} {
		eventually(in.t, "a mail to "+email+" like "+line.String(), func() bool {
			return slices.ContainsFunc(in.to(email), func(l letter) bool { return line.MatchString(l.text) })
		})
	}
}

// linkTo waits for a link to somebody, whose path begins so, and gives the one that was mailed last.
func (in *inbox) linkTo(email, path string) string {
	in.t.Helper()
	link := regexp.MustCompile(`https?://[^\s/]+` + path + `\S+`)
	found := ""
	eventually(in.t, "a link "+path+" to "+email, func() bool {
		for _, l := range in.to(email) {
			found = cmp.Or(link.FindString(l.text), found)
		}
		return found != ""
	})
	return found
}

// portalCode waits for a code that opens the portal.
func (in *inbox) portalCode(email string, after int) string {
	in.t.Helper()
	return codeIn.FindString(in.about(email, after, "Your code for the set-up portal").text)
}

// code is the sign-in code of the mail after so many.
func (in *inbox) code(email string, after int) string {
	in.t.Helper()
	l := in.next(email, after)
	code := codeIn.FindString(l.text)
	if code == "" {
		in.t.Fatalf("no code in %q", l.text)
	}
	return code
}

// invitation is the link of the mail after so many, which has to invite into what is named.
func (in *inbox) invitation(email string, after int, into string) string {
	in.t.Helper()
	l := in.next(email, after)
	link := linkIn.FindString(l.text)
	if link == "" || !strings.Contains(l.subject+l.text, into) {
		in.t.Fatalf("no invitation into %s: %q %q", into, l.subject, l.text)
	}
	return link
}
