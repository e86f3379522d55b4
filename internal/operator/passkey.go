package operator

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Place is where passkeys are made and used: a host with a name, reached in a way that browsers call secure.
type Place struct {
	Host   string // what a passkey is bound to for ever (WebAuthn: RP ID)
	Origin string // the one that answers may come from
}

// PlaceOf gives the place that an address stands for; false where browsers make no passkeys: at an IP address, or without TLS elsewhere than on localhost.
func PlaceOf(base string) (Place, bool) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return Place{}, false
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return Place{}, false
	}
	if u.Scheme != "https" && (u.Scheme != "http" || host != "localhost") {
		return Place{}, false
	}
	return Place{Host: host, Origin: u.Scheme + "://" + u.Host}, true
}

// party speaks WebAuthn for a place. Every ceremony demands that the device verifies the person, and a passkey that is found without a name.
func (p Place) party() (*webauthn.WebAuthn, error) {
	timeout := webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyLife, TimeoutUVD: ceremonyLife}
	return webauthn.New(&webauthn.Config{
		RPID: p.Host, RPDisplayName: "Rollcall", RPOrigins: []string{p.Origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
	})
}

// holder is an operator as WebAuthn sees one. The id is known to the device; it says nothing about the person.
type holder struct {
	Operator

	credentials []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.ID) }
func (h holder) WebAuthnName() string                       { return h.Email }
func (h holder) WebAuthnDisplayName() string                { return h.Called() }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// Ceremony is what a browser is asked. Options are for navigator.credentials, as JSON; Key names the ceremony in the answer, which counts once and
// within five minutes.
type Ceremony struct {
	Key     token.Secret
	Options []byte
}

// maxPasskeys is how many an operator may have.
const maxPasskeys = 20

// refusedPasskey is the one refusal of passkeys: it tells nobody which part was wrong.
func refusedPasskey(cause error) error {
	return fault.New(fault.Forbidden, "passkey_refused", "This passkey could not be accepted. Try again, or sign in by a link.").Because(cause)
}

// BeginPasskey asks an operator's browser to make a passkey.
func (s *Service) BeginPasskey(ctx context.Context, id ID, at Place) (Ceremony, error) {
	h, err := s.holder(ctx, id, at)
	if err != nil {
		return Ceremony{}, err
	}
	party, err := at.party()
	if err != nil {
		return Ceremony{}, fmt.Errorf("passkeys of %s: %w", at.Host, err)
	}
	var known []protocol.CredentialDescriptor
	for _, c := range h.credentials {
		known = append(known, c.Descriptor())
	}
	options, session, err := party.BeginRegistration(h, webauthn.WithExclusions(known))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a passkey of operator %s: %w", id, err)
	}
	return s.ask(ctx, id, options, session)
}

// holder reads an operator with the passkeys that they have at a place.
func (s *Service) holder(ctx context.Context, id ID, at Place) (h holder, err error) {
	if h.Operator, err = s.Get(ctx, id); err != nil {
		return h, err
	}
	rows, err := s.o.DB.Query(ctx, credentialsOf, string(id), at.Host)
	if err != nil {
		return h, fmt.Errorf("read the passkeys of operator %s: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return h, fmt.Errorf("read the passkeys of operator %s: %w", id, err)
		}
		var c webauthn.Credential
		if err := json.Unmarshal(text, &c); err != nil {
			return h, fmt.Errorf("read a passkey of operator %s: %w", id, err)
		}
		h.credentials = append(h.credentials, c)
	}
	return h, rows.Err()
}

// ask stores what a browser is asked. id is "" where nobody knows yet who it is.
func (s *Service) ask(ctx context.Context, id ID, options any, session *webauthn.SessionData) (Ceremony, error) {
	c := Ceremony{Key: token.NewSecret(ceremonyPrefix)}
	var err error
	if c.Options, err = json.Marshal(options); err != nil {
		return c, fmt.Errorf("write the options of a passkey: %w", err)
	}
	stored, err := json.Marshal(session)
	if err != nil {
		return c, fmt.Errorf("write the challenge of a passkey: %w", err)
	}
	var w db.Write
	w.Exec(insertCeremony, string(token.HashOf(c.Key)), string(id), string(stored), s.now().Add(ceremonyLife).UnixMicro())
	if err := s.o.DB.Write(ctx, &w); err != nil {
		return c, fmt.Errorf("store the challenge of a passkey: %w", err)
	}
	return c, nil
}

// answered takes a ceremony off the list, for good: whatever becomes of the answer, the challenge does not serve again. That is why it is a
// transaction of its own.
func (s *Service) answered(ctx context.Context, id ID, key token.Secret) (session webauthn.SessionData, err error) {
	var text []byte
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		hash := string(token.HashOf(key))
		err := tx.QueryRow(ctx, selectCeremony, hash, string(id), s.now().UnixMicro()).Scan(&text)
		if errors.Is(err, db.ErrNoRows) {
			return refusedPasskey(errors.New("no such challenge, or it has expired"))
		}
		if err != nil {
			return err
		}
		gone, err := tx.Exec(ctx, deleteCeremony, hash)
		if err == nil && gone != 1 {
			err = refusedPasskey(errors.New("the challenge was answered at the same time"))
		}
		return err
	})
	if err != nil {
		return session, fmt.Errorf("take the challenge of a passkey: %w", err)
	}
	if err := json.Unmarshal(text, &session); err != nil {
		return session, fmt.Errorf("read the challenge of a passkey: %w", err)
	}
	return session, nil
}

// KeepPasskey checks what a browser made and keeps it. response is the JSON of the PublicKeyCredential. It refuses with "passkey_refused", and more
// than 20 with "too_many".
func (s *Service) KeepPasskey(ctx context.Context, id ID, at Place, key token.Secret, response []byte, name string) (Passkey, error) {
	name, err := readName(name)
	if err != nil {
		return Passkey{}, err
	}
	session, err := s.answered(ctx, id, key)
	if err != nil {
		return Passkey{}, err
	}
	h, err := s.holder(ctx, id, at)
	if err != nil {
		return Passkey{}, err
	}
	made, err := at.made(h, session, response)
	if err != nil {
		return Passkey{}, err
	}
	p := Passkey{ID: s.o.IDs.NewID(passkeyPrefix), OperatorID: id, Host: at.Host, Name: name, CreatedAt: s.now()}
	if err := s.keep(ctx, p, made); err != nil {
		return Passkey{}, fmt.Errorf("keep a passkey of operator %s: %w", id, err)
	}
	return p, nil
}

func (p Place) made(h holder, session webauthn.SessionData, response []byte) (*webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, refusedPasskey(err)
	}
	party, err := p.party()
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", p.Host, err)
	}
	made, err := party.CreateCredential(h, session, parsed)
	if err != nil {
		return nil, refusedPasskey(err)
	}
	if !made.Flags.UserVerified {
		return nil, refusedPasskey(errors.New("the device did not verify the person"))
	}
	return made, nil
}

func (s *Service) keep(ctx context.Context, p Passkey, made *webauthn.Credential) error {
	text, err := json.Marshal(made)
	if err != nil {
		return err
	}
	return s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := hold(ctx, tx); err != nil { // so that it is not kept for somebody who is being removed
			return err
		}
		o, err := get(ctx, tx, p.OperatorID)
		if err != nil {
			return err
		}
		if o.Passkeys >= maxPasskeys {
			return fault.New(fault.Unprocessable, "too_many", "You have %d passkeys already. Delete one that you do not use.", maxPasskeys)
		}
		_, err = tx.Exec(ctx, insertPasskey, p.ID, string(p.OperatorID), p.Host, credentialID(made.ID), string(text), p.Name, p.CreatedAt.UnixMicro())
		var taken *db.UniqueError
		if errors.As(err, &taken) {
			return refusedPasskey(err)
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, p.CreatedAt, event.Asking(ctx), "operator_passkey.created", p.ID, nil, p.settings())
	})
}

func (p Passkey) settings() event.Settings {
	return event.Settings{"operator_id": string(p.OperatorID), "name": p.Name, "host": p.Host}
}

func credentialID(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// Passkeys are those of an operator, the oldest first.
func (s *Service) Passkeys(ctx context.Context, id ID) ([]Passkey, error) {
	rows, err := s.o.DB.Query(ctx, listPasskeys, string(id))
	if err != nil {
		return nil, fmt.Errorf("list passkeys of operator %s: %w", id, err)
	}
	defer rows.Close()
	var out []Passkey
	for rows.Next() {
		p, err := scanPasskey(rows)
		if err != nil {
			return nil, fmt.Errorf("list passkeys of operator %s: %w", id, err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func scanPasskey(row db.Row) (p Passkey, err error) {
	var created int64
	var used *int64
	err = row.Scan(&p.ID, &p.OperatorID, &p.Host, &p.Name, &created, &used)
	p.CreatedAt, p.LastUsedAt = db.Time(created), db.TimeOrZero(used)
	return p, err
}

// DeletePasskey deletes one of an operator's; one that is not there or somebody else's is NotFound.
func (s *Service) DeletePasskey(ctx context.Context, id ID, passkey string) error {
	at := s.now()
	err := s.o.DB.Tx(ctx, func(tx db.Tx) error {
		p, err := scanPasskey(tx.QueryRow(ctx, selectPasskey, string(id), passkey))
		if errors.Is(err, db.ErrNoRows) {
			return fault.New(fault.NotFound, "entity_not_found", "There is no such passkey any more.")
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deletePasskey, string(id), passkey); err != nil {
			return err
		}
		return s.audit(ctx, tx, at, event.Asking(ctx), "operator_passkey.deleted", passkey, p.settings(), nil)
	})
	if err != nil {
		return fmt.Errorf("delete a passkey of operator %s: %w", id, err)
	}
	return nil
}

// BeginSignIn asks a browser for any passkey of a place.
func (s *Service) BeginSignIn(ctx context.Context, at Place) (Ceremony, error) {
	party, err := at.party()
	if err != nil {
		return Ceremony{}, fmt.Errorf("passkeys of %s: %w", at.Host, err)
	}
	options, session, err := party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a sign-in by passkey: %w", err)
	}
	return s.ask(ctx, "", options, session)
}

// shownKey is a passkey that a browser has shown, as it was when it was looked up.
type shownKey struct {
	id     string
	holder holder
	text   []byte // the credential as it is stored
}

// SignIn signs in whoever holds the passkey that answered. It refuses with "passkey_refused": what is wrong in particular is for the log.
func (s *Service) SignIn(ctx context.Context, at Place, key token.Secret, response []byte, from Visitor) (SignedIn, error) {
	session, err := s.answered(ctx, "", key)
	if err != nil {
		return SignedIn{}, err
	}
	shown, used, err := s.prove(ctx, at, session, response)
	if err != nil {
		return SignedIn{}, err
	}
	now, in := s.now(), SignedIn{}
	text, err := json.Marshal(used)
	if err != nil {
		return SignedIn{}, fmt.Errorf("write a passkey: %w", err)
	}
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := hold(ctx, tx); err != nil { // who is being removed does not come in meanwhile
			return err
		}
		// The counter goes up from what was compared, or somebody else has used the passkey at the same time.
		moved, err := tx.Exec(ctx, usePasskey, shown.id, string(shown.holder.ID), string(text), now.UnixMicro(), string(shown.text))
		if err != nil {
			return err
		}
		if moved != 1 {
			return refusedPasskey(errors.New("the passkey was used or deleted at the same time"))
		}
		o, err := get(ctx, tx, shown.holder.ID)
		if err != nil {
			return refusedPasskey(err)
		}
		in, err = s.signInTx(ctx, tx, now, o, ByPasskey, from)
		return err
	})
	if err != nil {
		return SignedIn{}, fmt.Errorf("sign in by passkey: %w", err)
	}
	return in, nil
}

// prove checks an answer: the challenge, the origin, the signature, that the person was verified, and that no copy of the passkey is about.
func (s *Service) prove(ctx context.Context, at Place, session webauthn.SessionData, response []byte) (shown shownKey, used *webauthn.Credential, err error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return shown, nil, refusedPasskey(err)
	}
	party, err := at.party()
	if err != nil {
		return shown, nil, fmt.Errorf("passkeys of %s: %w", at.Host, err)
	}
	var failed error // of ours, which the library would pass off as a refusal
	_, used, err = party.ValidatePasskeyLogin(func(raw, _ []byte) (webauthn.User, error) {
		shown, failed = s.shown(ctx, at, raw)
		return shown.holder, failed
	}, session, parsed)
	switch {
	case failed != nil && !errors.Is(failed, db.ErrNoRows):
		return shown, nil, failed
	case err != nil:
		return shown, nil, refusedPasskey(err)
	case used.Authenticator.CloneWarning:
		return shown, nil, refusedPasskey(fmt.Errorf("passkey %s may have been copied: its counter went back", shown.id))
	}
	return shown, used, nil
}

// shown looks up a passkey of a place.
func (s *Service) shown(ctx context.Context, at Place, raw []byte) (k shownKey, err error) {
	var id ID
	if err = s.o.DB.QueryRow(ctx, passkeyShown, at.Host, credentialID(raw)).Scan(&k.id, &id, &k.text); err != nil {
		return k, err
	}
	var c webauthn.Credential
	if err := json.Unmarshal(k.text, &c); err != nil {
		return k, fmt.Errorf("read passkey %s: %w", k.id, err)
	}
	k.holder.credentials = []webauthn.Credential{c}
	k.holder.Operator, err = s.Get(ctx, id)
	return k, err
}
