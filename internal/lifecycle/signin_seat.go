package lifecycle

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/session"
)

// seat gives a person who has just signed in their session, and the events of it. What happens to the sessions of the browser:
//
//	of another person                                 they end, for the cookie that led to them is about to be replaced
//	of the same, at this organization, by this way    goes on under the new cookie: applications that learned of it notice nothing
//	of the same, at this organization, another way    ends: what one connection vouched for must not outlive it under another
//	of the same, at another organization              stays, and ends with the others when the person signs out
//
// fresh: the write has ended all that the person had before.
func (s *SignIns) seat(ctx context.Context, w *db.Write, v Visitor, n session.New, fresh bool) (session.Session, []event.Entry, error) {
	present, err := s.o.Sessions.InBrowser(ctx, v.Cookie, v.Browser)
	if err != nil {
		return session.Session{}, nil, err
	}
	return s.seatAmong(ctx, w, v, present, n, fresh)
}

// seatAmong is seat where the sessions of the browser were read before.
func (s *SignIns) seatAmong(
	ctx context.Context, w *db.Write, v Visitor, present []session.Session, n session.New, fresh bool,
) (session.Session, []event.Entry, error) {
	n.Browser, n.IP, n.UserAgent = v.Browser, v.IP, v.UserAgent
	if n.Life == (session.Life{}) {
		n.Life = s.o.Life
	}
	var goesOn *session.Session
	for i, one := range present {
		var err error
		switch {
		case one.UserID != n.UserID:
			err = s.displace(ctx, w, one.ID, n.UserID)
		case fresh || one.OrganizationID != n.OrganizationID:
		case goesOn == nil && n.Continues(one, s.time()):
			goesOn = &present[i]
		default:
			err = s.displace(ctx, w, one.ID, n.UserID)
		}
		if err != nil {
			return session.Session{}, nil, err
		}
	}
	if goesOn != nil {
		return s.o.Sessions.ContinueInto(w, *goesOn, n), nil, nil
	}
	made, opened := s.o.Sessions.OpenInto(w, n)
	return made, []event.Entry{opened}, nil
}

// displace ends a session in whose place another comes.
func (s *SignIns) displace(ctx context.Context, w *db.Write, id, by string) error {
	_, err := s.o.Sessions.EndInto(ctx, s.o.DB, w, session.Selection{SessionID: id}, session.Ending{Reason: session.SignedInAgain, Context: cause(by)})
	return err
}
