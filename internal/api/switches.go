package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/switching"
)

const switchNoun = "Identity provider switch"

// switchOf reads whose switch the address names.
func (c *call) switchOf() (org.ID, switching.ID, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return "", "", err
	}
	one := c.path["switch_id"]
	if !isID(one, switching.Prefix) {
		return "", "", errMissing(switchNoun, one)
	}
	return id, switching.ID(one), nil
}

func showSwitch(s switching.Switch, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(s.Payload())), nil
}

func listSwitches(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(switching.Prefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Switches.List(c.ctx(), switching.ListQuery{OrganizationID: id, Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending})
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(s switching.Switch) string { return string(s.ID) },
		func(s switching.Switch) (jsontext.Value, error) { return jsontext.Value(s.Payload()), nil })
	return ok(page), err
}

// sideOf is one side as a client names it. null is the same as leaving out.
type sideOf struct {
	ConnectionID *string `json:"connection_id"`
	DirectoryID  *string `json:"directory_id"`
}

func (s sideOf) connection(side string) (string, error) {
	return partOf(s.ConnectionID, side+".connection_id", "unknown_connection", sso.ConnectionPrefix)
}

func (s sideOf) directory(side string) (string, error) {
	return partOf(s.DirectoryID, side+".directory_id", "unknown_directory", directoryPrefix)
}

func partOf(given *string, field, code, prefix string) (string, error) {
	switch {
	case given == nil || *given == "":
		return "", nil
	case !isID(*given, prefix):
		return "", errField(field, code, "'%.80s' is the id of nothing that could be switched: it begins with %s_.", *given, prefix)
	}
	return *given, nil
}

type newSwitch struct {
	From sideOf `json:"from"`
	To   sideOf `json:"to"`
}

func (n newSwitch) read() (out lifecycle.NewSwitch, err error) {
	for _, one := range []struct {
		into *string
		read func(string) (string, error)
		side string
	}{
		{&out.Connection.From, n.From.connection, "from"},
		{&out.Connection.To, n.To.connection, "to"},
		{&out.Directory.From, n.From.directory, "from"},
		{&out.Directory.To, n.To.directory, "to"},
	} {
		if *one.into, err = one.read(one.side); err != nil {
			return out, err
		}
	}
	return out, nil
}

func createSwitch(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	var wanted newSwitch
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	n, err := wanted.read()
	if err != nil {
		return answer{}, err
	}
	made, err := c.o.Switches.Create(c.ctx(), c.actor, id, n)
	if err != nil {
		return answer{}, err
	}
	counted, err := c.o.Switches.Get(c.ctx(), id, made.ID)
	return answer{http.StatusCreated, jsontext.Value(counted.Payload())}, err
}

func getSwitch(c *call) (answer, error) {
	id, one, err := c.switchOf()
	if err != nil {
		return answer{}, err
	}
	return showSwitch(c.o.Switches.Get(c.ctx(), id, one))
}

type cutOver struct {
	Unmatched  jsontext.Value `json:"expected_unmatched"`
	GroupsLost jsontext.Value `json:"expected_groups_lost"`
	Leaving    jsontext.Value `json:"expected_leaving"`
}

func cutOverSwitch(c *call) (answer, error) {
	id, one, err := c.switchOf()
	if err != nil {
		return answer{}, err
	}
	var wanted cutOver
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	var e lifecycle.Expected
	for _, n := range []struct {
		name string
		from jsontext.Value
		to   **int
	}{{"expected_unmatched", wanted.Unmatched, &e.Unmatched}, {"expected_groups_lost", wanted.GroupsLost, &e.GroupsLost}, {"expected_leaving", wanted.Leaving, &e.Leaving}} {
		if *n.to, err = number(n.name, n.from); err != nil {
			return answer{}, err
		}
	}
	return showSwitch(c.o.Switches.CutOver(c.ctx(), c.actor, id, one, e))
}

func revertSwitch(c *call) (answer, error) {
	id, one, err := c.switchOf()
	if err != nil {
		return answer{}, err
	}
	return showSwitch(c.o.Switches.Revert(c.ctx(), c.actor, id, one))
}

func cancelSwitch(c *call) (answer, error) {
	id, one, err := c.switchOf()
	if err != nil {
		return answer{}, err
	}
	return showSwitch(c.o.Switches.Cancel(c.ctx(), c.actor, id, one))
}

type shownPairing struct {
	Object     string          `json:"object"`
	ID         string          `json:"id"`
	Match      switching.Match `json:"match"`
	By         *string         `json:"found_by"`
	Membership *string         `json:"organization_membership_id"`
	Old        *shownSide      `json:"old"`
	New        *shownSide      `json:"new"`
	Candidates []string        `json:"candidates"`
}

// shownSide is a person or group of one side. Of groups only id and name are shown.
type shownSide struct {
	ID         string  `json:"id"`
	Name       *string `json:"name"`
	Email      *string `json:"email,omitzero"`
	UserName   *string `json:"user_name,omitzero"`
	ExternalID *string `json:"external_id,omitzero"`
	Active     *bool   `json:"active,omitzero"`
}

func showPairing(kind switching.Kind, p lifecycle.Pairing) shownPairing {
	out := shownPairing{
		Object: "identity_provider_switch_" + string(kind), ID: p.ID, Match: p.Match, By: optional(string(p.By)), Membership: optional(p.Membership),
		Old: showSide(kind, p.Old), New: showSide(kind, p.New), Candidates: p.Candidates,
	}
	if out.Candidates == nil {
		out.Candidates = []string{}
	}
	return out
}

func showSide(kind switching.Kind, s *lifecycle.PairingSide) *shownSide {
	if s == nil {
		return nil
	}
	out := &shownSide{ID: s.ID, Name: optional(s.Name)}
	if kind == switching.People {
		out.Email, out.UserName, out.ExternalID, out.Active = optional(s.Email), optional(s.UserName), optional(s.ExternalID), &s.In
	}
	return out
}

func listSwitchPeople(c *call) (answer, error) {
	return c.listPairings(switching.People, userPrefix, membershipPrefix)
}

func listSwitchGroups(c *call) (answer, error) {
	return c.listPairings(switching.Groups, groupPrefix)
}

func (c *call) listPairings(kind switching.Kind, prefixes ...string) (answer, error) {
	id, one, err := c.switchOf()
	if err != nil {
		return answer{}, err
	}
	p, err := c.pagingAmong(false, prefixes...)
	if err != nil {
		return answer{}, err
	}
	match := switching.Match(c.query.Get("match"))
	switch match {
	case "", switching.Matched, switching.Unmatched, switching.Ambiguous, switching.OnlyNew:
	default:
		return answer{}, errField("match", "invalid_match", "match is matched, unmatched, ambiguous or only_new, not %.40q.", string(match))
	}
	found, more, err := c.o.Switches.Pairings(c.ctx(), id, one, kind, lifecycle.PairingQuery{
		Match: match, Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	})
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(l lifecycle.Pairing) string { return l.ID },
		func(l lifecycle.Pairing) (jsontext.Value, error) { return encode(showPairing(kind, l)) })
	return ok(page), err
}

func setSwitchPerson(c *call) (answer, error) {
	return c.setPairing(switching.People, userPrefix, userPrefix, membershipPrefix)
}

func setSwitchGroup(c *call) (answer, error) {
	return c.setPairing(switching.Groups, groupPrefix, groupPrefix)
}

// setPairing takes the id of the new side, or null for nobody; which of the two has to be said.
func (c *call) setPairing(kind switching.Kind, prefix string, prefixes ...string) (answer, error) {
	id, one, err := c.switchOf()
	if err != nil {
		return answer{}, err
	}
	old := c.path["old_id"]
	if !isAnyID(old, prefixes) {
		return answer{}, errMissing("Old side", old)
	}
	var wanted struct {
		NewID jsontext.Value `json:"new_id"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	next, err := textOrNull("new_id", wanted.NewID)
	switch {
	case err != nil:
		return answer{}, err
	case next == nil:
		return answer{}, errField("new_id", "required", "Say who it is in the new directory, or null for nobody.")
	case *next == "" && wanted.NewID.Kind() != 'n', *next != "" && !isID(*next, prefix):
		return answer{}, errField("new_id", "unknown_counterpart", "The new directory has no '%.80s'.", *next)
	}
	found, err := c.o.Switches.SetMatch(c.ctx(), c.actor, id, one, kind, old, *next)
	if err != nil {
		return answer{}, err
	}
	return ok(showPairing(kind, found)), nil
}
