package sdk_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

// receivers are the programs of examples/ that take webhooks, as the commands that start them. All are told by WEBHOOK_SECRET, PORT
// and STATE_FILE, print where they listen, take deliveries at /webhooks and show their tables at /state.
func receivers(t *testing.T) map[string][]string {
	t.Helper()
	box := tools(t)
	example := func(name string) string {
		path, err := filepath.Abs(filepath.Join(root, "examples", name))
		must(t, err)
		return path
	}
	return map[string][]string{
		"node":   {box.node, example("receiver-node/receiver.mjs")},
		"python": {box.python, "-B", example("receiver-python/receiver.py")},
	}
}

// The secret's key holds bytes that base64 writes with + and /.
const webhookSecret = "whsec_+/+/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGx0="

var receivingLine = regexp.MustCompile(`receiving at (http://\S+)/webhooks`)

type receiver struct {
	*testing.T
	url string
}

func startReceiver(t *testing.T, command []string, stateFile string) (receiver, *process) {
	t.Helper()
	env := []string{"WEBHOOK_SECRET=" + webhookSecret, "PORT=0", "STATE_FILE=" + stateFile}
	p := launch(t, t.TempDir(), env, command[0], command[1:]...)
	return receiver{t, p.says(t, p.out, receivingLine)}, p
}

// delivery is a signed request to be made.
type delivery struct {
	id     string
	body   []byte
	header http.Header
}

func (r receiver) send(d delivery) int {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.url+"/webhooks", bytes.NewReader(d.body))
	must(r, err)
	request.Header = d.header
	answer, err := http.DefaultClient.Do(request)
	must(r, err)
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(io.Discard, answer.Body)
	must(r, err)
	return answer.StatusCode
}

// take sends deliveries that have to be accepted.
func (r receiver) take(all ...delivery) {
	r.Helper()
	for _, d := range all {
		if status := r.send(d); status/100 != 2 {
			r.Fatalf("%s was answered with %d", d.body, status)
		}
	}
}

// holds compares the tables: people by name, "(out)" behind those who are inactive, groups with their members.
func (r receiver) holds(want ...string) {
	r.Helper()
	if got := r.shown(); !slices.Equal(got, want) {
		r.Errorf("the receiver holds %q, want %q", got, want)
	}
}

func (r receiver) shown() []string {
	r.Helper()
	answer, err := http.Get(r.url + "/state")
	must(r, err)
	defer func() { _ = answer.Body.Close() }()
	var state struct {
		Users []struct {
			ID, Email string
			Active    bool
		}
		Groups  []struct{ ID, Name string }
		Members []struct {
			GroupID string `json:"group_id"`
			UserID  string `json:"user_id"`
		}
	}
	must(r, json.NewDecoder(answer.Body).Decode(&state))
	if state.Users == nil || state.Groups == nil || state.Members == nil {
		r.Errorf("a table is missing in /state: %+v", state)
	}
	got := []string{}
	for _, u := range state.Users {
		line := u.Email
		if !u.Active {
			line += " (out)"
		}
		got = append(got, line)
	}
	for _, g := range state.Groups {
		got = append(got, g.Name)
	}
	for _, m := range state.Members {
		got = append(got, m.GroupID+" has "+m.UserID)
	}
	slices.Sort(got)
	return got
}

// signer signs as Rollcall does, but with one of the two schemes alone.
type signer func(id string, at time.Time, body []byte) http.Header

func signers() map[string]signer {
	return map[string]signer{"standard": standard, "workos": workos, "both": func(id string, at time.Time, body []byte) http.Header {
		h := standard(id, at, body)
		maps.Copy(h, workos(id, at, body))
		return h
	}}
}

func standard(id string, at time.Time, body []byte) http.Header {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhookSecret, "whsec_"))
	if err != nil {
		panic(err)
	}
	seconds := fmt.Sprint(at.Unix())
	other := base64.StdEncoding.EncodeToString(make([]byte, sha256.Size)) // by the former secret
	return http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {seconds},
		"Webhook-Signature": {"v1," + other + " v1," + base64.StdEncoding.EncodeToString(mac(key, id+"."+seconds+".", body))},
	}
}

func workos(_ string, at time.Time, body []byte) http.Header {
	t := fmt.Sprint(at.UnixMilli())
	return http.Header{"Workos-Signature": {"t=" + t + ", v1=" + hex.EncodeToString(mac([]byte(webhookSecret), t+".", body))}}
}

func mac(key []byte, head string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(head))
	h.Write(body)
	return h.Sum(nil)
}

// story makes deliveries one after the other, as a directory would cause them.
type story struct {
	ids  *token.Source
	sign signer
	all  []delivery
}

const theDirectory = "directory_01HXYZ00000000000000000000"

func (s *story) event(kind string, data map[string]any) delivery {
	id := s.ids.NewID("event")
	body, err := json.Marshal(map[string]any{
		"object": "event", "id": id, "event": kind, "data": data, "created_at": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"context": map[string]any{"actor": map[string]any{"id": theDirectory, "source": "system", "name": nil}},
	})
	if err != nil { // maps of plain values
		panic(err)
	}
	d := delivery{id, body, s.sign(id, time.Now(), body)}
	s.all = append(s.all, d)
	return d
}

func (s *story) user(kind, name, email, state string) delivery {
	return s.event("dsync.user."+kind, person(name, email, state))
}

func person(name, email, state string) map[string]any {
	return map[string]any{
		"object": "directory_user", "id": name, "directory_id": theDirectory, "organization_id": "org_1", "idp_id": name, "email": email, "state": state,
		"first_name": name, "last_name": "Söderström", "custom_attributes": map[string]any{}, "raw_attributes": map[string]any{},
	}
}

func (s *story) group(kind, id, name string) delivery {
	return s.event("dsync.group."+kind, team(id, name))
}

func team(id, name string) map[string]any {
	return map[string]any{"object": "directory_group", "id": id, "directory_id": theDirectory, "organization_id": "org_1", "idp_id": id, "name": name}
}

func (s *story) member(kind, group, user string) delivery {
	return s.event("dsync.group.user_"+kind, map[string]any{
		"directory_id": theDirectory, "user": person(user, user+"@example.com", "active"), "group": team(group, "Crew"),
	})
}

// out and back are how a person leaves and returns in each mode of inactive_users.
func (s *story) out(mode, name string) []delivery {
	left := s.member("removed", "crew", name)
	if mode == "kept" {
		return []delivery{s.user("updated", name, name+"@example.com", "inactive"), left}
	}
	return []delivery{left, s.user("deleted", name, name+"@example.com", "inactive")}
}

func (s *story) back(mode, name string) []delivery {
	kind := map[string]string{"kept": "updated", "removed": "created"}[mode]
	return []delivery{s.user(kind, name, name+"@example.com", "active"), s.member("added", "crew", name)}
}

func TestReceivers_know_who_is_in(t *testing.T) {
	for name, command := range receivers(t) {
		for _, mode := range []string{"kept", "removed"} {
			for scheme, sign := range signers() {
				t.Run(name+"/"+mode+"/"+scheme, func(t *testing.T) { tell(t, command, mode, sign) })
			}
		}
	}
}

// tell plays all that happens in a directory, every delivery twice.
func tell(t *testing.T, command []string, mode string, sign signer) {
	stateFile := filepath.Join(t.TempDir(), "state.json")
	r, p := startReceiver(t, command, stateFile)
	s := &story{ids: token.NewSource(time.Now), sign: sign}
	twice := func(all ...delivery) {
		t.Helper()
		r.take(all...)
		r.take(all...)
	}
	twice(s.user("created", "ann", "ann@example.com", "active"), s.user("created", "bob", "bob@example.com", "active"),
		s.user("created", "eve", "eve@example.com", "inactive"), s.group("created", "crew", "Crew"),
		s.member("added", "crew", "ann"), s.member("added", "crew", "bob"))
	r.holds("Crew", "ann@example.com", "bob@example.com", "crew has ann", "crew has bob", "eve@example.com (out)")

	twice(s.out(mode, "bob")...)
	without := []string{"Crew", "ann@example.com", "bob@example.com (out)", "crew has ann", "eve@example.com (out)"}
	if mode == "removed" {
		without = slices.Delete(without, 2, 3)
	}
	r.holds(without...)

	// An old delivery again, as a replay brings it: he stays out.
	r.take(s.all[1], s.all[5])
	r.holds(without...)

	twice(s.back(mode, "bob")...)
	r.holds("Crew", "ann@example.com", "bob@example.com", "crew has ann", "crew has bob", "eve@example.com (out)")

	twice(s.user("updated", "ann", "ann.b@example.com", "active"), s.group("updated", "crew", "Team"))
	twice(s.event("dsync.group.made_up", map[string]any{"id": "x"})) // a type that it does not know
	want := []string{"Team", "ann.b@example.com", "bob@example.com", "crew has ann", "crew has bob", "eve@example.com (out)"}
	r.holds(want...)

	// It remembers over a restart.
	must(t, p.cmd.Process.Kill())
	<-p.ended
	r, _ = startReceiver(t, command, stateFile)
	r.holds(want...)
	r.take(s.all...)
	r.holds(want...)

	twice(s.group("created", "staff", "Staff"), s.member("added", "staff", "bob"), s.group("deleted", "staff", "Staff"),
		s.user("deleted", "ann", "ann.b@example.com", "inactive"))
	want = []string{"Team", "bob@example.com", "crew has bob", "eve@example.com (out)"}
	r.holds(want...)

	// Whatever the order, it comes out the same.
	random := rand.New(rand.NewPCG(7, uint64(len(mode))))
	for range 3 {
		mixed := slices.Clone(s.all)
		random.Shuffle(len(mixed), reflect.Swapper(mixed))
		other, _ := startReceiver(t, command, filepath.Join(t.TempDir(), "state.json"))
		other.take(mixed...)
		other.holds(want...)
	}

	r.take(s.event("dsync.deleted", map[string]any{"object": "directory", "id": theDirectory, "state": "deleted"}))
	r.holds()
	r.take(s.all...)
	r.holds()
}

func TestReceivers_refuse_what_Rollcall_has_not_signed(t *testing.T) {
	for name, command := range receivers(t) {
		t.Run(name, func(t *testing.T) {
			r, _ := startReceiver(t, command, filepath.Join(t.TempDir(), "state.json"))
			for scheme, sign := range signers() {
				s := &story{ids: token.NewSource(time.Now), sign: sign}
				good := s.user("created", "ann", "ann@example.com", "active")
				for what, header := range forgeries(sign, good) {
					if status := r.send(delivery{good.id, good.body, header}); status != http.StatusBadRequest {
						t.Errorf("%s, %s: answered with %d, want 400", scheme, what, status)
					}
				}
			}
			r.holds()
		})
	}
}

// forgeries are headers that do not fit a delivery.
func forgeries(sign signer, d delivery) map[string]http.Header {
	other := bytes.Replace(d.body, []byte("ann@"), []byte("eve@"), 1)
	out := map[string]http.Header{
		"no signature":      {},
		"another body's":    sign(d.id, time.Now(), other),
		"an old one":        sign(d.id, time.Now().Add(-10*time.Minute), d.body),
		"one of the future": sign(d.id, time.Now().Add(10*time.Minute), d.body),
	}
	for what, change := range map[string]func(string) string{
		"an empty one":   func(string) string { return "" },
		"a cut one":      func(s string) string { return s[:len(s)-4] },
		"text":           func(string) string { return "v1,é v1, t=x, v1=" },
		"its time moved": nil,
	} {
		h := d.header.Clone()
		for name := range h {
			switch {
			case change == nil && name == "Webhook-Timestamp":
				h.Set(name, fmt.Sprint(time.Now().Unix()-2))
			case change == nil && name == "Workos-Signature":
				h.Set(name, regexp.MustCompile(`t=\d+`).ReplaceAllString(h.Get(name), fmt.Sprintf("t=%d", time.Now().UnixMilli()-2000)))
			case change != nil && strings.HasSuffix(name, "-Signature"):
				h.Set(name, change(h.Get(name)))
			}
		}
		out[what] = h
	}
	return out
}
