package member_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/token"
)

// byVerbs is one person whom the verbs on a database move.
type byVerbs struct {
	*house
	email string
	now   *time.Time // as the verbs have it
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

func (v byVerbs) Apply(now time.Time, d member.DirectoryPerson) error {
	*v.now = now
	d.Email, d.DirectoryUserID = v.email, d.DirectoryUserID+v.email
	if d.Says != member.SaysActive {
		return v.restrict(d)
	}
	_, err := v.apply(d)
	return err
}

func (v byVerbs) EndHold(now time.Time, e member.HoldEnd) error {
	*v.now = now
	e.DirectoryUserID += v.email
	return v.endHold(e)
}

func (h *house) endHold(e member.HoldEnd) error {
	return h.write(func(w *db.Write) error {
		return h.members.EndHoldInto(h.t.Context(), h.db, w, e, directorys(e.DirectoryID))
	})
}

func (v byVerbs) Freeze(now time.Time, organizationID, directoryID string) {
	*v.now = now
	v.must(v.db.Tx(v.t.Context(), func(tx db.Tx) error {
		return v.members.FreezeTx(v.t.Context(), tx, organizationID, directoryID, directorys(directoryID))
	}))
}

func (v byVerbs) SignIn(now time.Time, a member.Arrival) error {
	*v.now = now
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

func (v byVerbs) Invite(now time.Time, n member.NewInvitation) error {
	*v.now, n.Email = now, v.email
	_, err := v.members.Invite(v.t.Context(), operator(), n)
	return err
}

// open is the invitation that can be accepted or taken back.
func (v byVerbs) open(organizationID string) member.InvitationID {
	found, _, err := v.members.Invitations(v.t.Context(), member.InvitationQuery{OrganizationID: organizationID, Email: v.email, Limit: 1})
	v.must(err)
	if len(found) == 0 {
		return "none"
	}
	return found[0].ID
}

func (v byVerbs) Accept(now time.Time, organizationID string) error {
	*v.now = now
	_, err := v.members.AcceptInvitation(v.t.Context(), operator(), v.open(organizationID))
	return err
}

func (v byVerbs) Revoke(now time.Time, organizationID string) error {
	*v.now = now
	_, err := v.members.RevokeInvitation(v.t.Context(), operator(), v.open(organizationID))
	return err
}

func (v byVerbs) Lapse(now time.Time) error {
	*v.now = now
	return v.members.LapseInvitations(v.t.Context())
}

func (v byVerbs) Create(now time.Time, n member.NewMembership) error {
	m, _ := v.of(n.OrganizationID)
	*v.now, n.UserID = now, m.User.ID
	_, err := v.members.CreateMembership(v.t.Context(), operator(), n)
	return err
}

func (v byVerbs) Deactivate(now time.Time, organizationID string) error {
	*v.now = now
	m, _ := v.of(organizationID)
	_, err := v.members.Deactivate(v.t.Context(), operator(), m.Membership.ID)
	return err
}

func (v byVerbs) Reactivate(now time.Time, organizationID string) error {
	*v.now = now
	m, _ := v.of(organizationID)
	_, err := v.members.Reactivate(v.t.Context(), operator(), m.Membership.ID)
	return err
}

func (v byVerbs) Remove(now time.Time, organizationID string) error {
	*v.now = now
	m, _ := v.of(organizationID)
	return v.members.Remove(v.t.Context(), operator(), m.Membership.ID)
}

func (v byVerbs) Give(now time.Time, organizationID string, c member.MembershipChanges) error {
	*v.now = now
	m, _ := v.of(organizationID)
	_, err := v.members.UpdateMembership(v.t.Context(), operator(), m.Membership.ID, c)
	return err
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
	seen := member.Seen{Membership: m.Membership, Deprovisioned: m.User.DeprovisionedBy != ""}
	places, err := access.PlacesIn(v.t.Context(), v.db, organizationID, string(m.Membership.ID))
	v.must(err)
	for _, place := range places {
		seen.Teams = append(seen.Teams, string(place.Team))
	}
	return seen
}

// furnished is an organization with what members are given in the model, and its teams.
func (h *house) furnished(name string) (id string, teams []string) {
	h.t.Helper()
	id, give := h.organization(name), h.members.Access()
	for i, slug := range member.PureRoles {
		_, err := give.CreateRole(h.t.Context(), operator(), access.NewRole{OrganizationID: id, Slug: slug, Name: slug, Priority: int64(i + 1)})
		h.must(err)
	}
	for slug, seats := range member.PureLicences {
		n := access.NewLicenceType{OrganizationID: id, Slug: slug, Name: slug, OverLimit: access.Refuse}
		if seats > 0 {
			n.Seats = &seats
		}
		_, err := give.CreateLicenceType(h.t.Context(), operator(), n)
		h.must(err)
	}
	for _, name := range []string{"Engines", "Looms"} {
		team, err := give.CreateTeam(h.t.Context(), operator(), access.NewTeam{OrganizationID: id, Name: name})
		h.must(err)
		teams = append(teams, string(team.ID))
	}
	slices.Sort(teams)
	return id, teams
}

// TestVerbs_do_what_the_model_says walks the same lives through the verbs, on both engines.
func TestVerbs_do_what_the_model_says(t *testing.T) {
	onEach(t, func(h *house) {
		now := noon
		h.members = member.NewService(h.db, h.events, token.NewSource(time.Now), h.orgs, h.sessions, func() time.Time { return now })
		h.invites()
		for seed := range uint64(12) {
			rng := rand.New(rand.NewPCG(seed, 11))
			v := byVerbs{h, fmt.Sprintf("ada%d@acme.example", seed), &now}
			one, teamsOfOne := h.furnished("One")
			two, teamsOfTwo := h.furnished("Two")
			known := seed%2 == 0
			if known {
				_, err := h.members.CreateUser(t.Context(), operator(), member.NewUser{Email: v.email, EmailVerified: true})
				h.must(err)
			}
			m := newModel(t, rng, v, [2]string{one, two}, known)
			m.lives[0].teams, m.lives[1].teams = teamsOfOne, teamsOfTwo
			for range 40 {
				m.step()
			}
		}
	})
}
