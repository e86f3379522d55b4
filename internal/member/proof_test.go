package member_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// A guest outside the verified domains is let in by the proof of their address beside the connection's word, and by nothing less.
func TestProof_of_an_address_opens_that_account_and_that_address_alone(t *testing.T) {
	const guest, invitation = "eve@home.example", "invitation_1"
	eve := func(state member.State, identities ...member.Identity) *member.Person {
		return &member.Person{
			User:       member.User{ID: "user_eve", Email: guest, EmailVerified: true, Version: 1},
			Membership: &member.Membership{ID: "om_eve", OrganizationID: here, UserID: "user_eve", State: state, Why: member.WhyInvited, InvitationID: invitation, Role: "member", Version: 1},
			Identities: identities,
		}
	}
	id := func(by member.LinkedBy) member.Identity {
		return member.Identity{ConnectionID: conn, IDPID: idpID, OrganizationID: here, UserID: "user_eve", LinkedBy: by}
	}
	nobodysMember := eve(member.Active)
	nobodysMember.Membership = nil
	byIdentity := func(p *member.Person) member.Facts { return member.Facts{ByIdentity: p, ByEmail: p} }
	known := member.Standing{Says: member.SaysActive, DirectoryID: "directory_1", DirectoryUserID: thisPerson, JoinedBy: member.JoinedByExternalID, Key: idpID}
	for _, c := range []struct {
		name string
		f    member.Facts
		a    member.Arrival
		code string // "": let in
	}{
		{"with the proof", member.Facts{ByEmail: eve(member.Active)}, member.Arrival{Proven: "user_eve"}, ""},
		{"while accepting", member.Facts{ByEmail: eve(member.Pending)}, member.Arrival{Proven: "user_eve", InvitationID: invitation}, ""},
		{"again", byIdentity(eve(member.Active, id(member.LinkedByProof))), member.Arrival{Proven: "user_eve"}, ""},
		{"who came in while the connection might speak for anybody", byIdentity(eve(member.Active, id(member.LinkedByCreation))), member.Arrival{Proven: "user_eve"}, ""},
		{"known to the directory too", member.Facts{ByEmail: eve(member.Active), ByDirectory: eve(member.Active)}, member.Arrival{Proven: "user_eve", Standing: known}, ""},
		{"with a connection that may speak for anybody", byIdentity(eve(member.Active, id(member.LinkedByProof))), member.Arrival{Proven: "user_eve", Trust: true}, ""},
		{"whose domain is verified by now", byIdentity(eve(member.Active, id(member.LinkedByProof))), member.Arrival{EmailVerified: true}, ""},

		{"without it", member.Facts{ByEmail: eve(member.Active)}, member.Arrival{}, member.CodeEmailDomain},
		{"without it, where the connection may speak for anybody", byIdentity(eve(member.Active, id(member.LinkedByProof))), member.Arrival{Trust: true}, member.CodeEmailDomain},
		{"with another's proof", member.Facts{ByEmail: eve(member.Active)}, member.Arrival{Proven: "user_mallory"}, member.CodeEmailDomain},
		{"with another's proof and the known id", byIdentity(eve(member.Active, id(member.LinkedByCreation))), member.Arrival{Proven: "user_mallory"}, member.CodeEmailDomain},
		{"of an address that is nobody's", member.Facts{}, member.Arrival{Proven: "user_eve"}, member.CodeEmailDomain},
		{"by the directory alone", member.Facts{ByDirectory: eve(member.Active)}, member.Arrival{Proven: "user_eve", Standing: known}, member.CodeEmailDomain},
		{"with another address of theirs", byIdentity(eve(member.Active, id(member.LinkedByProof))), member.Arrival{Proven: "user_eve", Email: "boss@b.example"}, member.CodeEmailDomain},
		{"with the known id and an address that the connection may speak for", member.Facts{ByIdentity: eve(member.Active, id(member.LinkedByProof))}, member.Arrival{Email: address, EmailVerified: true}, member.CodeIdentityConflict},
		{"who is no member", member.Facts{ByEmail: nobodysMember}, member.Arrival{Proven: "user_eve"}, member.CodeEmailDomain},
		{"who was removed", member.Facts{ByEmail: eve(member.Removed)}, member.Arrival{Proven: "user_eve", InvitationID: invitation}, member.CodeEmailDomain},
		{"who was blocked", member.Facts{ByEmail: eve(member.Inactive)}, member.Arrival{Proven: "user_eve", InvitationID: invitation}, member.CodeEmailDomain},
		{"who accepts nothing", member.Facts{ByEmail: eve(member.Pending)}, member.Arrival{Proven: "user_eve"}, member.CodeEmailDomain},
		{"who accepts another invitation", member.Facts{ByEmail: eve(member.Pending)}, member.Arrival{Proven: "user_eve", InvitationID: "invitation_2"}, member.CodeEmailDomain},
		{"under another id", member.Facts{ByEmail: eve(member.Active, member.Identity{ConnectionID: conn, IDPID: "former", OrganizationID: here, UserID: "user_eve", LinkedBy: member.LinkedByProof})}, member.Arrival{Proven: "user_eve"}, member.CodeIdentityConflict},
		{"whom the directory wants out", member.Facts{ByEmail: eve(member.Active)}, member.Arrival{Proven: "user_eve", Standing: member.Standing{Says: member.SaysInactive}}, member.CodeDeprovisioned},
	} {
		a := c.a
		a.OrganizationID, a.ConnectionID, a.IDPID, a.JIT = here, conn, idpID, member.JITVerifiedDomain
		if a.Email == "" {
			a.Email = guest
		}
		if a.Standing.Says == "" {
			a.Standing.Says = member.NoDirectory
		}
		ad, err := member.Admit(c.f, a, noon)
		if c.code != "" {
			if f, ok := fault.As(err); !ok || f.Code != c.code {
				t.Errorf("%s: %+v, %v, want %s", c.name, ad.User, err, c.code)
			}
			continue
		}
		if err != nil || ad.User.ID != "user_eve" || ad.Membership.State != member.Active || ad.ByProof() == a.EmailVerified {
			t.Errorf("%s: %+v by proof %t, %v", c.name, ad.Membership, ad.ByProof(), err)
		}
		if !a.EmailVerified && (ad.Membership.DirectoryUserID != "" || ad.Membership.Primary || ad.User.HomeOrganizationID != "") {
			t.Errorf("%s: became more than a guest: %+v", c.name, ad.Membership)
		}
	}
}

// Matched with a person of a new directory, a guest could be signed in to by whoever keeps that.
func TestGuest_who_proves_their_address_is_none_whom_a_switch_matches_by_the_providers_id(t *testing.T) {
	onEach(t, func(h *house) {
		acme := h.organization("Acme")
		own, _ := h.in(arrival(acme, "1", ada))
		guest, _ := h.in(arrival(acme, "2", "eve@acme.example"))
		signers := func() []member.Standby {
			h.t.Helper()
			found, err := member.SignersIn(t.Context(), h.db, acme, own.Identity.ConnectionID)
			h.must(err)
			return found
		}
		if found := signers(); len(found) != 2 {
			t.Fatalf("%+v", found)
		}
		var w db.Write
		w.Exec(`UPDATE user_identities SET linked_by = $2 WHERE user_id = $1`, string(guest.User.ID), string(member.LinkedByProof))
		h.must(h.db.Write(t.Context(), &w))
		if found := signers(); len(found) != 1 || found[0].Membership != own.Membership.ID {
			t.Errorf("%+v", found)
		}
	})
}
