package alert

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// lookAtDirectories goes through the linked directories, page by page, and asks more of those that have been refused something.
func (s *Service) lookAtDirectories(ctx context.Context, p patient) (map[Kind][]sign, error) {
	rhythms, err := s.rhythms(ctx)
	if err != nil {
		return nil, err
	}
	out := map[Kind][]sign{WrongToken: nil, RefusedRequests: nil, MissedCycles: nil}
	for after := directory.ID(""); ; {
		page, err := s.o.Directories.Pulses(ctx, after, pulsesAPage)
		if err != nil {
			return nil, err
		}
		for _, one := range page {
			after = one.Directory
			found, err := s.lookAtDirectory(ctx, p, one, rhythms)
			if err != nil {
				return nil, err
			}
			for kind, sign := range found {
				sign.organization, sign.subject, sign.name = one.OrganizationID, string(one.Directory), one.Name
				out[kind] = append(out[kind], sign)
			}
		}
		if len(page) < pulsesAPage {
			return out, s.forgetStrayRhythms(ctx, rhythms, out[MissedCycles])
		}
	}
}

func (s *Service) lookAtDirectory(ctx context.Context, p patient, one directory.Pulse, rhythms map[directory.ID]rhythm) (map[Kind]sign, error) {
	token, err := s.tokenOf(ctx, p, one)
	if err != nil {
		return nil, err
	}
	refused, err := s.refusalsOf(ctx, p, one)
	if err != nil {
		return nil, err
	}
	silent, sendsInRounds, err := s.silenceOf(ctx, p, one, rhythms)
	if err != nil {
		return nil, err
	}
	out := map[Kind]sign{WrongToken: token, RefusedRequests: refused}
	if sendsInRounds {
		out[MissedCycles] = silent
	}
	return out, nil
}

// tokenOf: anybody who knows a directory's address can send wrong tokens to it. They count only where the provider had a good one within the last
// month, where the program is one that did, by its user agent, and where no good token has come since: while the provider gets in nobody is told
// anything, whatever strangers send.
func (s *Service) tokenOf(ctx context.Context, p patient, one directory.Pulse) (sign, error) {
	have, open := p.open[WrongToken][string(one.Directory)]
	switch {
	case open && one.Contact.After(have.Since):
		return sign{state: well}, nil
	case one.Contact.IsZero() || one.TurnedAway.IsZero() || !one.TurnedAway.Add(time.Millisecond).After(one.Contact):
		return sign{state: unsure}, nil
	case p.now.Sub(one.Contact) > knownWithin && !open:
		return sign{state: unsure}, nil
	case open && p.now.Sub(have.SeenAt) > forgotten:
		return sign{state: lost}, nil
	}
	found, err := s.o.Directories.WrongTokens(ctx, one.Directory, later(one.Contact, p.now.Add(-forgotten)))
	switch {
	case err != nil:
		return sign{}, err
	case found.Count < triedTimes:
		return sign{state: unsure}, nil
	}
	since := found.First
	if open {
		since = have.Since // of requests that are not kept any more, maybe
	}
	return sign{state: ill, stage: Wrong, facts: Facts{Count: found.Count}, since: since}, nil
}

// refusalsOf: who sends the same again and again means it. That it stops says that it was mended only where the provider still comes.
func (s *Service) refusalsOf(ctx context.Context, p patient, one directory.Pulse) (sign, error) {
	have, open := p.open[RefusedRequests][string(one.Directory)]
	from, times := p.now.Add(-refusedWithin), refusedTimes
	if open { // it takes more to be well than not to be ill: some repeat what was refused once a day only
		from, times = p.now.Add(-mendedAfter), stillTimes
	}
	if one.Failed.After(from) {
		found, err := s.o.Directories.RefusedAgain(ctx, one.Directory, from, times)
		if err != nil {
			return sign{}, err
		}
		if len(found) > 0 {
			worst := found[0]
			return sign{state: ill, stage: Wrong, since: worst.First, facts: Facts{
				Count: worst.Count, Method: worst.Method, Path: resource(worst.Path), Status: worst.Status, Exchange: string(worst.Exchange), Others: len(found) - 1,
			}}, nil
		}
	}
	switch {
	case !open:
		return sign{state: unsure}, nil
	case one.Contact.After(one.Failed.Add(time.Second)):
		return sign{state: well}, nil
	case p.now.Sub(have.SeenAt) > forgotten:
		return sign{state: lost}, nil
	}
	return sign{state: unsure}, nil
}

// silenceOf says too whether the provider sends in rounds; of one that sends what changes as it changes silence says nothing.
func (s *Service) silenceOf(ctx context.Context, p patient, one directory.Pulse, rhythms map[directory.ID]rhythm) (sign, bool, error) {
	provider, known := s.o.Catalog.Provider(idp.Slug(one.Provider))
	if !known || provider.RoundMinutes == 0 {
		return sign{}, false, nil
	}
	round := time.Duration(provider.RoundMinutes) * time.Minute
	have, open := p.open[MissedCycles][string(one.Directory)]
	if one.Contact.IsZero() {
		return sign{state: unsure}, true, nil
	}
	r, err := s.beat(ctx, p.now, one, rhythms[one.Directory], open)
	if err != nil {
		return sign{}, true, err
	}
	switch {
	case open && one.Contact.After(have.Since):
		return sign{state: well}, true, nil
	case p.now.Sub(one.Contact) < r.limit(p.now, round):
		return sign{state: unsure}, true, nil
	}
	return sign{state: ill, stage: Wrong, since: one.Contact, facts: Facts{Minutes: provider.RoundMinutes}}, true, nil
}

// lookAtWebhooks: an endpoint that the operator has switched off is as if it were gone.
func (s *Service) lookAtWebhooks(ctx context.Context, _ patient) (map[Kind][]sign, error) {
	all, err := s.o.Webhooks.Healths(ctx)
	if err != nil {
		return nil, err
	}
	var out []sign
	for _, h := range all {
		one := sign{state: well, subject: string(h.ID), name: h.URL}
		switch {
		case h.Status == webhook.Disabled && h.DisabledReason == webhook.ByOperator:
			continue
		case h.Status == webhook.Disabled:
			one.state, one.stage, one.since, one.facts.Gone = ill, Worse, h.DisabledAt, h.DisabledReason == webhook.ByGone
		case !h.FailingSince.IsZero():
			one.state, one.stage, one.since = ill, Wrong, h.FailingSince
		}
		out = append(out, one)
	}
	return map[Kind][]sign{WebhookFailing: out}, nil
}

func (s *Service) lookAtCertificates(ctx context.Context, p patient) (map[Kind][]sign, error) {
	ending, err := s.o.Connections.Ending(ctx, p.now.Add(EndingWithin), endingMost)
	if err != nil {
		return nil, err
	}
	signs, err := s.endings(ctx, p, CertificateEnding, ending, func(left time.Duration) int {
		if left > 0 {
			return Wrong
		}
		return Worse
	})
	return map[Kind][]sign{CertificateEnding: signs}, err
}

func (s *Service) lookAtSecrets(ctx context.Context, p patient) (map[Kind][]sign, error) {
	ending, err := s.o.Connections.EndingSecrets(ctx, p.now.Add(EndingWithin), endingMost)
	if err != nil {
		return nil, err
	}
	signs, err := s.endings(ctx, p, SecretEnding, ending, func(left time.Duration) int {
		switch {
		case left > endingSoon:
			return Wrong
		case left > 0:
			return Worse
		}
		return Worst
	})
	return map[Kind][]sign{SecretEnding: signs}, err
}

// endings makes signs of what comes to its end. An alert of a connection that is there and not among them is well: what was to end was renewed.
func (s *Service) endings(ctx context.Context, p patient, kind Kind, ending []sso.Ending, stage func(left time.Duration) int) (out []sign, err error) {
	among := map[string]bool{}
	for _, e := range ending {
		id := string(e.Connection.ID)
		among[id] = true
		out = append(out, sign{state: ill, organization: e.Connection.OrganizationID, subject: id, name: e.Connection.Name, stage: stage(e.At.Sub(p.now)), since: e.At})
	}
	for subject := range p.open[kind] {
		if among[subject] {
			continue
		}
		_, err := s.o.Connections.Get(ctx, sso.ID(subject))
		switch {
		case absent(err):
		case err != nil:
			return nil, err
		case len(ending) < endingMost:
			out = append(out, sign{state: well, subject: subject})
		default:
			out = append(out, sign{state: unsure, subject: subject}) // there are more than were asked for
		}
	}
	return out, nil
}

// lookAtLicences: an alert of a licence type that is there, and for which nobody waits, is well.
func (s *Service) lookAtLicences(ctx context.Context, p patient) (map[Kind][]sign, error) {
	full, err := s.o.Members.Awaited(ctx)
	if err != nil {
		return nil, err
	}
	var out []sign
	among := map[string]bool{}
	for _, f := range full {
		among[f.LicenceTypeID] = true
		one := sign{
			state: ill, organization: f.OrganizationID, subject: f.LicenceTypeID, name: f.Name, stage: Wrong, since: f.Since,
			facts: Facts{Count: f.People, Licence: f.Slug, Seats: f.Seats},
		}
		if f.OverLimit == access.Refuse {
			one.stage = Worse
		}
		out = append(out, one)
	}
	for subject, a := range p.open[LicenceFull] {
		if among[subject] {
			continue
		}
		have, err := s.o.Members.Access().Licences(ctx, a.OrganizationID)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(have, func(u access.Use) bool { return string(u.Type.ID) == subject }) {
			out = append(out, sign{state: well, subject: subject})
		}
	}
	return map[Kind][]sign{LicenceFull: out}, nil
}

// resource is the first part of a path: the rest is an id, or whatever a provider takes for one, which may name somebody.
func resource(path string) string {
	first, rest, more := strings.Cut(strings.TrimLeft(path, "/"), "/")
	if !more || rest == "" {
		return "/" + first
	}
	return "/" + first + "/…"
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
