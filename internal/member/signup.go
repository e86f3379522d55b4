package member

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// SignUpInto gives the account of an address that has just been proven by a code mailed to it, and makes it if there is none: at home
// nowhere, member of nothing. It counts as a sign-in. The user is as it will be; the write is guarded like that of AdmitInto, and
// repeated by the caller in the same way. What is no address is Unprocessable "invalid_email".
func (s *Service) SignUpInto(ctx context.Context, w *db.Write, email string, cause event.Context) (User, error) {
	if _, ok := EmailKey(email); !ok {
		return User{}, fault.New(fault.Unprocessable, "invalid_email", "%.80q is no email address.", email).On("email")
	}
	ad, err := s.signUp(ctx, email)
	if err != nil {
		return User{}, err
	}
	if err := s.userInto(ctx, w, ad); err != nil {
		return User{}, err
	}
	switch {
	case ad.userBefore == nil:
		s.events.Append(w, ad.User.LastSignInAt, userEntry(event.UserCreated, ad.User, cause.JSON()))
	case ad.proves:
		s.events.Append(w, ad.User.LastSignInAt, userEntry(event.UserUpdated, ad.User, cause.JSON()))
	}
	return ad.User, nil
}

func (s *Service) signUp(ctx context.Context, email string) (ad Admission, err error) {
	now := s.time()
	u, err := s.UserByEmail(ctx, email)
	if fault.Is(err, fault.NotFound) {
		ad.User = User{
			ID: UserID(s.ids.NewID(userPrefix)), Email: email, EmailVerified: true, LastSignInAt: now, Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		return ad, nil
	}
	if err != nil {
		return ad, err
	}
	before := u
	u.LastSignInAt = now
	if !u.EmailVerified {
		ad.proves, u.EmailVerified, u.Version, u.UpdatedAt = true, true, before.Version+1, now
	}
	ad.userBefore, ad.User = &before, u
	return ad, nil
}
