package webhook

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
)

// What an event concerns decides what it must not overtake. An event holds the entities it changes alone, and shares those it only
// needs to be there: a membership changes what is known of the person and shares the group; a group's creation holds the group and
// shares its directory. Two events conflict if one holds alone what the other holds or shares, and conflicting events are
// delivered in the order of the log. So a person is never added to a group that the app has not heard of, and an old state never
// follows a newer one, while a directory of thousands is delivered side by side.
//
// What merely changes a thing that others are in, like the name of an organization, has a lane of its own (a word with "#"): one
// such event that cannot be delivered must not hold up everybody in there.
//
// Entities are written down with the delivery as words: "=" holds alone, "+" shares.

// parents are members of a payload that name what its subject lives in.
var parents = [...]string{"organization_id", "directory_id", "connection_id", "user_id", "organization_membership_id"}

// entityOf gives the words of an event.
func entityOf(e event.Event) string {
	var data map[string]jsontext.Value
	if json.Unmarshal(e.Data, &data, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return "=" + e.OrganizationID // not ours to judge here; it keeps its place among all of its organization
	}
	var words []string
	id, kind := text(data["id"]), string(e.Type)
	switch {
	case strings.HasPrefix(kind, "dsync.group.user_"):
		words = append(words, "="+nested(data["user"]), "+"+nested(data["group"]))
	case id == "":
		return "=" + e.OrganizationID
	case strings.HasSuffix(kind, ".updated") && e.Type != event.DirectoryUserUpdated:
		words = append(words, "+"+id, "="+id+"#")
	default:
		words = append(words, "="+id)
	}
	for _, name := range parents {
		if v := text(data[name]); v != "" && v != id && !slices.Contains(words, "+"+v) {
			words = append(words, "+"+v)
		}
	}
	if o := e.OrganizationID; o != "" && o != id && !slices.Contains(words, "+"+o) {
		words = append(words, "+"+o)
	}
	return strings.Join(words, " ")
}

// text is a JSON string's value, "" for anything else or what holds a space.
func text(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil || strings.ContainsAny(s, " \x00") {
		return ""
	}
	return s
}

func nested(v jsontext.Value) string {
	var o struct {
		ID jsontext.Value `json:"id"`
	}
	if v.Kind() != '{' || json.Unmarshal(v, &o, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return ""
	}
	return text(o.ID)
}

// lanes knows which of an endpoint's deliveries wait for which.
type lanes map[string]*lane

// lane is what is under way of one entity: the last to hold it alone, and those who share it since.
type lane struct {
	alone  *job
	shared map[*job]struct{}
}

// enter adds a job after all that came before; it may be sent when its waits are 0.
func (l lanes) enter(j *job) {
	for word := range strings.SplitSeq(j.entity, " ") {
		if len(word) < 2 {
			continue
		}
		on := l[word[1:]]
		if on == nil {
			on = &lane{shared: map[*job]struct{}{}}
			l[word[1:]] = on
		}
		if word[0] == '+' {
			j.waitFor(on.alone)
			on.shared[j] = struct{}{}
			continue
		}
		if len(on.shared) == 0 {
			j.waitFor(on.alone)
		}
		for other := range on.shared {
			j.waitFor(other)
		}
		on.alone = j
		clear(on.shared)
	}
}

func (j *job) waitFor(other *job) {
	if other != nil && other != j {
		j.waits++
		other.next = append(other.next, j)
	}
}

// leave takes a job out that is done, and gives those that waited for nothing else.
func (l lanes) leave(j *job) (free []*job) {
	for word := range strings.SplitSeq(j.entity, " ") {
		if len(word) < 2 {
			continue
		}
		on := l[word[1:]]
		if on == nil {
			continue
		}
		if on.alone == j {
			on.alone = nil
		}
		delete(on.shared, j)
		if on.alone == nil && len(on.shared) == 0 {
			delete(l, word[1:])
		}
	}
	for _, n := range j.next {
		if n.waits--; n.waits == 0 {
			free = append(free, n)
		}
	}
	j.next = nil
	return free
}
