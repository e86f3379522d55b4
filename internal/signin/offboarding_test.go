package signin_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/token"
)

// provisioned lets members follow directories, as where accounts are kept.
func (w *world) provisioned() {
	w.t.Helper()
	give := access.NewService(access.Options{
		DB: w.db, Events: w.events, IDs: token.NewSource(time.Now), Now: w.now,
		Living: func(ctx context.Context, tx db.Tx, id string) error { return w.orgs.LockTx(ctx, tx, org.ID(id)) },
	})
	sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	w.ok(err)
	w.members.SetInviting(member.Inviting{Sealer: sealer, Mails: w.mails, Base: func(string) string { return w.server.URL }})
	w.dirs.SetMembers(w.members, give)
}

// feed is a directory with its door.
type feed struct {
	w      *world
	dirs   *directory.Service
	secret token.Secret
	door   *directory.Access
}

func (w *world) feed(n directory.New) feed {
	w.t.Helper()
	n.OrganizationID, n.Name, n.Type = string(w.org.ID), "Directory", directory.GenericSCIM
	_, secret, err := w.dirs.Create(ctx, operator(), n)
	w.ok(err)
	return w.enter(w.dirs, secret)
}

func (w *world) enter(dirs *directory.Service, secret token.Secret) feed {
	w.t.Helper()
	door, err := dirs.Authenticate(ctx, "", secret)
	w.ok(err)
	w.ok(dirs.NoteAccepted(ctx, door))
	door, err = dirs.Authenticate(ctx, "", secret)
	w.ok(err)
	return feed{w, dirs, secret, door}
}

// hire is a POST of a person.
func (f feed) hire(document string) directory.User {
	f.w.t.Helper()
	o, err := scim.ReadObject([]byte(document), scim.DefaultLimits)
	f.w.ok(err)
	o, err = scim.Standard().User.Prepare(o, scim.Mode{})
	f.w.ok(err)
	u, _, err := f.dirs.CreateUser(ctx, f.door, o, nil)
	f.w.ok(err)
	return u
}

// active is a PATCH of a person.
func (f feed) active(id directory.UserID, active bool) {
	f.w.t.Helper()
	_, _, err := f.dirs.UpdateUser(ctx, f.door, string(id), directory.Condition{MentionsActive: true}, func(o *scim.Object) (*scim.Object, error) {
		o = o.Clone()
		o.Set("active", scim.BoolOf(active))
		return o, nil
	}, nil)
	f.w.ok(err)
}

// member is somebody's place in the organization of the world; nil: they have none.
func (w *world) member(email string) *member.Member {
	w.t.Helper()
	u, err := w.members.UserByEmail(ctx, email)
	if err != nil {
		return nil
	}
	m, err := w.members.MemberOf(ctx, string(w.org.ID), u.ID)
	if err != nil {
		return nil
	}
	return &m
}

func (w *world) provision() {
	w.t.Helper()
	w.ok(w.dirs.Provision(ctx))
}

// visitor is one of several clients of the same person, each with a session of their own.
type visitor struct {
	b               *browser
	access, refresh string
	held            string // a code that is not redeemed yet
}

func (w *world) visitor() *visitor {
	w.t.Helper()
	v := &visitor{b: w.browser()}
	v.keep(w.redeem(v.b.signIn("scope", offline)))
	return v
}

func (v *visitor) keep(status int, tokens map[string]any) bool {
	if status != http.StatusOK {
		return false
	}
	v.access, v.refresh = tokens["access_token"].(string), tokens["refresh_token"].(string)
	return true
}

// silent asks for a code from the session, as an app does that has lost its own.
func (v *visitor) silent(w *world) bool {
	a := v.b.get(w.server.URL + w.authorization("scope", offline, "prompt", "none"))
	to, err := url.Parse(a.Header.Get("Location"))
	if a.StatusCode != http.StatusSeeOther || err != nil || to.Query().Get("code") == "" {
		return false
	}
	v.held = to.Query().Get("code")
	return true
}

// anew signs in by the identity provider, which has not heard of the deactivation.
func anew(w *world) bool {
	b := w.browser()
	request, relay := b.atProvider(w.authorization("organization", string(w.org.ID)))
	a := b.deliver(w.conn, w.message(w.conn, request), relay)
	return a.StatusCode == http.StatusSeeOther && strings.Contains(a.Header.Get("Location"), "code=")
}

// ways are all by which a person may still be in.
func (v *visitor) ways(w *world) map[string]func() bool {
	return map[string]func() bool{
		"introspection of the access token":  func() bool { return w.introspect(v.access)["active"] == true },
		"introspection of the refresh token": func() bool { return w.introspect(v.refresh)["active"] == true },
		"user info":                          func() bool { return w.userInfo(v.access) == http.StatusOK },
		"a refresh": func() bool {
			return v.keep(w.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {v.refresh}}))
		},
		"the session": func() bool { return v.silent(w) },
		"a code": func() bool {
			code := v.held
			v.held = ""
			if code == "" {
				return false
			}
			status, _ := w.redeem(code)
			return status == http.StatusOK
		},
		"a new sign-in": func() bool { return anew(w) },
	}
}

func (w *world) userInfo(accessToken string) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/oauth2/userinfo", nil)
	w.ok(err)
	r.Header.Set("Authorization", "Bearer "+accessToken)
	return w.browser().do(r).StatusCode
}

// From the answer to active:false on nothing lets the person in, however many clients try meanwhile, and in whichever process.
func TestDeactivation_leaves_no_gap(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{})
		alice := f.hire(`{"userName":"alice@acme.example","active":true}`)
		w.provision()
		const clients = 32
		visitors := make([]*visitor, clients)
		for i := range visitors {
			visitors[i] = w.visitor()
		}
		if m := w.member("alice@acme.example"); m == nil || m.Membership.State != member.Active || !m.Membership.Primary {
			t.Fatalf("member %+v", m)
		}

		var answered atomic.Bool
		var before, trying sync.WaitGroup
		var worked sync.Map // the ways that let somebody in before
		before.Add(clients)
		for i, v := range visitors {
			trying.Go(func() {
				first := true
				for rounds := 0; rounds < 2; {
					late := answered.Load()
					for name, way := range v.ways(w) {
						if name == "a new sign-in" && i%8 != 0 { // costs more than all others together
							continue
						}
						late := answered.Load() // asked before the client asks
						switch in := way(); {
						case in && late:
							t.Errorf("after the answer %s still let the person in", name)
						case in:
							worked.Store(name, true)
						}
					}
					if first {
						first = false
						before.Done()
					}
					if late {
						rounds++
					}
				}
			})
		}
		before.Wait()
		f.active(alice.ID, false)
		answered.Store(true)
		trying.Wait()
		for name := range visitors[0].ways(w) {
			if _, ok := worked.Load(name); !ok {
				t.Errorf("%s let nobody in before", name)
			}
		}

		var open int64
		w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL`).Scan(&open))
		if open != 0 {
			t.Errorf("%d sessions are open", open)
		}

		m := w.member("alice@acme.example")
		if m.Membership.State != member.Inactive || m.User.DeprovisionedAt.IsZero() {
			t.Errorf("member %+v of %+v", m.Membership, m.User)
		}
		next := w.restarted()
		next.provisioned()
		next.provision()
		for _, v := range visitors[:4] {
			for name, way := range v.ways(next) {
				if way() {
					t.Errorf("after a restart %s lets the person in", name)
				}
			}
		}
		f = next.enter(next.dirs, f.secret)
		f.active(alice.ID, true)
		next.provision()
		if !anew(next) {
			t.Error("who is wanted again does not come in")
		}
		if back := next.member("alice@acme.example"); back.Membership.ID != m.Membership.ID || back.Membership.State != member.Active || !back.User.DeprovisionedAt.IsZero() {
			t.Errorf("the member who returned is %+v of %+v", back.Membership, back.User)
		}
	})
}
