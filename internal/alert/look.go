package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// patient is all that one look goes by.
type patient struct {
	now  time.Time
	open map[Kind]map[string]Alert // by subject
}

// Look asks after everything that can be wrong, and opens, tells and closes alerts by what it finds. What fails in one look does not keep the
// others from being done.
func (s *Service) Look(ctx context.Context) error {
	found, err := s.alerts(ctx, selectOpen+inOrder)
	if err != nil {
		return err
	}
	p := patient{now: s.time(), open: map[Kind]map[string]Alert{}}
	for _, k := range Kinds() {
		p.open[k] = map[string]Alert{}
	}
	for _, a := range found {
		if p.open[a.Kind] != nil { // a kind of a later release is none of ours
			p.open[a.Kind][a.Subject] = a
		}
	}
	var failed error
	for _, look := range []func(context.Context, patient) (map[Kind][]sign, error){s.lookAtDirectories, s.lookAtWebhooks, s.lookAtCertificates, s.lookAtSecrets, s.lookAtLicences} {
		signs, err := look(ctx, p)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		for kind, all := range signs {
			failed = errors.Join(failed, s.settle(ctx, p, kind, all))
		}
	}
	return failed
}

// settle makes the alerts of one kind what the signs say. signs are of every subject that there is, ill or not: an alert whose subject has none
// is of something that is gone.
func (s *Service) settle(ctx context.Context, p patient, kind Kind, signs []sign) (failed error) {
	there := map[string]bool{}
	for _, one := range signs {
		there[one.subject] = true
		have, open := p.open[kind][one.subject]
		failed = errors.Join(failed, s.heed(ctx, p.now, kind, one, have, open))
	}
	for subject, a := range p.open[kind] {
		if !there[subject] {
			failed = errors.Join(failed, s.close(ctx, a, p.now, false))
		}
	}
	return failed
}

func (s *Service) heed(ctx context.Context, now time.Time, kind Kind, one sign, have Alert, open bool) error {
	switch one.state {
	case ill:
		return s.worry(ctx, now, kind, one, have, open)
	case well:
		if open {
			return s.close(ctx, have, now, true)
		}
	case lost:
		if open {
			return s.close(ctx, have, now, false)
		}
	case unsure:
	}
	return nil
}

// worry opens the alert of a sign, or notes that it is still there, and tells of it when it is time.
func (s *Service) worry(ctx context.Context, now time.Time, kind Kind, one sign, have Alert, open bool) error {
	a := Alert{
		ID: have.ID, OrganizationID: one.organization, Kind: kind, Subject: one.subject, Name: one.name, Stage: one.stage, Facts: one.facts, Since: one.since,
		OpenedAt: have.OpenedAt, SeenAt: have.SeenAt, ToldAt: have.ToldAt, toldStage: have.toldStage,
	}
	var w db.Write
	switch {
	case !open:
		w.Exec(openAlert, s.o.IDs.NewID(Prefix), a.OrganizationID, string(kind), a.Subject, a.Name, a.Stage, a.Facts.text(), a.Since.UnixMicro(), now.UnixMicro())
		if err := s.db.Write(ctx, &w); err != nil {
			return fmt.Errorf("open an alert about %s: %w", a.Subject, err)
		}
		return s.tellNew(ctx, now, a)
	case a.Stage != have.Stage || a.Name != have.Name || now.Sub(have.SeenAt) >= seenEvery:
		w.Exec(seeAlert, a.OrganizationID, a.ID, a.Name, a.Stage, a.Facts.text(), now.UnixMicro(), a.Since.UnixMicro())
		if err := s.db.Write(ctx, &w); err != nil {
			return fmt.Errorf("note alert %s: %w", a.ID, err)
		}
	}
	return s.tell(ctx, now, a)
}

// tellNew tells of what was opened just now, where its kind has no patience.
func (s *Service) tellNew(ctx context.Context, now time.Time, a Alert) error {
	if a.Kind.patience() > 0 && a.Stage == Wrong || a.Kind.untold() {
		return nil
	}
	found, err := s.alerts(ctx, selectOpen+ofSubject, a.OrganizationID, string(a.Kind), a.Subject)
	if err != nil || len(found) == 0 {
		return err
	}
	return s.tell(ctx, now, found[0])
}

// due says whether it is time to tell of an alert.
func (a Alert) due(now time.Time) bool {
	switch {
	case a.Kind.untold() || a.Stage <= a.toldStage:
		return false
	case a.Stage == Wrong && now.Sub(a.OpenedAt) < a.Kind.patience():
		return false
	}
	return a.ToldAt.IsZero() || now.Sub(a.ToldAt) >= againAfter
}
