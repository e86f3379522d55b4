package scimapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/web"
)

// effect is what a request did, for the people who set up the identity provider: a sentence, and codes for programs. As JSON:
//
//	summary          the sentence
//	change           what happened to the store: a directory.Change, "unchanged" for reads
//	action           of what changed nothing: read, list, search, bulk, discovery, options
//	resource         "user" or "group"
//	id               of that resource
//	held             "waiting": the brake of the directory holds what follows of it
//	healed_id        the outdated id that was sent and led to the living record
//	events           [{type, count, id}], id being that of the first
//	members_added, members_removed, members_parked, members_cleared
//	refusal          {status, code, reason, field, wanted, got, fix_by, advice}
type effect struct {
	action  string
	summary string
	outcome directory.Outcome
	refusal *fault.Error
	// membersLeftOut: a PUT without members, which removes them all.
	membersLeftOut bool
	// unheeded: the organization has switched to another identity provider, so members do not follow what was stored.
	unheeded bool
}

// did says what a request that changes nothing was about.
func (c *call) did(action, summary string) {
	c.effect.action, c.effect.summary = action, summary
}

// healedTo notes that the id of the address is outdated, if it is.
func (c *call) healedTo(id string) {
	if id != c.target.id {
		c.effect.outcome.HealedID = c.target.id
	}
}

// repeatsItself: a refusal of whatever is sent. One that stopped a leaver's sign-in changed something, which is kept like any change.
func (e effect) repeatsItself() bool {
	return e.refusal != nil && (e.refusal.Kind == fault.Limited || e.refusal.Code == codeFeatureOff) && e.outcome.Change != directory.Suspended
}

func (e effect) appendJSON(dst []byte) []byte {
	o := e.outcome
	change := o.Change
	if change == "" {
		change = directory.Unchanged
	}
	dst = append(dst, `{"summary":`...)
	dst = scim.AppendString(dst, e.sentence())
	dst = appendText(dst, "change", string(change))
	dst = appendText(dst, "action", e.action)
	if o.User != nil {
		dst = appendText(appendText(dst, "resource", "user"), "id", string(o.User.ID))
	}
	if o.Group != nil {
		dst = appendText(appendText(dst, "resource", "group"), "id", string(o.Group.ID))
	}
	if e.held() {
		dst = appendText(dst, "held", string(o.User.Held))
	}
	dst = appendText(dst, "healed_id", shorten(text(o.HealedID)))
	dst = appendNumber(dst, "members_added", o.Added)
	dst = appendNumber(dst, "members_removed", o.Removed)
	dst = appendNumber(dst, "members_parked", o.Parked)
	if e.membersLeftOut {
		dst = appendNumber(dst, "members_cleared", o.Removed)
	}
	dst = appendEvents(dst, o)
	if e.refusal != nil {
		dst = appendRefusal(dst, e.refusal)
	}
	return append(dst, '}')
}

func appendText(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return scim.AppendString(dst, value)
}

func appendNumber(dst []byte, name string, n int) []byte {
	if n == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendEvents counts events of one type that follow each other; ids are those of the stored entries, one for each run.
func appendEvents(dst []byte, o directory.Outcome) []byte {
	if len(o.EventKind) == 0 {
		return dst
	}
	dst = append(dst, `,"events":[`...)
	for i, start := 0, 0; start < len(o.EventKind); i++ {
		end := start + 1
		for end < len(o.EventKind) && o.EventKind[end] == o.EventKind[start] {
			end++
		}
		if start > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"type":`...)
		dst = scim.AppendString(dst, o.EventKind[start])
		dst = appendNumber(dst, "count", end-start)
		if i < len(o.EventIDs) {
			dst = appendText(dst, "id", o.EventIDs[i])
		}
		dst = append(dst, '}')
		start = end
	}
	return append(dst, ']')
}

func appendRefusal(dst []byte, f *fault.Error) []byte {
	fix, advice := remedy(f)
	dst = append(dst, `,"refusal":{"status":`...)
	dst = strconv.AppendInt(dst, int64(web.Status(f.Kind)), 10)
	code := f.Code
	if code == "" {
		code = string(f.Kind)
	}
	dst = appendText(dst, "code", code)
	dst = appendText(dst, "reason", text(f.Message))
	dst = appendText(dst, "field", text(f.Field))
	dst = appendText(dst, "wanted", text(f.Wanted))
	dst = appendText(dst, "got", text(f.Got))
	dst = appendText(dst, "fix_by", fix)
	dst = appendText(dst, "advice", advice)
	return append(dst, '}')
}

// sentence is what an IT administrator reads first.
func (e effect) sentence() string {
	var parts []string
	if e.refusal != nil {
		parts = append(parts, "The request was refused: "+text(e.refusal.Message))
	} else if e.summary != "" {
		parts = append(parts, e.summary)
	}
	if s := e.changed(); s != "" {
		parts = append(parts, s)
	}
	if e.unheeded && e.outcome.Change != "" && e.outcome.Change != directory.Unchanged {
		parts = append(parts, "The organization has switched to another identity provider: this is stored, and changes no member.")
	}
	return strings.Join(slices.Concat(parts, e.besides()), " ")
}

func (e effect) changed() string {
	what := "person"
	if e.outcome.Group != nil {
		what = "group"
	}
	switch e.outcome.Change {
	case directory.Created:
		return "A " + what + " was added."
	case directory.Restored:
		return "This person was here before and was inactive; the same record, with the same id, is active again."
	case directory.Updated:
		return "The " + what + " was changed."
	case directory.Deleted:
		return "The " + what + " was deleted."
	case directory.Suspended:
		return "It asked to deactivate this person, so their sign-in was stopped all the same."
	case directory.Unchanged:
		if e.refusal == nil && e.action == "" {
			return "Nothing changed: what was sent is what is stored."
		}
	}
	return ""
}

// held: the request shut somebody out, or changed somebody who was, and the brake keeps that from going further.
func (e effect) held() bool {
	o := e.outcome
	return o.User != nil && o.User.Held == member.HeldWaiting && o.Change != "" && o.Change != directory.Unchanged
}

func (e effect) besides() []string {
	o := e.outcome
	var parts []string
	if e.held() {
		parts = append(parts, "The directory's brake holds it: the person is out, and the rest follows when the hold is released or its time has come.")
	}
	if o.HealedID != "" {
		parts = append(parts, "The id that was sent is outdated; it led to the record that took its place.")
	}
	if o.Added > 0 {
		parts = append(parts, members(o.Added)+" added.")
	}
	if e.membersLeftOut && o.Removed > 0 {
		parts = append(parts, "The request left members out, which removed all "+strconv.Itoa(o.Removed)+" of them.")
	} else if o.Removed > 0 {
		parts = append(parts, members(o.Removed)+" removed.")
	}
	if o.Parked > 0 {
		parts = append(parts, strconv.Itoa(o.Parked)+" of the members are not known yet; they join when they are created.")
	}
	return parts
}

func members(n int) string {
	if n == 1 {
		return "1 member was"
	}
	return strconv.Itoa(n) + " members were"
}

// Who has to do something about a refusal.
const (
	fixIT       = "it_admin" // whoever sets up the identity provider
	fixOperator = "operator" // whoever runs this server
	fixNobody   = "nobody"   // it passes by itself
)

// remedy says who must fix a refusal, and how.
func remedy(f *fault.Error) (by, advice string) {
	if f.Code == codeFeatureOff {
		return fixOperator, "The operator switches the feature directory_sync on for the organization. The identity provider then has to send its changes again: run a full sync."
	}
	switch f.Kind {
	case fault.Unauthorized:
		return fixIT, "Paste the current address and token of this directory into the identity provider. A revoked token stays refused."
	case fault.Conflict:
		return fixIT, "Two records of the identity provider map to the same name. Let its mapping give each a name of its own, or remove one."
	case fault.NotFound:
		return fixIT, "The identity provider refers to something that is not in this directory. Provision the person or group again so that it looks it up."
	case fault.TooLarge:
		return fixIT, "Let the identity provider send fewer changes in one request, if it has such a setting."
	case fault.Unsupported, fault.NotAllowed:
		return fixIT, "Switch off the feature of the identity provider that sends this."
	case fault.Precondition, fault.Limited:
		return fixNobody, "Identity providers send such a request again by themselves."
	case fault.Unavailable:
		return fixOperator, "If it does not pass: the operator finds the cause in the log under the request id."
	case fault.Internal:
		return fixOperator, "The operator finds the cause in the log under the request id."
	case fault.Invalid, fault.Unprocessable, fault.Forbidden:
	}
	return fixIT, adviceFor(f.Code)
}

func adviceFor(code string) string {
	switch code {
	case scim.CodeInvalidVers:
		return "Use the address of this directory as it is shown, with /v2."
	case scim.CodeInvalidFilter, scim.CodeTooMany, scim.CodeSensitive:
		return "Change the matching attribute or the filter in the identity provider."
	case scim.CodeInvalidCursor, scim.CodeExpiredCursor, scim.CodeInvalidCount:
		return "Start the import in the identity provider again."
	}
	return "Change the attribute mapping in the identity provider so that it sends what is wanted here."
}
