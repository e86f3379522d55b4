package operator_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Flags of an authenticator's data (WebAuthn level 3, section 6.1).
const (
	present  = 0x01
	verified = 0x04
	attested = 0x40
)

// device makes and uses one passkey, as a phone does, and lies where it is told to.
type device struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	id      []byte
	host    string
	origin  string
	flags   byte
	counter uint32
}

func newDevice(t *testing.T) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	if _, err := rand.Read(id); err != nil {
		t.Fatal(err)
	}
	return &device{t: t, key: key, id: id, host: "localhost", origin: "http://localhost:8080", flags: present | verified}
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// asked is what a page is told to hand to the device.
func (d *device) asked(c operator.Ceremony) (challenge, user string) {
	d.t.Helper()
	var options struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
			User      struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(c.Options, &options); err != nil || options.PublicKey.Challenge == "" {
		d.t.Fatalf("%s: %v", c.Options, err)
	}
	return options.PublicKey.Challenge, options.PublicKey.User.ID
}

func (d *device) client(kind, challenge string) []byte {
	return fmt.Appendf(nil, `{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":false}`, kind, challenge, d.origin)
}

func (d *device) data(flags byte) []byte {
	host := sha256.Sum256([]byte(d.host))
	return binary.BigEndian.AppendUint32(append(host[:], flags), d.counter)
}

// makes answers a registration: attestation "none" with an ES256 key, in CBOR (RFC 8949).
func (d *device) makes(c operator.Ceremony) []byte {
	d.t.Helper()
	challenge, _ := d.asked(c)
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	data := append(d.data(d.flags|attested), make([]byte, 16)...)
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(d.id))), d.id...)
	data = append(append(data, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32), point[1:33]...)
	data = append(append(data, 0x22, 0x58, 32), point[33:]...)
	var object bytes.Buffer
	object.WriteString("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59")
	object.Write(binary.BigEndian.AppendUint16(nil, uint16(len(data))))
	object.Write(data)
	return d.answer(`"clientDataJSON":%q,"attestationObject":%q`, b64(d.client("webauthn.create", challenge)), b64(object.Bytes()))
}

// shows answers a sign-in, as the passkey of a user.
func (d *device) shows(c operator.Ceremony, user operator.ID) []byte {
	d.t.Helper()
	challenge, _ := d.asked(c)
	data, client := d.data(d.flags), d.client("webauthn.get", challenge)
	said := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(data), said[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(`"clientDataJSON":%q,"authenticatorData":%q,"signature":%q,"userHandle":%q`, b64(client), b64(data), b64(signature), b64([]byte(user)))
}

func (d *device) answer(format string, args ...any) []byte {
	return fmt.Appendf(nil, `{"id":%q,"rawId":%q,"type":"public-key","response":{%s}}`, b64(d.id), b64(d.id), fmt.Sprintf(format, args...))
}

func (w *world) place(base string) operator.Place {
	w.t.Helper()
	p, ok := operator.PlaceOf(base)
	if !ok {
		w.t.Fatalf("no place: %s", base)
	}
	return p
}

func (w *world) registers(id operator.ID, d *device, at operator.Place) (operator.Passkey, error) {
	w.t.Helper()
	c, err := w.s.BeginPasskey(ctx, id, at)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.s.KeepPasskey(ctx, id, at, c.Key, d.makes(c), "phone")
}

func (w *world) signsIn(id operator.ID, d *device, at operator.Place) (operator.SignedIn, error) {
	w.t.Helper()
	c, err := w.s.BeginSignIn(ctx, at)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.s.SignIn(ctx, at, c.Key, d.shows(c, id), operator.Visitor{})
}

func TestPasskey_signs_in_its_operator_and_nobody_else(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		here, elsewhere := w.place("http://localhost:8080"), w.place("https://ops.example.com")
		ann, _ := w.link(operator.New{Email: "ann@example.com"})
		bob, _ := w.link(operator.New{Email: "bob@example.com"})
		phone, other := newDevice(t), newDevice(t)
		kept, err := w.registers(ann.Operator.ID, phone, here)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.registers(bob.Operator.ID, other, here); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			phone.counter++
			in, err := w.signsIn(ann.Operator.ID, phone, here)
			if err != nil || in.Operator.ID != ann.Operator.ID || in.Session.OperatorID != ann.Operator.ID {
				t.Fatalf("%+v %v", in, err)
			}
		}
		other.counter++
		if in, err := w.signsIn(bob.Operator.ID, other, here); err != nil || in.Operator.ID != bob.Operator.ID {
			t.Errorf("%+v %v", in, err)
		}
		refused := func(what string, err error) {
			t.Helper()
			if err == nil {
				t.Errorf("%s: came in", what)
				return
			}
			w.refused(err, "passkey_refused")
		}
		again := *phone
		again.counter--
		_, err = w.signsIn(ann.Operator.ID, &again, here)
		refused("a copy whose counter went back", err)
		phone.counter = 1000
		unseen := *phone
		unseen.flags = present
		_, err = w.signsIn(ann.Operator.ID, &unseen, here)
		refused("a device that did not verify the person", err)
		_, err = w.signsIn(bob.Operator.ID, phone, here)
		refused("as somebody else", err)
		_, err = w.signsIn(ann.Operator.ID, phone, elsewhere)
		refused("at another place", err)
		foreign := *phone
		foreign.origin = "http://localhost:9999"
		_, err = w.signsIn(ann.Operator.ID, &foreign, here)
		refused("for another origin", err)
		forged := *phone
		forged.key = other.key
		_, err = w.signsIn(ann.Operator.ID, &forged, here)
		refused("with another key", err)
		c, err := w.s.BeginSignIn(ctx, here)
		if err != nil {
			t.Fatal(err)
		}
		answer := phone.shows(c, ann.Operator.ID)
		if _, err := w.s.SignIn(ctx, here, c.Key, answer, operator.Visitor{}); err != nil {
			t.Fatal(err)
		}
		_, err = w.s.SignIn(ctx, here, c.Key, answer, operator.Visitor{})
		refused("an answer that was used", err)
		phone.counter++
		if err := w.s.DeletePasskey(ctx, ann.Operator.ID, kept.ID); err != nil {
			t.Fatal(err)
		}
		_, err = w.signsIn(ann.Operator.ID, phone, here)
		refused("with a passkey that was deleted", err)
		if err := w.s.Remove(ctx, bob.Operator.ID); err != nil {
			t.Fatal(err)
		}
		_, err = w.signsIn(bob.Operator.ID, other, here)
		refused("who was removed", err)
	})
}

func TestPasskey_is_kept_only_where_the_device_verifies_the_person_and_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		here := w.place("http://localhost:8080")
		ann, _ := w.link(operator.New{Email: "ann@example.com"})
		bob, _ := w.link(operator.New{Email: "bob@example.com"})
		for what, change := range map[string]func(*device){
			"no person":      func(d *device) { d.flags = present },
			"another origin": func(d *device) { d.origin = "https://evil.example" },
			"another host":   func(d *device) { d.host = "evil.example" },
		} {
			d := newDevice(t)
			change(d)
			_, err := w.registers(ann.Operator.ID, d, here)
			if err == nil {
				t.Errorf("%s: kept", what)
				continue
			}
			w.refused(err, "passkey_refused")
		}
		phone := newDevice(t)
		if _, err := w.registers(ann.Operator.ID, phone, here); err != nil {
			t.Fatal(err)
		}
		_, err := w.registers(bob.Operator.ID, phone, here)
		w.refused(err, "passkey_refused")
		for range 19 {
			if _, err := w.registers(ann.Operator.ID, newDevice(t), here); err != nil {
				t.Fatal(err)
			}
		}
		_, err = w.registers(ann.Operator.ID, newDevice(t), here)
		w.refused(err, "too_many")
		if n := w.count(`SELECT COUNT(*) FROM operator_passkeys`); n != 20 {
			t.Errorf("%d passkeys", n)
		}
	})
}

// Of two answers that a passkey and its copy give at once one is good: the second finds another counter than it was compared with.
func TestOf_a_passkey_and_its_copy_at_the_same_time_one_comes_in(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		here := w.place("http://localhost:8080")
		ann, _ := w.link(operator.New{Email: "ann@example.com"})
		phone := newDevice(t)
		if _, err := w.registers(ann.Operator.ID, phone, here); err != nil {
			t.Fatal(err)
		}
		phone.counter = 1
		type attempt struct {
			key    token.Secret
			answer []byte
		}
		var all []attempt
		for range 6 {
			c, err := w.s.BeginSignIn(ctx, here)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, attempt{c.Key, phone.shows(c, ann.Operator.ID)})
		}
		var wait sync.WaitGroup
		var mu sync.Mutex
		in := 0
		for _, a := range all {
			wait.Go(func() {
				if _, err := w.s.SignIn(ctx, here, a.key, a.answer, operator.Visitor{}); err == nil {
					mu.Lock()
					in++
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		if in != 1 {
			t.Errorf("%d came in", in)
		}
	})
}
