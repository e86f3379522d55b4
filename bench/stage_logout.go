package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	logoutVerifier = "benchmark-benchmark-benchmark-benchmark-benchmark" // of a public application (RFC 7636, section 4.1)
	logoutPause    = 30 * time.Millisecond                               // so that each is told alone
)

// logout deactivates members over SCIM, one at a time, each with a session at an application that is told of logouts in this program. The
// commit lies between the sending of the request and its answer, so what is measured from before the request is never flattered; what is
// measured from the answer on is in the note.
func (l *lab) logout(ctx context.Context, eng engine) (err error) {
	in, err := newLogoutReceiver()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.srv.Close()) }()
	s, err := l.newSide(ctx, false, eng, extras{flags: []string{"--allow-target", "127.0.0.0/8", "--accounts", "rollcall"}})
	if err != nil {
		return err
	}
	if err := s.start(ctx, &l.procs); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.proc.stop()) }()
	whole, after, err := s.logouts(ctx, in, l.opt.logouts)
	if err != nil {
		return err
	}
	c := rowOf("logout").cell(eng, "")
	c.Now = 1000 * percentile(whole, 0.5)
	c.Note = fmt.Sprintf("%d logouts: p50 %.1f, p99 %.1f, longest %.1f ms; from the answer p50 %.1f, p99 %.1f ms",
		len(whole), c.Now, 1000*percentile(whole, 0.99), 1000*percentile(whole, 1), 1000*percentile(after, 0.5), 1000*percentile(after, 0.99))
	l.record(ctx, c)
	return nil
}

// logouts gives the seconds from the sending of each request, and from its answer, to the logout; both ascending.
func (s *side) logouts(ctx context.Context, in *logoutReceiver, n int) (whole, after []float64, err error) {
	p, d, client, err := s.newLogoutApp(ctx, in.address)
	if err != nil {
		return nil, nil, err
	}
	c, browser := d.dial(), newBrowser()
	defer c.close()
	defer browser.CloseIdleConnections()
	const warm = 5
	for i := range warm + n {
		id, err := d.hire(c, i)
		if err != nil {
			return nil, nil, err
		}
		session, err := p.enter(ctx, browser, client, i)
		if err != nil {
			return nil, nil, err
		}
		if err := wait(ctx, logoutPause); err != nil {
			return nil, nil, err
		}
		did := writing{begun: time.Now()}
		status, body, err := c.do(http.MethodPatch, d.base+"/Users/"+id, appendSetActive(nil, false))
		did.answered = time.Now()
		if err = errors.Join(err, changed("deactivate", status, body, id)); err != nil {
			return nil, nil, err
		}
		came, err := in.await(ctx, session)
		if err != nil {
			return nil, nil, err
		}
		if i >= warm {
			whole, after = append(whole, came.Sub(did.begun).Seconds()), append(after, came.Sub(did.answered).Seconds())
		}
	}
	slices.Sort(whole)
	slices.Sort(after)
	return whole, after, nil
}

// newLogoutApp makes an organization whose people sign in, a directory that makes them members at once, and an application that is told.
func (s *side) newLogoutApp(ctx context.Context, toldAt string) (p *provider, d *directory, clientID string, err error) {
	if p, err = s.newProvider(ctx); err != nil {
		return nil, nil, "", err
	}
	var app struct {
		ClientID string `json:"client_id"`
	}
	var made struct {
		Endpoint string `json:"scim_endpoint"`
		Token    string `json:"bearer_token"`
	}
	err = s.api(ctx, http.MethodPost, "/connect/applications", map[string]any{
		"name": "Told", "application_type": "oauth", "is_first_party": true, "is_public": true, "redirect_uris": []map[string]any{{"uri": signInCallback}},
		"backchannel_logout_uri": toldAt,
	}, &app)
	if err == nil {
		err = s.api(ctx, http.MethodPost, "/directories", map[string]any{
			"organization_id": p.organization, "name": "Members", "type": "generic scim v2.0", "provisioning": "direct",
		}, &made)
	}
	if err != nil {
		return nil, nil, "", err
	}
	sum := sha256.Sum256([]byte(logoutVerifier))
	p.serve(app.ClientID, base64.RawURLEncoding.EncodeToString(sum[:]))
	base, err := pathOf(made.Endpoint)
	return p, &directory{addr: s.addr, tag: "o", base: base, token: made.Token, organization: p.organization}, app.ClientID, err
}

// hire makes the person of a number, as the provider calls them.
func (d *directory) hire(c *conn, number int) (id string, err error) {
	name := signInAddress(number)
	status, body, err := c.do(http.MethodPost, d.base+"/Users",
		fmt.Appendf(nil, `{"schemas":[%q],"userName":%q,"emails":[{"value":%q,"primary":true}],"active":true}`, userSchema, name, name))
	if err = errors.Join(err, answered("hire", http.StatusCreated, status, body, name)); err != nil {
		return "", err
	}
	return idOf(body)
}

// enter signs a person in to the application and gives the id of the session.
func (p *provider) enter(ctx context.Context, browser *http.Client, clientID string, number int) (session string, err error) {
	code, err := p.signIn(ctx, browser, number)
	if err != nil {
		return "", err
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {signInCallback}, "client_id": {clientID}, "code_verifier": {logoutVerifier},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.s.addr+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := browser.Do(r)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, biggestAnswer))
	if err = errors.Join(err, answer.Body.Close(), answered("redeem the code", http.StatusOK, answer.StatusCode, raw, "id_token")); err != nil {
		return "", err
	}
	var tokens struct {
		ID string `json:"id_token"`
	}
	if err := json.Unmarshal(raw, &tokens); err != nil {
		return "", err
	}
	return sessionOf(tokens.ID)
}

// sessionOf reads the sid of an ID or logout token. Its signature is the tests' affair.
func sessionOf(signed string) (string, error) {
	var claims struct {
		Session string `json:"sid"`
	}
	parts := strings.Split(signed, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("a token of %d parts", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if err == nil && claims.Session == "" {
		err = errors.New("a token without sid")
	}
	return claims.Session, err
}

// logoutReceiver is an application that is told of logouts. It answers 200 at once and notes when each session's came first.
type logoutReceiver struct {
	address string
	srv     *http.Server

	mu   sync.Mutex
	came map[string]time.Time
	bad  error
	bell chan struct{} // something came
}

func newLogoutReceiver() (*logoutReceiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &logoutReceiver{address: "http://" + listener.Addr().String() + "/logout", came: map[string]time.Time{}, bell: make(chan struct{}, 1)}
	r.srv = &http.Server{Handler: http.HandlerFunc(r.take), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.srv.Serve(listener) }() // it ends with Close
	return r, nil
}

func (r *logoutReceiver) take(w http.ResponseWriter, q *http.Request) {
	now := time.Now()
	session, err := sessionOf(q.PostFormValue("logout_token"))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.bad = fmt.Errorf("a logout that is none: %w", err)
	} else if _, again := r.came[session]; !again {
		r.came[session] = now
	}
	select {
	case r.bell <- struct{}{}:
	default:
	}
	w.WriteHeader(http.StatusOK)
}

func (r *logoutReceiver) at(session string) (time.Time, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, there := r.came[session]
	return at, there, r.bad
}

// await gives when the logout of a session came.
func (r *logoutReceiver) await(ctx context.Context, session string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, hookPatience)
	defer cancel()
	for {
		at, there, err := r.at(session)
		if there || err != nil {
			return at, err
		}
		select {
		case <-r.bell:
		case <-ctx.Done():
			return at, fmt.Errorf("no logout of %s came: %w", session, ctx.Err())
		}
	}
}
