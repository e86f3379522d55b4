package main

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// Of the sign-ins.
const (
	signInDomain   = "signins.example"
	signInCallback = "https://app.example/callback"
	signInConns    = 4
	signInPeople   = 1000 // who come again and again
	signInPlaces   = 5000 // addresses that they come from
)

// signIns has people sign in through a provider in this program, each in a browser of their own: to the application's sign-in page, with
// the signed answer back, to the redirect with a code. What counts is that memory does not grow with their number.
func (l *lab) signIns(ctx context.Context, eng engine) error {
	s, err := l.newSide(ctx, false, eng, extras{flags: []string{"--trusted-proxies", "127.0.0.0/8", "--accounts", "rollcall"}})
	if err != nil {
		return err
	}
	if err := s.start(ctx, &l.procs); err != nil {
		return err
	}
	p, err := s.newProvider(ctx)
	if err == nil {
		err = l.signInStops(ctx, eng, p)
	}
	return errors.Join(err, s.proc.stop())
}

// signInStops measures at each number of sign-ins.
func (l *lab) signInStops(ctx context.Context, eng engine, p *provider) error {
	var seen []string
	done := 0
	for _, stop := range l.opt.signIns {
		start := time.Now()
		if err := p.people(ctx, done, stop); err != nil {
			return err
		}
		elapsed := time.Since(start)
		mib, peak, err := residentMiB(p.s.proc.pid())
		if err != nil {
			return err
		}
		suffix := " after " + thousands(stop) + " sign-ins"
		seen = append(seen, fmt.Sprintf("%.0f", mib))
		c := rowOf("signins").cell(eng, suffix)
		c.Now = mib
		c.Note = fmt.Sprintf("%.0f sign-ins/s, the provider's signing included; highest %.0f MiB; so far %s", float64(stop-done)/elapsed.Seconds(), peak, strings.Join(seen, ", "))
		l.record(ctx, c)
		done = stop
	}
	return nil
}

// provider is an organization whose people sign in through it.
type provider struct {
	s            *side
	organization string
	idp          *samltest.IDP
	to           samltest.To
	authorize    string // an application's sign-in page
}

func (s *side) newProvider(ctx context.Context) (*provider, error) {
	p := &provider{s: s, idp: samltest.New("https://idp.example/metadata")}
	var org, connection struct {
		ID         string `json:"id"`
		ACS        string `json:"acs_url"`
		SPEntityID string `json:"sp_entity_id"`
	}
	var applications struct {
		Data []struct {
			ClientID string `json:"client_id"`
		} `json:"data"`
	}
	err := s.api(ctx, http.MethodPost, "/organizations", map[string]any{
		"name": "Sign-ins", "domain_data": []map[string]any{{"domain": signInDomain, "state": "verified"}},
	}, &org)
	if err == nil {
		err = s.api(ctx, http.MethodPost, "/connections", map[string]any{
			"organization_id": org.ID, "name": "Sign-ins", "connection_type": "GenericSAML", "idp_entity_id": p.idp.EntityID, "sso_url": "https://idp.example/sso",
			"certificates": []string{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.idp.Certificate.Raw}))},
		}, &connection)
	}
	if err == nil {
		err = s.api(ctx, http.MethodPost, "/user_management/redirect_uris", map[string]any{"uri": signInCallback}, &struct{}{})
	}
	if err == nil {
		err = s.api(ctx, http.MethodGet, "/connect/applications", nil, &applications)
	}
	if err != nil || len(applications.Data) == 0 {
		return nil, errors.Join(fmt.Errorf("prepare sign-ins: %d applications", len(applications.Data)), err)
	}
	p.to, p.organization = samltest.To{EntityID: connection.SPEntityID, ACS: connection.ACS}, org.ID
	p.serve(applications.Data[0].ClientID, strings.Repeat("c", 43))
	return p, nil
}

// serve has people sign in to an application from now on.
func (p *provider) serve(clientID, challenge string) {
	p.authorize = "http://" + p.s.addr + "/oauth2/authorize?" + url.Values{
		"client_id": {clientID}, "redirect_uri": {signInCallback}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {"bench"}, "nonce": {"bench"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}, "organization": {p.organization},
	}.Encode()
}

// newBrowser follows nothing by itself and keeps no cookies: visit is given them.
func newBrowser() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: signInConns},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       requestTimeout,
	}
}

// people sign in, from the one of a number on, until so many have.
func (p *provider) people(ctx context.Context, from, until int) error {
	client := newBrowser()
	defer client.CloseIdleConnections()
	var next atomic.Int64
	next.Store(int64(from))
	var all sync.WaitGroup
	failed := make([]error, signInConns)
	for worker := range signInConns {
		all.Go(func() {
			for failed[worker] == nil && ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= until {
					return
				}
				_, failed[worker] = p.signIn(ctx, client, n)
			}
		})
	}
	all.Wait()
	return errors.Join(append(slices.Clone(failed), ctx.Err())...)
}

// signIn takes one person the whole way and gives the application's code.
func (p *provider) signIn(ctx context.Context, client *http.Client, n int) (code string, err error) {
	place := fmt.Sprintf("10.0.%d.%d", n%signInPlaces/250, n%250+1)
	to, cookies, err := visit(ctx, client, http.MethodGet, p.authorize, place, nil, nil)
	if err != nil {
		return "", err
	}
	request, err := requestID(to.Query().Get("SAMLRequest"))
	if err != nil {
		return "", err
	}
	form := url.Values{"SAMLResponse": {samltest.Post(p.answer(request, n%signInPeople))}, "RelayState": {to.Query().Get("RelayState")}}
	end, _, err := visit(ctx, client, http.MethodPost, p.to.ACS, place, cookies, form)
	if err != nil {
		return "", err
	}
	if code = end.Query().Get("code"); !strings.HasPrefix(end.String(), signInCallback+"?") || code == "" {
		return "", fmt.Errorf("sign-in %d ended at %s", n, end)
	}
	return code, nil
}

// signInAddress is the address of the person of a number, and their name at the provider.
func signInAddress(number int) string { return fmt.Sprintf("person-%d@%s", number, signInDomain) }

func (p *provider) answer(request string, number int) []byte {
	m := p.idp.Message(p.to, time.Now())
	m.InResponseTo, m.ID, m.AssertionID = request, "_r"+request, "_a"+request
	email := signInAddress(number)
	m.NameID = email
	for i := range m.Attributes {
		switch values := m.Attributes[i].Values; {
		case values[0] == samltest.Person:
			m.Attributes[i].Values = []string{email}
		case strings.HasSuffix(m.Attributes[i].Name, "objectidentifier"):
			m.Attributes[i].Values = []string{fmt.Sprintf("1f3c6f4e-55d7-4f4d-9a55-%012d", number)}
		}
	}
	return p.idp.Respond(m, samltest.AssertionSigned)
}

// visit makes one request of a browser and gives where it is led to, with the cookies it got.
func visit(ctx context.Context, client *http.Client, method, address, place string, cookies []*http.Cookie, form url.Values) (*url.URL, []*http.Cookie, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("X-Forwarded-For", place)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, biggestAnswer))
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", method, r.URL.Path, err)
	}
	if answer.StatusCode != http.StatusSeeOther {
		return nil, nil, fmt.Errorf("%s %s: status %d, want 303: %.300s", method, r.URL.Path, answer.StatusCode, raw)
	}
	to, err := url.Parse(answer.Header.Get("Location"))
	return to, answer.Cookies(), err
}

var requestIDs = regexp.MustCompile(` ID="([^"]+)"`)

// requestID is the ID of a request as the redirect binding carries it.
func requestID(packed string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		return "", err
	}
	document, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), biggestAnswer))
	if err != nil {
		return "", fmt.Errorf("inflate the sign-in request %.300q: %w", packed, err)
	}
	found := requestIDs.FindSubmatch(document)
	if found == nil {
		return "", fmt.Errorf("a sign-in request without ID: %.300s", document)
	}
	return string(found[1]), nil
}
