package member_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// byVerbs is one person whom the verbs on a database move.
type byVerbs struct {
	*house
	email string
}

func directorys(id string) event.Context {
	return event.Context{Actor: event.Actor{ID: id, Source: event.System}}
}

// write does what callers of guarded writes do.
func (h *house) write(compute func(w *db.Write) error) error {
	for {
		var w db.Write
		if err := compute(&w); err != nil {
			return err
		}
		err := h.db.Write(h.t.Context(), &w)
		if err == nil {
			h.events.Nudge()
		}
		if err == nil || !repeated(err) {
			return err
		}
	}
}

// apply reads what is known of the person by turns beforehand and when they are looked at.
func (h *house) apply(d member.DirectoryPerson) (outcome member.Outcome, err error) {
	ahead := h.applications.Add(1)%2 == 0
	err = h.write(func(w *db.Write) error {
		var known *member.Foreknown
		if ahead {
			read, err := h.members.ReadAhead(h.t.Context(), h.db, []member.DirectoryPerson{d})
			if err != nil {
				return err
			}
			known = &read[0]
		}
		outcome, err = h.members.ApplyInto(h.t.Context(), h.db, w, d, known, directorys(d.DirectoryID))
		return err
	})
	return outcome, err
}

func (h *house) restrict(d member.DirectoryPerson) error {
	return h.write(func(w *db.Write) error {
		return h.members.RestrictInto(h.t.Context(), h.db, w, d, nil, directorys(d.DirectoryID))
	})
}

func (v byVerbs) Apply(_ time.Time, d member.DirectoryPerson) error {
	d.Email, d.DirectoryUserID = v.email, d.DirectoryUserID+v.email
	if d.Says != member.SaysActive {
		return v.restrict(d)
	}
	_, err := v.apply(d)
	return err
}

func (v byVerbs) EndHold(_ time.Time, e member.HoldEnd) error {
	e.DirectoryUserID += v.email
	return v.endHold(e)
}

func (h *house) endHold(e member.HoldEnd) error {
	return h.write(func(w *db.Write) error {
		return h.members.EndHoldInto(h.t.Context(), h.db, w, e, directorys(e.DirectoryID))
	})
}

func (v byVerbs) Freeze(_ time.Time, organizationID, directoryID string) {
	v.must(v.db.Tx(v.t.Context(), func(tx db.Tx) error {
		return v.members.FreezeTx(v.t.Context(), tx, organizationID, directoryID, directorys(directoryID))
	}))
}

func (v byVerbs) SignIn(_ time.Time, a member.Arrival) error {
	a.Email, a.IDPID = v.email, v.email
	if a.Standing.DirectoryUserID != "" {
		a.Standing.DirectoryUserID += v.email
		a.Standing.Key = v.email
	}
	_, _, err := v.signIn(a)
	return err
}

func (v byVerbs) of(organizationID string) (member.Member, bool) {
	u, err := v.members.UserByEmail(v.t.Context(), v.email)
	if fault.Is(err, fault.NotFound) {
		return member.Member{}, false
	}
	v.must(err)
	m, err := v.members.MemberOf(v.t.Context(), organizationID, u.ID)
	if fault.Is(err, fault.NotFound) {
		return member.Member{User: u}, true
	}
	v.must(err)
	return m, true
}

func (v byVerbs) Invite(_ time.Time, organizationID string) error {
	_, err := v.members.Invite(v.t.Context(), operator(), member.NewInvitation{OrganizationID: organizationID, Email: v.email})
	return err
}

func (v byVerbs) Accept(_ time.Time, organizationID string) error {
	m, _ := v.of(organizationID)
	_, err := v.members.AcceptInvitation(v.t.Context(), operator(), member.InvitationID(m.Membership.InvitationID))
	return err
}

func (v byVerbs) Create(_ time.Time, organizationID string) error {
	m, _ := v.of(organizationID)
	_, err := v.members.CreateMembership(v.t.Context(), operator(), member.NewMembership{OrganizationID: organizationID, UserID: m.User.ID})
	return err
}

func (v byVerbs) Deactivate(_ time.Time, organizationID string) error {
	m, _ := v.of(organizationID)
	_, err := v.members.Deactivate(v.t.Context(), operator(), m.Membership.ID)
	return err
}

func (v byVerbs) Reactivate(_ time.Time, organizationID string) error {
	m, _ := v.of(organizationID)
	_, err := v.members.Reactivate(v.t.Context(), operator(), m.Membership.ID)
	return err
}

func (v byVerbs) Remove(_ time.Time, organizationID string) error {
	m, _ := v.of(organizationID)
	return v.members.Remove(v.t.Context(), operator(), m.Membership.ID)
}

// Look also says when somebody who is not in still has a session.
func (v byVerbs) Look(organizationID string) member.Seen {
	m, known := v.of(organizationID)
	if !known {
		return member.Seen{}
	}
	open := v.count(`SELECT COUNT(*) FROM sessions WHERE organization_id = $1 AND user_id = $2 AND ended_at IS NULL`, organizationID, string(m.User.ID))
	if m.Membership.State != member.Active && open > 0 {
		v.t.Fatalf("%s, and %d sessions go on", m.Membership.State, open)
	}
	return member.Seen{Membership: m.Membership, Deprovisioned: m.User.DeprovisionedBy != ""}
}

// TestVerbs_do_what_the_model_says walks the same lives through the verbs, on both engines.
func TestVerbs_do_what_the_model_says(t *testing.T) {
	onEach(t, func(h *house) {
		h.invites()
		for seed := range uint64(12) {
			rng := rand.New(rand.NewPCG(seed, 11))
			v := byVerbs{h, fmt.Sprintf("ada%d@acme.example", seed)}
			organizations := [2]string{h.organization("One"), h.organization("Two")}
			known := seed%2 == 0
			if known {
				_, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: v.email, EmailVerified: true})
				h.must(err)
			}
			m := newModel(t, rng, v, organizations, known)
			for range 40 {
				m.step()
			}
		}
	})
}
