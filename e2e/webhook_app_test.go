package e2e_test

import (
	"bytes"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	sdk "github.com/rollcallhq/rollcall/client"
)

const (
	groupBorn = "dsync.group.created"

	firstRetry = 4500 * time.Millisecond // five seconds, a tenth less by chance
	refuseEach = 25                      // one in so many deliveries is refused at its first attempt
	appThinks  = 2 * time.Millisecond    // over each delivery, so that deliveries lag behind the writers
)

// app is who receives: a server of the test that outlives the program under test, with several endpoints, by path.
type app struct {
	t   *testing.T
	url string

	mu       sync.Mutex
	mailbox  map[string]*mailbox
	clock    int           // counts what happens here
	shut     chan struct{} // while there, whoever comes waits for it to close, and is never answered
	captured int           // who did
}

// mailbox is one endpoint and what it got.
type mailbox struct {
	endpoint sdk.WebhookEndpoint
	arrivals []arrival
	accepted map[string]int // when by the app's clock an event was first answered with 2xx
	refused  map[string]bool
}

// arrival is one attempt.
type arrival struct {
	id    string
	body  []byte
	tick  int // of the app's clock
	at    time.Time
	spurn bool // it is answered 500
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{t: t, mailbox: map[string]*mailbox{}}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

// subscriptions are the endpoints of the stories: everything, and two parts of it.
func subscriptions() map[string][]string {
	people, memberships := []string{born, changed, gone}, []string{joined, left}
	rest := []string{"dsync.activated", "dsync.deleted", groupBorn, "dsync.group.updated", "dsync.group.deleted"}
	return map[string][]string{"/all": slices.Concat(people, memberships, rest), "/people": people, "/memberships": memberships}
}

// subscribe makes the endpoints before anything happens.
func (a *app) subscribe(api *sdk.Client) {
	a.t.Helper()
	for path, types := range subscriptions() {
		made, err := api.CreateWebhookEndpoint(a.t.Context(), sdk.NewWebhookEndpoint{URL: a.url + path, Types: types})
		must(a.t, err)
		a.mu.Lock()
		a.mailbox[path] = &mailbox{endpoint: made, accepted: map[string]int{}, refused: map[string]bool{}}
		a.mu.Unlock()
	}
}

// ServeHTTP takes a delivery.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil { // the sender was killed in the middle of it
		return
	}
	a.mu.Lock()
	box := a.mailbox[r.URL.Path]
	a.mu.Unlock()
	if box == nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		a.t.Errorf("an unexpected request: %s %s %v", r.Method, r.URL, r.Header)
		return
	}
	id := verified(a.t, box.endpoint.Secret, r.Header, body)
	shut, refused := a.enter(box, id, body)
	if shut != nil {
		<-shut
		panic(http.ErrAbortHandler) // closes the connection
	}
	time.Sleep(appThinks)
	if refused {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	a.accept(box, id)
	w.WriteHeader(http.StatusNoContent)
}

// verified checks both signatures, each alone, and that neither holds for another body.
func verified(t *testing.T, secret string, header http.Header, body []byte) string {
	id := ""
	for _, scheme := range []string{"Webhook-Signature", "WorkOS-Signature"} {
		only := maps.Clone(header)
		for _, other := range []string{"Webhook-Signature", "WorkOS-Signature"} {
			if other != scheme {
				only.Del(other)
			}
		}
		e, err := sdk.VerifyWebhook(body, only, []string{secret}, time.Minute, time.Now())
		if err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
		if _, err := sdk.VerifyWebhook(append(slices.Clone(body), ' '), only, []string{secret}, time.Minute, time.Now()); err == nil {
			t.Errorf("%s: a changed body passes", scheme)
		}
		id = e.ID
	}
	return id
}

// enter writes an attempt down and says what becomes of it.
func (a *app) enter(box *mailbox, id string, body []byte) (shut chan struct{}, refused bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut != nil {
		a.captured++
	} else {
		refused = !box.refused[id] && crc32.ChecksumIEEE([]byte(box.endpoint.ID+id))%refuseEach == 0
		box.refused[id] = box.refused[id] || refused
	}
	a.clock++
	box.arrivals = append(box.arrivals, arrival{id: id, body: body, tick: a.clock, at: time.Now(), spurn: refused})
	return a.shut, refused
}

func (a *app) accept(box *mailbox, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock++
	if box.accepted[id] == 0 {
		box.accepted[id] = a.clock
	}
}

// capture leaves everybody who comes from now on without an answer, until the function it gives is called.
func (a *app) capture() (release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	shut := make(chan struct{})
	a.shut, a.captured = shut, 0
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.shut = nil
		close(shut)
	})
}

func (a *app) holds() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.captured
}

// attempts counts what came, to any endpoint.
func (a *app) attempts() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, box := range a.mailbox {
		n += len(box.arrivals)
	}
	return n
}

func (a *app) has(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.mailbox[path].accepted)
}

// record is the log as the API shows it, when nobody writes any more.
type record struct {
	order []sdk.Event
	byID  map[string]sdk.Event
}

func readLog(t *testing.T, api *sdk.Client) record {
	t.Helper()
	r := record{byID: map[string]sdk.Event{}}
	for e, err := range api.Events(t.Context(), sdk.EventQuery{}) {
		must(t, err)
		r.order = append(r.order, e)
		r.byID[e.ID] = e
	}
	return r
}

// of gives the events of some types in their order.
func (r record) of(types []string) (out []sdk.Event) {
	for _, e := range r.order {
		if slices.Contains(types, e.Type) {
			out = append(out, e)
		}
	}
	return out
}

// concerns gives the person and the group of an event.
func concerns(t *testing.T, e sdk.Event) (person, group string) {
	t.Helper()
	switch e.Type {
	case born, changed, gone:
		u, err := sdk.As[sdk.DirectoryUser](e)
		must(t, err)
		return u.ID, ""
	case joined, left:
		m, err := sdk.As[sdk.DirectoryMembership](e)
		must(t, err)
		return m.User.ID, m.Group.ID
	case groupBorn:
		g, err := sdk.As[sdk.DirectoryGroup](e)
		must(t, err)
		return "", g.ID
	}
	return "", ""
}

// awaitAll waits until every endpoint has accepted all that it wants, and gives the log. Where it waits in vain, audit tells what is
// missing.
func (a *app) awaitAll(api *sdk.Client) record {
	a.t.Helper()
	log := readLog(a.t, api)
	for path, types := range subscriptions() {
		want := len(log.of(types))
		if want == 0 {
			a.t.Fatalf("nothing happened for %s", path)
		}
		for deadline := time.Now().Add(patience); a.has(path) < want && !a.t.Failed() && time.Now().Before(deadline); {
			time.Sleep(pause)
		}
	}
	return log
}

// audit: each endpoint got what it wants and nothing else, every attempt with the event as the log has it, each person's events
// in their order.
func (a *app) audit(log record) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for path, types := range subscriptions() {
		box, wanted := a.mailbox[path], log.of(types)
		if len(box.accepted) != len(wanted) {
			a.t.Errorf("%s accepted %d events and wants %d", path, len(box.accepted), len(wanted))
		}
		for _, e := range wanted {
			if box.accepted[e.ID] == 0 {
				a.t.Errorf("%s never got %s %s", path, e.Type, e.ID)
			}
		}
		for _, one := range box.arrivals {
			e, there := log.byID[one.id]
			if !there || !slices.Contains(types, e.Type) || !bytes.Equal(one.body, e.JSON()) {
				a.t.Errorf("%s got\n%s, where the log has\n%s", path, one.body, e.JSON())
			}
		}
		box.checkOrder(a.t, path, wanted)
	}
}

// checkOrder: an attempt is made when all that concerns the same person and came before was accepted, and nothing that came after
// was attempted; and nobody joins a group that the app has not heard of.
func (box *mailbox) checkOrder(t *testing.T, path string, wanted []sdk.Event) {
	t.Helper()
	first, last := map[string]int{}, map[string]int{} // attempts of an event
	for _, one := range box.arrivals {
		if first[one.id] == 0 {
			first[one.id] = one.tick
		}
		last[one.id] = one.tick
	}
	before := map[string]string{} // the latest event of each person, the first one of each group
	after := func(e sdk.Event, earlier string) {
		if earlier != "" && (box.accepted[earlier] == 0 || box.accepted[earlier] > first[e.ID] || last[earlier] > first[e.ID]) {
			t.Errorf("%s: %s %s was sent before %s was done with", path, e.Type, e.ID, earlier)
		}
	}
	for _, e := range wanted {
		person, group := concerns(t, e)
		if e.Type == groupBorn {
			before[group] = e.ID
			continue
		}
		after(e, before[group])
		if person != "" {
			after(e, before[person])
			before[person] = e.ID
		}
	}
}

// checkRetries: what was refused came again, not at once, and gives how often.
func (a *app) checkRetries() (refusals int) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for path, box := range a.mailbox {
		refused := map[string]time.Time{}
		for _, one := range box.arrivals {
			if at, again := refused[one.id]; again && one.at.Sub(at) < firstRetry {
				a.t.Errorf("%s: %s was refused and came again after %s", path, one.id, one.at.Sub(at))
			}
			if one.spurn {
				refused[one.id] = one.at
			}
		}
		if len(box.arrivals) != len(box.accepted)+len(refused) {
			a.t.Errorf("%s: %d attempts for %d events of which %d were refused once", path, len(box.arrivals), len(box.accepted), len(refused))
		}
		refusals += len(refused)
	}
	return refusals
}
