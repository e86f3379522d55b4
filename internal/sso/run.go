package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/token"
)

// When the background work is done.
const (
	refreshEvery   = 24 * time.Hour   // metadata and discovery
	refreshRetry   = time.Hour        // after a failure
	demandEvery    = 10 * time.Minute // metadata, because of a certificate that is not known
	keysEvery      = time.Minute      // keys, because of one that is not known
	sweepEvery     = 30 * time.Second
	watchEvery     = time.Hour
	keepRaw        = 7 * 24 * time.Hour
	keepAttempts   = 90 * 24 * time.Hour
	sweepBatch     = 200
	sweepRounds    = 50
	dueBatch       = 20
	endingBatch    = 100
	firstAnnounced = 60 * 24 * time.Hour
)

// announcements are the days before the end of the last certificate on which it is told.
func announcements() []int64 { return []int64{1, 7, 14, 30, 60} }

// daysLeft counts begun days.
func daysLeft(left time.Duration) int { return int((left + 24*time.Hour - 1) / (24 * time.Hour)) }

// Run does the background work until ctx ends: metadata, certificates, attempts that came to nothing.
func (s *Service) Run(ctx context.Context) {
	defer s.clients.close()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var watched time.Time
	for {
		s.attend(ctx, "sign-in attempts", s.Sweep)
		s.attend(ctx, "metadata", s.RefreshDue)
		if now := s.c.Now(); now.Sub(watched) >= watchEvery {
			watched = now
			s.attend(ctx, "certificates", s.WatchCertificates)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Service) attend(ctx context.Context, work string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		s.c.Logger.Error("background work failed and will be tried again", "work", work, "cause", err)
	}
}

// Sweep ends attempts that are over, and deletes and blanks what has been kept for long enough.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.moment()
	for range sweepRounds {
		late, err := attempts(ctx, s.c.DB, selectLate, now.UnixMicro(), int64(sweepBatch))
		if err != nil {
			return err
		}
		for _, a := range late {
			if err := s.timeOut(ctx, a, now, "The person did not come back from the identity provider within ten minutes."); err != nil {
				return err
			}
		}
		if len(late) < sweepBatch {
			break
		}
	}
	var w db.Write
	w.Exec(blankRaw, now.Add(-keepRaw).UnixMicro())
	w.Exec(deleteUsed, now.UnixMicro())
	w.Exec(deleteAttempts, token.Before(AttemptPrefix, now.Add(-keepAttempts)), int64(sweepBatch*sweepRounds))
	if err := s.c.DB.Write(ctx, &w); err != nil {
		return fmt.Errorf("clean up sign-in attempts: %w", err)
	}
	return nil
}

// timeOut ends one attempt. Another process may have done it: then the guard is lost and nothing is told twice.
func (s *Service) timeOut(ctx context.Context, a Attempt, now time.Time, why string) error {
	a.State, a.FinishedAt = TimedOut, now
	a.Refused = refusedOf(deny(TimedOutCode, "an answer within ten minutes", "none", "%s", why), "")
	w := db.Write{Lane: a.OrganizationID}
	w.Guard(timeOut, a.OrganizationID, string(a.ConnectionID), string(a.ID), string(TimedOutCode), encode(a.Refused), now.UnixMicro())
	if a.Kind == SignIn {
		s.c.Events.Append(&w, now, event.Entry{OrganizationID: a.OrganizationID, Type: event.SSOTimedOut, Context: systemContext(), Data: a.told("timed_out")})
	}
	if err := s.c.DB.Write(ctx, &w); err != nil && !lost(err) {
		return fmt.Errorf("end attempt %s: %w", a.ID, err)
	}
	s.c.Events.Nudge()
	return nil
}

// RefreshDue reads the metadata and discovery documents whose day has come.
func (s *Service) RefreshDue(ctx context.Context) error {
	now := s.moment()
	due, err := connections(ctx, s.c.DB, selectDue, now.UnixMicro(), int64(dueBatch))
	if err != nil {
		return err
	}
	var failed error
	for _, c := range due {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		mine, err := s.claim(ctx, claimDue, c, now, c.metadataDue, now.Add(refreshEvery).UnixMicro())
		if err != nil {
			return err
		}
		if !mine { // read a moment ago because of a sign-in, or by another process
			continue
		}
		if _, _, err := s.refresh(ctx, systemActor(), c); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func systemActor() event.Actor {
	name := "Rollcall"
	return event.Actor{ID: "rollcall", Source: event.System, Name: &name}
}

// claim makes this process the one that asks a provider now, unless it was asked after a moment.
func (s *Service) claim(ctx context.Context, text string, c Connection, now, before time.Time, more ...any) (bool, error) {
	var w db.Write
	w.Guard(text, append([]any{c.OrganizationID, string(c.ID), now.UnixMicro(), before.UnixMicro()}, more...)...)
	err := s.c.DB.Write(ctx, &w)
	if lost := (*db.GuardError)(nil); errors.As(err, &lost) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("claim connection %s: %w", c.ID, err)
	}
	return true, nil
}

// refreshOnDemand reads the metadata because of a certificate that is not known, at most every ten minutes, and says whether there is
// anything new. That the provider cannot be asked is noted at the connection and is not the sign-in's fault.
func (s *Service) refreshOnDemand(ctx context.Context, c Connection) (Connection, bool, error) {
	now := s.moment()
	mine, err := s.claim(ctx, claimMetadata, c, now, now.Add(-demandEvery), now.Add(refreshEvery).UnixMicro())
	if err != nil || !mine {
		return c, false, err
	}
	fresh, changed, err := s.refresh(ctx, systemActor(), c)
	if err != nil {
		s.c.Logger.Warn("the metadata of a connection could not be read", "connection", string(c.ID), "cause", err)
		return c, false, nil
	}
	return fresh, changed, nil
}

// RefreshMetadata reads a connection's metadata or discovery document now.
func (s *Service) RefreshMetadata(ctx context.Context, actor event.Actor, id ID) (Connection, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return Connection{}, err
	}
	if c.Protocol == SAML && c.MetadataURL == "" {
		return Connection{}, fault.New(fault.Conflict, "no_metadata_url", "Connection %s has no metadata_url to read again.", id)
	}
	if c.Protocol == OIDC && c.Issuer == "" {
		return Connection{}, fault.New(fault.Conflict, "no_issuer", "Connection %s has no issuer to read again.", id)
	}
	now := s.moment()
	if _, err := s.claim(ctx, claimMetadata, c, now, now, now.Add(refreshEvery).UnixMicro()); err != nil {
		return Connection{}, err
	}
	if _, _, err := s.refresh(ctx, actor, c); err != nil {
		if f, ok := fault.As(err); ok && f.Kind == fault.Unavailable { // it is the provider that is not there, not we
			return Connection{}, fault.New(fault.Unprocessable, f.Code, "%s", f.Message).On("metadata_url").Because(err)
		}
		return Connection{}, err
	}
	return s.Get(ctx, id)
}

// refresh reads what a provider says about itself and takes it over, or holds it. What fails is noted.
func (s *Service) refresh(ctx context.Context, actor event.Actor, c Connection) (Connection, bool, error) {
	var fresh Connection
	var changed bool
	var err error
	if c.Protocol == OIDC {
		fresh, changed, err = s.refreshDiscovery(ctx, actor, c)
	} else {
		fresh, changed, err = s.refreshSAML(ctx, actor, c)
	}
	if err != nil && ctx.Err() == nil {
		return c, false, errors.Join(err, s.noteFault(ctx, c, err))
	}
	return fresh, changed, err
}

func (s *Service) noteFault(ctx context.Context, c Connection, err error) error {
	var w db.Write
	w.Exec(storeFetchFault, c.OrganizationID, string(c.ID), metadataFault(err), s.moment().Add(refreshRetry).UnixMicro())
	return s.c.DB.Write(ctx, &w)
}

func (s *Service) refreshSAML(ctx context.Context, actor event.Actor, c Connection) (Connection, bool, error) {
	doc, err := s.fetch(ctx, c.MetadataURL, "application/samlmetadata+xml, application/xml;q=0.9, */*;q=0.1", c.metadataETag, maxMetadata)
	if err != nil {
		return c, false, err
	}
	now := s.moment()
	if doc.unchanged || string(doc.body) == c.metadata && !slices.ContainsFunc(c.Certificates, func(one Certificate) bool { return one.forgotten(now) }) {
		var w db.Write
		w.Exec(storeFetched, c.OrganizationID, string(c.ID), db.TextOrNull(c.metadataETag))
		return c, false, s.c.DB.Write(ctx, &w)
	}
	r, err := readMetadata(doc.body, "", now)
	if several := (*fault.Error)(nil); err != nil && errors.As(err, &several) && c.IDPEntityID != "" {
		r, err = readMetadata(doc.body, c.IDPEntityID, now)
	}
	if err != nil {
		return c, false, err
	}
	r.etag = doc.etag
	taken := false
	fresh, err := s.rewrite(ctx, actor, c, func(after *Connection, now time.Time) error {
		if after.MetadataURL != c.MetadataURL { // another address since: this is not its document
			after.UpdatedAt = c.UpdatedAt
			return nil
		}
		taken = after.apply(r, secure(c.MetadataURL), false, now)
		return after.settle(nil)
	})
	return fresh, taken, err
}

func (s *Service) refreshDiscovery(ctx context.Context, actor event.Actor, c Connection) (Connection, bool, error) {
	got, err := s.discover(ctx, c.Issuer)
	if err != nil {
		return c, false, err
	}
	if got.discovery == c.discovery && got.keys == c.jwks {
		var w db.Write
		w.Exec(storeFetched, c.OrganizationID, string(c.ID), nil)
		return c, false, s.c.DB.Write(ctx, &w)
	}
	fresh, err := s.rewrite(ctx, actor, c, func(after *Connection, now time.Time) error {
		if after.Issuer == c.Issuer {
			after.discovery, after.jwks, after.jwksAt, after.MetadataError = got.discovery, got.keys, now, ""
		}
		return after.settle(nil)
	})
	return fresh, err == nil, err
}

// refreshKeys reads the provider's keys because of one that is not known, at most once a minute for all processes together; "" when it was not asked.
func (s *Service) refreshKeys(ctx context.Context, c Connection, d oidc.Discovery) (string, error) {
	now := s.moment()
	mine, err := s.claim(ctx, claimKeys, c, now, now.Add(-keysEvery))
	if err != nil || !mine {
		return "", err
	}
	keys, err := s.fetchKeys(ctx, d)
	if err != nil {
		return "", err
	}
	var w db.Write
	w.Exec(storeKeys, c.OrganizationID, string(c.ID), keys)
	return keys, s.c.DB.Write(ctx, &w)
}

// WatchCertificates tells of last certificates that come to their end.
func (s *Service) WatchCertificates(ctx context.Context) error {
	now := s.moment()
	for after := ""; ; {
		found, err := connections(ctx, s.c.DB, selectEnding, now.Add(firstAnnounced).UnixMicro(), after, int64(endingBatch))
		if err != nil {
			return err
		}
		for _, c := range found {
			if err := s.announce(ctx, c, now); err != nil {
				return err
			}
			after = string(c.ID)
		}
		if len(found) < endingBatch {
			return nil
		}
	}
}

// announce tells once for each of the days, whatever processes there are.
func (s *Service) announce(ctx context.Context, c Connection, now time.Time) error {
	last, ok := c.last()
	if !ok {
		return nil
	}
	left := int64(daysLeft(last.NotAfter.Sub(now)))
	at := slices.IndexFunc(announcements(), func(days int64) bool { return left <= days })
	if at < 0 || last.announced >= 0 && last.announced <= announcements()[at] {
		return nil
	}
	w := db.Write{Lane: c.OrganizationID}
	w.Guard(announce, c.OrganizationID, string(c.ID), last.Fingerprint, announcements()[at])
	s.c.Events.Append(&w, now, event.Entry{
		OrganizationID: c.OrganizationID, Type: event.ConnectionCertificateEnding, Context: systemContext(), Data: endingPayload(c, last, now),
	})
	if err := s.c.DB.Write(ctx, &w); err != nil && !lost(err) {
		return fmt.Errorf("announce the end of a certificate of %s: %w", c.ID, err)
	}
	s.c.Events.Nudge()
	return nil
}

// Warnings are what works today and has to be mended.
func (c Connection) Warnings(now time.Time) (out []string) {
	if last, ok := c.last(); ok && c.Protocol == SAML {
		switch left := last.NotAfter.Sub(now); {
		case left <= 0:
			out = append(out, "The last signing certificate ended on "+last.NotAfter.Format(time.DateOnly)+". Sign-ins go on; renew it at the identity provider.")
		case left <= firstAnnounced:
			out = append(out, fmt.Sprintf("The last signing certificate ends in %d days. Renew it at the identity provider.", daysLeft(left)))
		}
	}
	if until := c.Options.AllowSHA1Until; until != nil && now.Before(*until) {
		out = append(out, "SHA-1 signatures are allowed until "+until.UTC().Format(time.DateOnly)+".")
	}
	if c.Options.AllowCBC {
		out = append(out, "Encryption by AES-CBC is allowed, which does not protect what it hides from change.")
	}
	if c.Options.AllowUnverifiedEmail {
		out = append(out, "Addresses are taken that the identity provider calls not verified.")
	}
	if c.Pending != nil {
		out = append(out, "The metadata has changed ("+strings.Join(c.Pending.Reasons, ", ")+") and waits for approval.")
	}
	if c.MetadataError != "" {
		out = append(out, "The last reading of the provider's documents failed: "+c.MetadataError)
	}
	return out
}
