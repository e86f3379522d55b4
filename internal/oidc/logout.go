package oidc

import (
	"context"
	"errors"
	"time"
)

// LogoutExpectation is what a logout token has to say.
type LogoutExpectation struct {
	Issuer     string
	ClientID   string
	Algorithms []Algorithm
	Now        time.Time
	Skew       time.Duration // as in IDTokenExpectation
}

// LogoutToken is a verified back-channel logout token. Of Subject and SID one may be "".
type LogoutToken struct {
	ID               string // jti: accept each once
	Subject, SID     string
	IssuedAt, Expiry time.Time
}

// longestLogoutLife bounds how long the ids of logout tokens have to be remembered.
const longestLogoutLife = 15 * time.Minute

// VerifyLogoutToken checks a logout token of an identity provider (OpenID Connect Back-Channel Logout 1.0, section 2.6). It has to be used
// once: the caller remembers ID until Expiry. Refusals as with VerifyIDToken.
func VerifyLogoutToken(ctx context.Context, raw string, keys KeySet, e LogoutExpectation) (LogoutToken, error) {
	if e.Issuer == "" || e.ClientID == "" || len(e.Algorithms) == 0 {
		return LogoutToken{}, errors.New("verify logout token: issuer, client id and algorithms are needed")
	}
	v := verification{keys: keys, issuer: e.Issuer, clientID: e.ClientID, algorithms: e.Algorithms, now: e.Now, skew: clampSkew(e.Skew), what: "logout token"}
	if err := v.gate(raw, TypeLogoutToken); err != nil {
		return LogoutToken{}, err
	}
	_, upstreamErr := v.verifier().VerifyLogout(ctx, raw)
	claims, err := v.claims(upstreamErr)
	if err != nil {
		return LogoutToken{}, err
	}
	t, err := v.logoutToken(claims)
	if err != nil {
		return LogoutToken{}, err
	}
	if upstreamErr != nil {
		return LogoutToken{}, refuse(CodeTokenError, "The logout token was refused.").Because(upstreamErr)
	}
	return t, nil
}

func (v *verification) logoutToken(claims map[string]any) (LogoutToken, error) {
	c := &reader{claims: claims}
	t := LogoutToken{ID: c.text("jti"), Subject: c.text("sub"), SID: c.text("sid"), IssuedAt: c.time("iat"), Expiry: c.time("exp")}
	if err := v.common(c, c.text("iss"), c.audience(), t.IssuedAt, t.Expiry); err != nil {
		return LogoutToken{}, err
	}
	events, _ := claims["events"].(map[string]any)
	_, isObject := events[backChannelEvent].(map[string]any)
	switch {
	case !isObject:
		return LogoutToken{}, refuse(CodeTokenError, "The token does not tell of a logout.").On("events").Compared(backChannelEvent, "no such event")
	case c.has("nonce"):
		return LogoutToken{}, refuse(CodeTokenError, "A token with a nonce is an ID token and not a logout token.").On("nonce")
	case t.ID == "":
		return LogoutToken{}, refuse(CodeMissingAttribute, "The logout token has no id.").On("jti")
	case t.Subject == "" && t.SID == "":
		return LogoutToken{}, refuse(CodeMissingAttribute, "The logout token names neither a person nor a session.").On("sub")
	case t.Expiry.Sub(t.IssuedAt) > longestLogoutLife:
		return LogoutToken{}, refuse(CodeTokenError, "The logout token counts for too long.").On("exp").Compared("at most "+longestLogoutLife.String(), t.Expiry.Sub(t.IssuedAt).String())
	}
	return t, nil
}
