package sso

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/second"
	"github.com/rollcallhq/rollcall/internal/token"
)

// maxRaw is how much of an answer that belongs to no attempt is kept, in bytes.
const maxRaw = 64 << 10

// opening waits for what was posted to be read.
type opening func() (*saml.Document, error)

// open begins to read a document, while the database is asked what it is held against.
func (s *Service) open(document []byte, errEncoding error) opening {
	if errEncoding != nil {
		return func() (*saml.Document, error) { return nil, errEncoding }
	}
	var read *saml.Document
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("read a response: panicked: %v", r)
			}
		}()
		read, err = s.gate(document)
	}()
	return func() (*saml.Document, error) {
		<-done
		return read, err
	}
}

// ReceiveSAML verifies a response. It writes nothing but a reading of the metadata, where the response is signed by a certificate that
// is not known. Errors: *Refusal, to be given to Fail; *UnsolicitedError.
func (s *Service) ReceiveSAML(ctx context.Context, in SAMLArrival) (*Verified, error) {
	came := arrived{raw: []byte(in.Response), ip: bounded(in.IP, maxIP), userAgent: bounded(in.UserAgent, maxAgent)}
	document, errEncoding := saml.DecodePost(in.Response)
	opened := s.open(document, errEncoding)
	at, err := s.addressed(ctx, in, hint(document), opened)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		refusal.arrived = came
		return nil, refusal
	}
	a, err := s.openArrival(at.c, err, SAML, in.Browser, came)
	if err != nil {
		return nil, err
	}
	a.claimed, a.bases, a.ahead = at.claimed, in.Bases(at.c.OrganizationID), at.ahead
	if errEncoding == nil {
		a.came.raw = document
	}
	if err := a.belongsTo(at.owner, nil); err != nil {
		return nil, err
	}
	e, assertion, err := a.consume(ctx, document, opened)
	if err != nil {
		return nil, a.refusedBy(ctx, err)
	}
	v, err := a.asserted(ctx, assertion, in)
	agreed := sync.OnceValue(func() error { return a.secondOpinion(ctx, document, e, assertion) })
	if err == nil && in.Early {
		v.agreed = agreed
		return v, nil
	}
	if err := agreed(); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	return v, s.met(ctx, v)
}

// consume verifies the response, once more if it is signed by a certificate that the provider may have announced since.
func (a *arrival) consume(ctx context.Context, document []byte, opened opening) (saml.Expectation, *saml.Assertion, error) {
	e, err := a.expectation(document)
	if err != nil {
		return e, nil, err
	}
	if plain(document) {
		a.ask(document, e)
	}
	read, err := opened()
	if err != nil {
		return e, nil, err
	}
	if claimed := read.Claimed().InResponseTo; !a.ahead.began(claimed) {
		if a.ahead, err = a.s.look(ctx, claimed, a.browser); err != nil {
			return e, nil, err
		}
	}
	a.ask(document, e)
	assertion, err := a.s.consume(read, e)
	f, _ := fault.As(err)
	if err == nil || a.c.MetadataURL == "" || f == nil || f.Code != saml.CodeCertificateUnknown && f.Code != saml.CodeSignatureInvalid {
		return e, assertion, err
	}
	fresh, changed, errRefresh := a.s.refreshOnDemand(ctx, a.c)
	if errRefresh != nil || !changed {
		return e, nil, errors.Join(errRefresh, err)
	}
	a.c = fresh
	if e, err = a.expectation(document); err != nil {
		return e, nil, err
	}
	if read, err = saml.Open(document); err != nil {
		return e, nil, err
	}
	assertion, err = a.s.consume(read, e)
	return e, assertion, err
}

func (a *arrival) expectation(document []byte) (saml.Expectation, error) {
	if len(a.bases) == 0 {
		return saml.Expectation{}, errors.New("receive a response: no address of this installation is known")
	}
	certificates, err := a.c.verifying()
	if err != nil {
		return saml.Expectation{}, err
	}
	var keys []*rsa.PrivateKey
	if bytes.Contains(document, []byte("EncryptedAssertion")) { // a key that opens nothing is not worth its parsing
		key, _, err := a.s.keyPair(a.c)
		if err != nil {
			return saml.Expectation{}, err
		}
		keys = append(keys, key)
	}
	o := a.c.Options
	e := saml.Expectation{
		Now: a.s.moment(), Issuer: a.c.IDPEntityID, Audiences: a.c.audiences(a.bases), Recipients: a.c.ACS(a.bases), Certificates: certificates,
		ClockSkew: o.skew(), Keys: keys, RequireEncrypted: o.RequireEncrypted, AllowCBC: o.AllowCBC, Contexts: o.Contexts,
	}
	if o.AllowSHA1Until != nil {
		e.SHA1Until = *o.AllowSHA1Until
	}
	return e, nil
}

// refusedBy makes a refusal of one of the grammar. What the message claims finds the attempt that it is noted at, and decides nothing.
func (a *arrival) refusedBy(ctx context.Context, err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	var claim *saml.Error
	if !errors.As(err, &claim) {
		return a.refuse(f)
	}
	attempt, errAttempt := a.attempt(ctx, claim.Claimed.InResponseTo)
	if errAttempt != nil {
		return errAttempt
	}
	kind := SignIn
	if attempt != nil {
		kind = attempt.Kind
	}
	if closed := a.closed(kind); closed != nil {
		return a.refuseFor(attempt, closed)
	}
	r := a.refuseFor(attempt, f)
	r.checks = []Check{checkOf(f)}
	return r
}

// secondOpinion asks another implementation about the same document. A disagreement is refused and alarms.
func (a *arrival) secondOpinion(ctx context.Context, document []byte, e saml.Expectation, ours *saml.Assertion) error {
	if a.s.c.OneVerifier {
		return nil
	}
	guess, err := a.asked.guessed(ctx)
	if err != nil {
		return err
	}
	err = a.s.second(guess, document, e, ours)
	var gap second.Gap
	if err == nil || errors.As(err, &gap) {
		return nil
	}
	a.s.disagreements.Add(1)
	a.s.c.Logger.Error("two verifiers read the same signed response differently; it was refused and may be an attack",
		"connection", string(a.c.ID), "organization", a.c.OrganizationID, "cause", err)
	attempt, errAttempt := a.attempt(ctx, ours.InResponseTo)
	f, ok := fault.As(err)
	if errAttempt != nil || !ok {
		return errors.Join(errAttempt, err)
	}
	return a.refuseFor(attempt, f)
}

// asserted goes on with what is verified.
func (a *arrival) asserted(ctx context.Context, assertion *saml.Assertion, in SAMLArrival) (*Verified, error) {
	attempt, err := a.attempt(ctx, assertion.InResponseTo)
	if err != nil {
		return nil, err
	}
	if a.claimed != "" && (attempt == nil || attempt.ID != a.claimed) {
		return nil, a.refuse(errShared(assertion.InResponseTo))
	}
	if assertion.InResponseTo == "" {
		return nil, a.unasked(ctx, assertion, in)
	}
	if attempt == nil {
		return nil, a.unknown(ctx, assertion, in)
	}
	if f := a.closed(attempt.Kind); f != nil {
		return nil, a.refuseFor(attempt, f)
	}
	if f := a.usable(attempt); f != nil {
		return nil, a.refuseFor(attempt, f)
	}
	id := token.HashOf(token.Secret(assertion.ID))
	if f := a.fresh(attempt, assertion); f != nil {
		return nil, a.refuseFor(attempt, f)
	}
	v := &Verified{
		SessionIndex: assertion.SessionIndex, SessionUntil: assertion.SessionNotOnOrAfter, AuthenticatedAt: assertion.AuthnInstant, ACR: assertion.Context,
		assertion: id, usable: assertion.UsableUntil,
	}
	v.certificate = a.certificate(assertion)
	v.Warnings = a.warnings(assertion, v.certificate)
	v.Checks = a.messageChecks(attempt, assertion, v.certificate)
	return a.conclude(attempt, asserted(assertion), v)
}

// fresh holds a sign-in that was to be a new one against the time at which the person signed in (core 3.4.1, ForceAuthn).
func (a *arrival) fresh(attempt *Attempt, assertion *saml.Assertion) *fault.Error {
	if !attempt.ForceAuthn || !assertion.AuthnInstant.Before(attempt.CreatedAt.Add(-a.c.Options.skew())) {
		return nil
	}
	return deny(Expired, "a sign-in at the provider after "+org.Time(attempt.CreatedAt), org.Time(assertion.AuthnInstant),
		"A fresh sign-in was asked for, and the provider did not ask the person again.")
}

// unasked is about a response that nobody asked for. It is never a sign-in: whoever sent the browser here may have sent their own
// (login CSRF). A restart that comes back without having been asked for again would go round for ever, so it is refused.
func (a *arrival) unasked(ctx context.Context, assertion *saml.Assertion, in SAMLArrival) error {
	if f := a.closed(SignIn); f != nil {
		return a.refuse(f)
	}
	if a.c.Options.unsolicited() == Refuse {
		return a.refuse(deny(IDPInitiatedDisabled, "a sign-in that begins here", "one that the identity provider began",
			"The identity provider began this sign-in, and the connection refuses that."))
	}
	open, err := a.openAttempts(ctx, in)
	if err != nil {
		return err
	}
	if open >= maxRestarts {
		return a.refuse(deny(InResponseToUnknown, "the id of the request", "a response without InResponseTo",
			"The identity provider does not say which request its response answers, so it cannot be told from one that nobody asked for."))
	}
	return &UnsolicitedError{Connection: a.c, LoginHint: hintOf(assertion)}
}

// maxRestarts is how many sign-ins a browser may have begun in the last minutes without finishing one before a further response that
// nobody asked for begins no other.
const (
	maxRestarts   = 3
	restartWindow = 2 * time.Minute
)

func (a *arrival) openAttempts(ctx context.Context, in SAMLArrival) (int, error) {
	if a.browser == "" {
		return 0, nil
	}
	since := token.Before(AttemptPrefix, a.s.moment().Add(-restartWindow))
	var n int
	if err := a.s.c.DB.QueryRow(ctx, countOpen, string(a.c.ID), since, string(a.browser)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count open sign-ins: %w", err)
	}
	if n > 0 && strings.HasPrefix(in.RelayState, AttemptPrefix+"_") { // it echoes ours, so it was asked
		return maxRestarts, nil
	}
	return n, nil
}

// unknown is about a response to a request that is not known at this connection.
func (a *arrival) unknown(ctx context.Context, assertion *saml.Assertion, in SAMLArrival) error {
	if a.c.Options.RestartUnknown {
		return a.unasked(ctx, assertion, in)
	}
	if f := a.closed(SignIn); f != nil {
		return a.refuse(f)
	}
	return a.refuse(deny(InResponseToUnknown, "the id of a request of this connection", assertion.InResponseTo,
		"The response answers a request that was not made through this connection."))
}

// hintOf is what the provider may fill in when it is asked again.
func hintOf(assertion *saml.Assertion) string {
	if email, _, reason := parseEmail(assertion.Subject.Value); reason == "" {
		return email
	}
	return ""
}

// certificate is the one that verified.
func (a *arrival) certificate(assertion *saml.Assertion) *Certificate {
	fingerprint := hex.EncodeToString(assertion.Certificate[:])
	for i := range a.c.Certificates {
		if a.c.Certificates[i].Fingerprint == fingerprint {
			return &a.c.Certificates[i]
		}
	}
	return nil
}

func (a *arrival) warnings(assertion *saml.Assertion, used *Certificate) (out []string) {
	if assertion.Expired {
		out = append(out, "The identity provider signs with a certificate that is past its end. Renew it there and add the new one here.")
	}
	if assertion.SHA1 {
		out = append(out, "The identity provider signs with SHA-1, which the connection allows until a date. Choose SHA-256 there.")
	}
	if used != nil && !used.MissingSince.IsZero() {
		out = append(out, "The identity provider signs with a certificate that its metadata does not name any more.")
	}
	return out
}

// messageChecks are about the response itself; it has passed them all.
func (a *arrival) messageChecks(attempt *Attempt, assertion *saml.Assertion, used *Certificate) []Check {
	signature, certificate := "a signature that holds", ""
	if assertion.SHA1 {
		signature = "a signature with SHA-1 that holds, allowed until a date"
	}
	if used != nil {
		certificate = used.Fingerprint + ", until " + org.Time(used.NotAfter)
	}
	return []Check{
		passed("signature", "a signature that holds", signature),
		passed("certificate", "a certificate of the connection", certificate),
		passed("issuer", a.c.IDPEntityID, assertion.Issuer),
		passed("audience", strings.Join(a.c.audiences(a.bases), " or "), "as wanted"),
		passed("recipient", a.c.Addresses(a.bases[0]).ACS, "as wanted"),
		passed("times", "now, give or take "+a.c.Options.skew().String(), "usable until "+org.Time(assertion.UsableUntil)),
		passed("in_response_to", "the request of this attempt", string(attempt.ID)),
	}
}
