package switching

import "slices"

// Kind says what a row is about.
type Kind string

// The closed list.
const (
	People Kind = "person"
	Groups Kind = "group"
)

// Found says by what a counterpart was found.
type Found string

// The closed list, the surest first.
const (
	ByHand       Found = "hand"
	ByExternalID Found = "external_id"
	ByUserName   Found = "user_name" // of people
	ByName       Found = "name"      // of groups, in any case
	ByEmail      Found = "email"     // of people, in a domain that the organization has verified
	ByDirectory  Found = "directory" // of people, where a connection alone is switched: the directory that stays knows them
)

// Match says whether the counterpart is certain.
type Match string

// The closed list. OnlyNew are those of the new side who are nobody's counterpart.
const (
	Matched   Match = "matched"
	Unmatched Match = "unmatched"
	Ambiguous Match = "ambiguous"
	OnlyNew   Match = "only_new"
)

// Known is a person or group of one side, and what they may be found by. Empty keys find nobody.
type Known struct {
	ID          string
	ExternalIDs []string // of somebody who only signs in: the ids that the provider gives them
	Name        string   // user name or name of the group, folded
	Emails      []string // folded, each in a domain that the organization has verified
	In          bool     // the directory says that they are in
	Membership  string   // whose membership it is; "" nobody's
}

// Counterpart is what was found for one of the old side.
type Counterpart struct {
	Old        Known
	New        string // "" unless matched
	Match      Match
	By         Found    // "" where none was found
	Candidates []string // of an ambiguous one
}

// maxCandidates of those who could be meant are named.
const maxCandidates = 10

// Pairs finds the counterparts of the old side among the new one, in the order of the old. byHand says who a hand has named for whom; "" is
// nobody. An external id and a name are equally sure: where they lead to two, nobody knows. What leads two of the old side to one of the new
// is nobody's. By addresses only those are found whom nothing better finds, among those who are left.
func Pairs(kind Kind, before, after []Known, byHand map[string]string) []Counterpart {
	m := matcher{kind: kind, after: after, at: make(map[string]int, len(after)), taken: map[string]bool{}, out: make([]Counterpart, len(before))}
	for i, k := range after {
		m.at[k.ID] = i
	}
	for i, k := range before {
		m.out[i] = Counterpart{Old: k, Match: Unmatched}
		m.hand(&m.out[i], byHand)
	}
	for _, round := range []func(Known) map[Found][]string{surest, addresses} {
		m.round(round)
	}
	return m.out
}

type matcher struct {
	kind  Kind
	after []Known
	at    map[string]int
	taken map[string]bool // of the new side
	out   []Counterpart
}

// hand takes the word of a hand. Whom it names has to be there, and not be somebody else's already.
func (m *matcher) hand(c *Counterpart, byHand map[string]string) {
	id, said := byHand[c.Old.ID]
	if !said {
		return
	}
	if id == "" {
		c.By = ByHand
		return
	}
	i, there := m.at[id]
	if !there || m.taken[id] || m.foreign(c.Old, i) {
		return
	}
	c.New, c.Match, c.By = id, Matched, ByHand
	m.taken[id] = true
}

// foreign tells whether one of the new side is the membership of somebody else already.
func (m *matcher) foreign(old Known, i int) bool {
	return m.after[i].Membership != "" && m.after[i].Membership != old.Membership
}

func surest(k Known) map[Found][]string {
	return map[Found][]string{ByExternalID: k.ExternalIDs, ByName: {k.Name}}
}

func addresses(k Known) map[Found][]string { return map[Found][]string{ByEmail: k.Emails} }

// round decides about those whom some key leads to somebody.
func (m *matcher) round(keys func(Known) map[Found][]string) {
	index := map[Found]map[string][]int{}
	for i, k := range m.after {
		for by, values := range keys(k) {
			for _, v := range values {
				if v == "" || m.taken[k.ID] {
					continue
				}
				if index[by] == nil {
					index[by] = map[string][]int{}
				}
				index[by][v] = append(index[by][v], i)
			}
		}
	}
	leads, wanted := make([]lead, len(m.out)), map[int]int{}
	for n := range m.out {
		if c := &m.out[n]; c.Match == Unmatched && c.By == "" {
			leads[n] = follow(keys(c.Old), index)
		}
		for _, i := range leads[n].to {
			wanted[i]++
		}
	}
	for n := range m.out {
		m.decide(&m.out[n], leads[n], wanted)
	}
}

// lead is to whom the keys of somebody lead.
type lead struct {
	to []int
	by Found
}

func follow(keys map[Found][]string, index map[Found]map[string][]int) (l lead) {
	for _, by := range []Found{ByExternalID, ByName, ByEmail} {
		for _, v := range keys[by] {
			for _, i := range index[by][v] {
				if l.by == "" {
					l.by = by
				}
				if !slices.Contains(l.to, i) {
					l.to = append(l.to, i)
				}
			}
		}
	}
	slices.Sort(l.to)
	return l
}

func (m *matcher) decide(c *Counterpart, l lead, wanted map[int]int) {
	switch {
	case len(l.to) == 0:
	case len(l.to) == 1 && wanted[l.to[0]] == 1 && !m.foreign(c.Old, l.to[0]):
		c.New, c.Match, c.By = m.after[l.to[0]].ID, Matched, m.worded(l.by)
		m.taken[c.New] = true
	default:
		c.Match, c.By = Ambiguous, m.worded(l.by)
		for _, i := range l.to {
			m.taken[m.after[i].ID] = true // a weaker key does not give away whom a better one wants
			if len(c.Candidates) < maxCandidates {
				c.Candidates = append(c.Candidates, m.after[i].ID)
			}
		}
	}
}

func (m *matcher) worded(by Found) Found {
	if by == ByName && m.kind == People {
		return ByUserName
	}
	return by
}

// Rest are those of the new side who are nobody's counterpart, in their order.
func Rest(after []Known, pairs []Counterpart) (out []Known) {
	taken := map[string]bool{}
	for _, p := range pairs {
		taken[p.New] = true
	}
	for _, k := range after {
		if !taken[k.ID] {
			out = append(out, k)
		}
	}
	return out
}

// Count counts counterparts, and those of the new side who are nobody's.
func Count(pairs []Counterpart, onlyNew int) (c Counts) {
	for _, p := range pairs {
		switch p.Match {
		case Matched:
			c.Matched++
		case Ambiguous:
			c.Ambiguous++
		default:
			c.Unmatched++
		}
	}
	c.OnlyNew = onlyNew
	return c
}
