package itadmin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
)

// told are the changes of a provider, a certificate, a token or a contact, what a brake holds, and the steps of a switch that everybody feels, and what a mail says that happened.
func told() map[event.Action]string {
	return map[event.Action]string{
		"connection.created": "A connection for single sign-on was added",
		"connection.updated": "The settings of a connection for single sign-on were changed",

		event.Action(event.ConnectionDeactivated):        "A connection for single sign-on was switched off",
		event.Action(event.ConnectionDeleted):            "A connection for single sign-on was deleted",
		event.Action(event.ConnectionCertificateRenewed): "The signing certificate of a connection was renewed",

		"directory.created": "A directory was added",
		"directory.updated": "The settings of a directory were changed",

		event.Action(event.DirectoryDeleted):      "A directory was deleted",
		event.Action(event.DirectoryTokenCreated): "A token for directory sync was made",
		event.Action(event.DirectoryTokenRevoked): "A token for directory sync was revoked",

		event.Action(event.APIKeyCreated): "An API key that opens directory sync was made",
		event.Action(event.APIKeyUpdated): "An API key that opens directory sync was changed",
		event.Action(event.APIKeyRevoked): "An API key that opens directory sync was deleted",

		org.ApprovalAsked:   "The operator was asked to approve a domain without a DNS record",
		org.ApprovalRefused: "The operator refused to approve a domain without a DNS record",
		org.ApprovalGranted: "The operator approved a domain without a DNS record",

		event.Action(event.DirectoryBrakeEngaged):  "The brake of a directory holds people who were shut out in a burst",
		event.Action(event.DirectoryBrakeReleased): "Held people of a directory were released, and lose their accounts",
		event.Action(event.DirectoryBrakeUndone):   "Held people of a directory were let in again",

		event.Action(event.SwitchCutOver):  "The identity provider was switched over",
		event.Action(event.SwitchReverted): "The switch of the identity provider was reverted",

		ContactCreated: "An IT contact was added",
		ContactDeleted: "An IT contact was removed",
	}
}

// watched are the actions whose notices are taken.
func watched() []event.Action {
	out := []event.Action{event.Action(event.ConnectionCertificateEnding)}
	for a := range told() {
		out = append(out, a)
	}
	return out
}

const (
	noticesAtOnce = 50
	// What is done in one go, like making a directory and its token, is told in one mail.
	noticeSettles = 3 * time.Second
)

// TellOfChanges writes the mails about changes, some of them, and tells how many changes it took.
func (s *Service) TellOfChanges(ctx context.Context) (n int, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		taken, err := s.o.Events.TakeNoticesTx(ctx, tx, s.time().Add(-noticeSettles), noticesAtOnce)
		if err != nil {
			return err
		}
		n = len(taken)
		byOrganization := map[string][]event.Notice{}
		var order []string
		for _, t := range taken {
			if byOrganization[t.OrganizationID] == nil {
				order = append(order, t.OrganizationID)
			}
			byOrganization[t.OrganizationID] = append(byOrganization[t.OrganizationID], t)
		}
		for _, id := range order {
			if err := s.tellTx(ctx, tx, org.ID(id), byOrganization[id]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("tell of changes: %w", err)
	}
	return n, nil
}

// tellTx writes the mails about changes of one organization: one for each certificate that ends, one for all the rest.
func (s *Service) tellTx(ctx context.Context, tx db.Tx, id org.ID, taken []event.Notice) error {
	o, err := s.o.Organizations.GetIn(ctx, tx, id)
	if f, ok := fault.As(err); ok && f.Kind == fault.NotFound {
		return nil // deleted, and its contacts with it
	}
	if err != nil {
		return err
	}
	to, err := s.recipientsTx(ctx, tx, id, taken)
	if err != nil {
		return err
	}
	changes := mail.ProviderChange{Organization: o.Name}
	for _, n := range taken {
		switch line, tells := lineOf(n); {
		case n.Action == event.Action(event.ConnectionCertificateEnding):
			if err := s.tellEndingTx(ctx, tx, o, to, n); err != nil {
				return err
			}
		case tells && !slices.Contains(changes.Changes, line):
			changes.Changes = append(changes.Changes, line)
		}
	}
	if len(changes.Changes) == 0 {
		return nil
	}
	return s.sendTx(ctx, tx, id, to, func(r recipient) mail.Content {
		out := changes
		out.Link, out.LinkLabel = s.pageOf(id, r, taken)
		return out
	})
}

// pageOf is where changes are seen, and where it is decided what waits for somebody: people whom a brake holds, for an hour at most, before the
// question for a domain. Contacts are led to the portal, where they ask for a link first, the operator to the dashboard.
func (s *Service) pageOf(id org.ID, r recipient, taken []event.Notice) (link, label string) {
	of := func(part string) int {
		return slices.IndexFunc(taken, func(n event.Notice) bool { return strings.HasPrefix(string(n.Action), part) })
	}
	hold, domain := of(string(event.DirectoryBrakeEngaged)), of("organization_domain.")
	if r.operator {
		own := s.o.Dashboard() + "organizations/" + string(id)
		switch {
		case hold >= 0:
			return s.o.Dashboard() + "directories/" + detailsOf(taken[hold]).DirectoryID + "/holds/" + taken[hold].Target, "See who is held"
		case domain >= 0:
			return own + "/domains", "See the domains"
		}
		return own, "See the organization"
	}
	portal := s.o.Base(string(id)) + Path
	switch {
	case hold >= 0:
		return portal + "/brake/" + detailsOf(taken[hold]).DirectoryID + "/" + taken[hold].Target, "See who is held"
	case domain >= 0:
		return portal + "/domains", "See the domains"
	}
	return portal, "Ask for a link to the portal"
}

// tellEndingTx writes the mails about a certificate that ends. The event is appended once for each connection and stage, and so are they.
func (s *Service) tellEndingTx(ctx context.Context, tx db.Tx, o org.Organization, to []recipient, n event.Notice) error {
	connection := detailsOf(n).Connection.ID
	ending, ok, err := s.o.Ending(ctx, tx, string(o.ID), connection)
	if err != nil || !ok {
		return err // the connection is gone, or has another certificate by now
	}
	ending.Organization = o.Name
	return s.sendTx(ctx, tx, o.ID, to, func(r recipient) mail.Content {
		out := ending
		if out.Link = s.o.Base(string(o.ID)) + Path + "/certificates/" + connection; r.operator {
			out.Link = s.o.Dashboard() + "connections/" + connection
		}
		return out
	})
}

// recipient is somebody who is told: a contact, or the operator.
type recipient struct {
	address  string
	operator bool
}

// recipientsTx are the contacts of an organization, one who was just removed too, and the operator, if no contact has the same address.
func (s *Service) recipientsTx(ctx context.Context, tx db.Tx, id org.ID, taken []event.Notice) ([]recipient, error) {
	found, err := s.AllTx(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	var to []recipient
	add := func(r recipient) {
		if r.address != "" && !slices.ContainsFunc(to, func(have recipient) bool { return strings.EqualFold(have.address, r.address) }) {
			to = append(to, r)
		}
	}
	for _, c := range found {
		add(recipient{address: c.Email})
	}
	for _, n := range taken {
		if n.Action == ContactDeleted {
			add(recipient{address: emailOf(n)})
		}
	}
	add(recipient{s.o.Operator, true})
	return to, nil
}

func (s *Service) sendTx(ctx context.Context, tx db.Tx, id org.ID, to []recipient, content func(recipient) mail.Content) error {
	for _, r := range to {
		err := s.o.Mails.PutTx(ctx, tx, mail.Message{OrganizationID: string(id), To: r.address, Content: content(r)})
		if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
			s.o.Logger.Warn("an IT contact has an address that no mail can be sent to", "organization", string(id), "cause", f.Code)
			continue // the others are told all the same
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// details are what payloads and changes say that a mail tells.
type details struct {
	Name        jsontext.Value `json:"name"`
	Permissions []string       `json:"permissions"`
	Connection  struct {
		ID string `json:"id"`
	} `json:"connection"`

	DirectoryID     string `json:"directory_id"`
	Reason          string `json:"reason"`
	Until           string `json:"until"`
	RevertibleUntil string `json:"revertible_until"`
	Departed        int    `json:"departed"`
	Active          int    `json:"active"`
	Count           int    `json:"count"`
}

func detailsOf(n event.Notice) (d details) {
	_ = json.Unmarshal(n.Details, &d, jsontext.AllowInvalidUTF8(true)) // what cannot be read is told without its particulars
	return d
}

// changed is one setting in what Diff says.
type changed struct {
	Before jsontext.Value `json:"before"`
	After  jsontext.Value `json:"after"`
}

// lineOf is what a mail says of a change; false for one that is no matter of the identity provider.
func lineOf(n event.Notice) (mail.Change, bool) {
	what, known := told()[n.Action]
	if !known || strings.HasPrefix(string(n.Action), "api_key.") && !slices.Contains(detailsOf(n).Permissions, org.PermissionSCIM) {
		return mail.Change{}, false
	}
	out := mail.Change{What: what, ID: n.Target, Name: nameOf(n), Who: whoIs(n.Context.Actor), At: n.At}
	if strings.HasSuffix(string(n.Action), ".updated") && !strings.HasPrefix(string(n.Action), "api_key.") {
		out.Settings = settingsOf(n)
	}
	return heldOrSwitched(out, n), true
}

// heldOrSwitched adds to a line what whoever reads it has to know of a hold, or of a switch: how many, and until when it can be decided.
func heldOrSwitched(line mail.Change, n event.Notice) mail.Change {
	d := detailsOf(n)
	switch event.Type(n.Action) {
	case event.DirectoryBrakeEngaged:
		line.ID, line.Settings = d.DirectoryID, strings.TrimSpace(fmt.Sprintf("%d of %d active people left; release it or undo it %s", d.Departed, d.Active, until(d.Until)))
		line.Who = "" // nobody meant to
	case event.DirectoryBrakeReleased, event.DirectoryBrakeUndone:
		line.ID, line.Settings = d.DirectoryID, fmt.Sprintf("%d held", d.Count)
		if d.Reason == "expired" {
			line.Settings, line.Who = line.Settings+", by itself when the time had come", ""
		}
	case event.SwitchCutOver:
		line.Settings = strings.TrimSpace("can be reverted " + until(d.RevertibleUntil))
	default:
	}
	return line
}

// until writes a moment of a payload for people; "" for one that is not told.
func until(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return "until " + at.UTC().Format("2 January 2006, 15:04 UTC")
}

// settingsOf names what was changed; the values are for the audit.
func settingsOf(n event.Notice) string {
	diff := map[string]jsontext.Value{}
	_ = json.Unmarshal(n.Details, &diff, jsontext.AllowInvalidUTF8(true))
	out := make([]string, 0, len(diff))
	for name := range diff {
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// nameOf is how the thing is called that was changed, "" if that is not told.
func nameOf(n event.Notice) string {
	if email := emailOf(n); email != "" {
		return email
	}
	return textIn(detailsOf(n).Name)
}

// emailOf is the address of a contact that was added or removed.
func emailOf(n event.Notice) string {
	var d struct {
		Email jsontext.Value `json:"email"`
	}
	_ = json.Unmarshal(n.Details, &d, jsontext.AllowInvalidUTF8(true))
	return textIn(d.Email)
}

// textIn reads a text of a payload, or of what Diff says: the last that it was.
func textIn(v jsontext.Value) (text string) {
	if v.Kind() == '{' {
		var c changed
		_ = json.Unmarshal(v, &c)
		if v = c.After; v == nil {
			v = c.Before
		}
	}
	if v.Kind() == '"' {
		_ = json.Unmarshal(v, &text)
	}
	return text
}

// whoIs is who acted, in people's words.
func whoIs(a event.Actor) string {
	name := a.ID
	if a.Name != nil && *a.Name != "" {
		name = *a.Name
	}
	switch a.Source {
	case event.API:
		return name + " (API)"
	case event.Dashboard:
		return name + " (dashboard)"
	case event.AdminPortal:
		return name + " (portal)"
	case event.System:
	}
	return name
}
