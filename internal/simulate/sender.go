package simulate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/idp"
)

// SenderOptions set up the page that sends people by SCIM.
type SenderOptions struct {
	// Base is the address at which it is mounted, without a slash at its end: http://127.0.0.1:8080/simulate/scim.
	Base string
	// Provider is whom it plays.
	Provider idp.Provider
	// People are those of the directory at an address; false: nothing is sent there. It is asked before every request, so the page is no way into
	// somebody else's network.
	People func(ctx context.Context, address string) ([]Person, bool)
	// HTTP sends them; nil: one that follows no redirect.
	HTTP *http.Client
	Now  func() time.Time
}

// Sender is the page on which the test identity provider sends its people to a directory.
type Sender struct {
	options SenderOptions
	pages   *pages
	mux     *http.ServeMux
	path    string
	one     sync.Mutex // a provider's client works one thing after another
	states  *memory[State]
}

const (
	rememberedTargets = 20
	targetLife        = 24 * time.Hour
	sendLimit         = 30 * time.Second
)

// act is what can be done on the page.
type act struct {
	Name, Label, Text string
}

func acts() []act {
	return []act{
		{"connect", "Test the connection", "asks for nobody, as providers do when they are set up"},
		{"send", "Send people and groups", "everybody is assigned, and their groups are pushed"},
		{"leave", "Somebody leaves", "the last of the people is deactivated"},
		{"return", "And returns", "and activated again"},
	}
}

// NewSender makes the page. It has to be mounted at the path of Base.
func NewSender(o SenderOptions) (*Sender, error) {
	path, err := pathOf(o.Base)
	if err != nil {
		return nil, err
	}
	if o.Provider.Dialect == nil || o.People == nil || o.Now == nil {
		return nil, errors.New("simulate: a provider with a dialect, People and Now are needed")
	}
	p, err := newPages()
	if err != nil {
		return nil, err
	}
	s := &Sender{options: o, pages: p, path: path, mux: http.NewServeMux(), states: newMemory[State](rememberedTargets, targetLife)}
	s.mux.HandleFunc("GET "+path+"/{$}", func(w http.ResponseWriter, _ *http.Request) { s.show(w, http.StatusOK, sendForm{}) })
	s.mux.HandleFunc("POST "+path+"/{$}", s.send)
	return s, nil
}

func (s *Sender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	s.mux.ServeHTTP(w, r)
}

// sendForm is what was typed and what came of it.
type sendForm struct {
	Address, Token string
	Acts           []act
	Lines          []sentLine
	Wrong, Done    string
}

type sentLine struct {
	Request, Says string
	Failed        bool
}

func (s *Sender) show(w http.ResponseWriter, status int, f sendForm) {
	f.Acts = acts()
	s.pages.show(w, status, "send", page{Title: "Test identity provider (SCIM)", Action: s.path + "/", Send: f})
}

func (s *Sender) send(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.pages.refuse(w, "The form is too large or cannot be read.")
		return
	}
	f := sendForm{Address: strings.TrimSpace(r.PostForm.Get("address")), Token: strings.TrimSpace(r.PostForm.Get("token"))}
	people, ok := s.options.People(r.Context(), f.Address)
	if !ok {
		f.Wrong = "There is no directory of this demo at that address. Copy the SCIM address of the set-up page; nothing is sent anywhere else."
		s.show(w, http.StatusBadRequest, f)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), sendLimit)
	defer cancel()
	status := http.StatusOK
	var err error
	if f.Lines, err = s.perform(ctx, f, r.PostForm.Get("act"), people); err != nil {
		f.Wrong, status = err.Error(), http.StatusBadRequest
	} else {
		f.Done = "Done. The set-up page shows what arrived."
	}
	s.show(w, status, f)
}

// perform plays an act and gives what was sent. What the client knows is kept for the next one.
func (s *Sender) perform(ctx context.Context, f sendForm, name string, people []Person) (lines []sentLine, err error) {
	s.one.Lock()
	defer s.one.Unlock()
	state, _ := s.states.take(f.Address, s.options.Now())
	client, err := NewSCIMClient(s.options.Provider, Target{BaseURL: f.Address, Token: f.Token, HTTP: s.options.HTTP}, SCIMOptions{
		Seed: 1, State: state,
		Watch: func(x Exchange) {
			target, err := url.PathUnescape(x.Target) // for reading
			if err != nil {
				target = x.Target
			}
			lines = append(lines, sentLine{fmt.Sprintf("%s %s → %d", x.Method, target, x.Status), x.Says, x.Failed})
		},
	})
	if err != nil {
		return nil, err
	}
	err = play(ctx, client, name, people)
	s.states.put(f.Address, client.State(), s.options.Now())
	return lines, err
}

func play(ctx context.Context, client *SCIMClient, name string, people []Person) error {
	if len(people) == 0 {
		return errors.New("there is nobody to send")
	}
	last := people[len(people)-1].userName()
	switch name {
	case "connect":
		return client.Connect(ctx)
	case "send":
		return sendAll(ctx, client, people)
	case "leave":
		return client.Leave(ctx, last)
	case "return":
		return client.Return(ctx, last)
	}
	return errors.New("nothing of that name is done here")
}

// sendAll assigns everybody and pushes their groups, in the order in which they are named first.
func sendAll(ctx context.Context, client *SCIMClient, people []Person) error {
	if err := client.hireAll(ctx, people); err != nil {
		return err
	}
	var groups []string
	members := map[string][]string{}
	for _, p := range people {
		for _, g := range p.Groups {
			if members[g] == nil {
				groups = append(groups, g)
			}
			members[g] = append(members[g], p.userName())
		}
	}
	for _, g := range groups {
		if err := client.PushGroup(ctx, g, members[g]...); err != nil {
			return err
		}
	}
	return nil
}
