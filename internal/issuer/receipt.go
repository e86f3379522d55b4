package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

// SignReceipt signs the claims of a receipt in compact form. Whoever has the key set (JWKS) can check it without us.
func (s *Service) SignReceipt(ctx context.Context, claims jsontext.Value) (string, error) {
	key, err := s.signer(ctx, oidc.ES256)
	if err != nil {
		return "", err
	}
	return oidc.Sign(key, oidc.TypeReceipt, claims)
}

// Ended is a session that has ended, and the event that tells so.
type Ended struct{ SessionID, EventID string }

// Logouts gives what became of telling the applications of these sessions, and whether some are still to be told that have no delivery yet.
func (s *Service) Logouts(ctx context.Context, ended []Ended) (found []Delivery, waiting bool, err error) {
	if len(ended) == 0 {
		return nil, false, nil
	}
	marks, args := make([]string, len(ended)), make([]any, len(ended))
	for i, e := range ended {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), e.SessionID
	}
	found, err = s.deliveries(ctx, selectDelivery+"session_id IN ("+strings.Join(marks, ",")+") ORDER BY id", args...)
	if err != nil {
		return nil, false, err
	}
	var cursor string
	if err := s.db.QueryRow(ctx, selectCursor).Scan(&cursor); err != nil {
		return nil, false, fmt.Errorf("read the logout cursor: %w", err)
	}
	for _, e := range ended {
		if slices.ContainsFunc(found, func(d Delivery) bool { return d.SessionID == e.SessionID }) {
			continue // all of a session's are made at once
		}
		reached, err := s.o.Events.Reached(ctx, cursor, e.EventID)
		if err != nil {
			return nil, false, err
		}
		if reached {
			continue
		}
		whom, err := s.toTell(ctx, e.SessionID)
		if err != nil {
			return nil, false, err
		}
		waiting = waiting || len(whom) > 0
	}
	return found, waiting, nil
}

// Gap is for how long, at worst, an application may let somebody go on whose access has ended, by each of the ways in which it may learn of it.
type Gap struct {
	Application Application
	// Of the last logouts that were delivered, from the end of the session to the application's answer.
	Measured           int
	Median, P95, Worst time.Duration
	Failed, Pending    int // of the last logouts: not delivered
	// When the application last asked whether a token still counts, to the minute; zero: never. Who asks each time has no gap.
	IntrospectedAt time.Time
	// TokenLife is how long an access token counts for an application that asks nobody.
	TokenLife time.Duration
}

const gapMeasures = 1000

// Gap measures an application.
func (s *Service) Gap(ctx context.Context, applicationID string) (Gap, error) {
	a, err := s.Get(ctx, applicationID)
	if err != nil {
		return Gap{}, err
	}
	last, err := s.deliveries(ctx, selectDelivery+fmt.Sprintf("application_id = $1 ORDER BY id DESC LIMIT %d", gapMeasures), applicationID)
	if err != nil {
		return Gap{}, err
	}
	g := Gap{Application: a, TokenLife: accessLife}
	var took []time.Duration
	for _, d := range last {
		switch d.State {
		case Delivered:
			took = append(took, d.FinishedAt.Sub(d.EndedAt))
		case Failed:
			g.Failed++
		case Pending:
			g.Pending++
		}
	}
	if slices.Sort(took); len(took) > 0 {
		g.Measured, g.Median, g.P95, g.Worst = len(took), rank(took, 50), rank(took, 95), took[len(took)-1]
	}
	var asked *int64
	err = s.db.QueryRow(ctx, selectIntrospected, applicationID).Scan(&asked)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return Gap{}, fmt.Errorf("read when application %s asked: %w", applicationID, err)
	}
	g.IntrospectedAt = db.TimeOrZero(asked)
	return g, nil
}

// rank is the nearest-rank percentile of sorted values, of which there is one at least.
func rank(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

// AsksEachTime says whether the application has asked about tokens within a day.
func (g Gap) AsksEachTime(now time.Time) bool {
	return !g.IntrospectedAt.IsZero() && now.Sub(g.IntrospectedAt) < 24*time.Hour
}

// The ways in which an application learns that somebody's access has ended.
const (
	ByAccessToken       = "access_token"
	ByBackChannelLogout = "back_channel_logout"
)

// TrueWorst is the worst true gap and what it comes from: the life of a token, unless logouts arrive sooner and all of them have. That tokens are
// asked about shows good will, and does not prove that each is.
func (g Gap) TrueWorst() (worst time.Duration, by string) {
	if g.Measured > 0 && g.Application.LogoutURI != "" && g.Failed == 0 && g.Pending == 0 && g.Worst < g.TokenLife {
		return g.Worst, ByBackChannelLogout
	}
	return g.TokenLife, ByAccessToken
}

// noteIntrospection remembers, to the minute, that an application asks. That it fails is no reason not to answer.
func (s *Service) noteIntrospection(ctx context.Context, applicationID string) {
	now := s.time()
	if last, known := s.asked.Load(applicationID); known && now.Sub(last.(time.Time)) < time.Minute {
		return
	}
	s.asked.Store(applicationID, now)
	var w db.Write
	w.Exec(touchIntrospected, applicationID, now.Truncate(time.Minute).UnixMicro())
	if err := s.db.Write(ctx, &w); err != nil && ctx.Err() == nil {
		s.log.Warn("that an application asked about a token could not be noted", "application", applicationID, "error", err)
	}
}
