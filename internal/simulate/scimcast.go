package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/rollcallhq/rollcall/internal/idp"
)

// Plot is a part of the story of a company's people, as its provider tells it.
type Plot string

// The closed list of plots. Each but the first takes it that the people are hired, and hires those who are not.
const (
	PlotConnect Plot = "connect" // the connection is tested
	PlotHire    Plot = "hire"    // everybody is assigned
	PlotChange  Plot = "change"  // one is promoted
	PlotGroups  Plot = "groups"  // two groups are pushed, somebody quits one and joins again, the other is renamed and deleted
	PlotLeave   Plot = "leave"   // the last one is suspended, then leaves
	PlotReturn  Plot = "return"  // and returns
	PlotAll     Plot = "all"     // all of this in order
)

// Plots lists them in order.
func Plots() []Plot {
	return []Plot{PlotConnect, PlotHire, PlotChange, PlotGroups, PlotLeave, PlotReturn, PlotAll}
}

// mostCast bounds a cast: a play is to be read.
const mostCast = 10_000

// Cast are n people of a company with this domain, the same for the same seed. The first one is the manager of all others.
func Cast(domain string, n int, seed uint64) ([]Person, error) {
	if n < 1 || n > mostCast {
		return nil, fmt.Errorf("a cast of %d: want 1 to %d people", n, mostCast)
	}
	first := []string{"Ada", "Ben", "Chiara", "Dmitri", "Emre", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena", "Mateo", "Nia", "Oskar", "Priya", "Quentin", "Rosa", "Sven", "Thuy"}
	last := []string{"Lindqvist", "Okafor", "Moretti", "Sokolov", "Yilmaz", "Haddad", "Petrovic", "Sato", "Carvalho", "Weber", "Mensah", "Novak", "Garcia", "Okoye", "Berg", "Raman", "Dubois", "Marin", "Holm", "Tran"}
	departments := []string{"Engineering", "Finance", "Sales", "Support"}
	titles := []string{"Analyst", "Engineer", "Designer", "Accountant", "Writer"}
	cities := []string{"London", "Oslo", "Lisbon", "Bath", "Zagreb"}
	r := rand.New(rand.NewPCG(seed, 1))
	offset := r.IntN(len(last))
	if seed == 1 {
		offset = 0 // the people of the documentation
	}
	out := make([]Person, n)
	for i := range out {
		p := &out[i]
		p.FirstName, p.LastName = first[i%len(first)], last[(i+offset)%len(last)]
		local := string(p.FirstName[0]|0x20) + p.FirstName[1:]
		if round := i / len(first); round > 0 {
			local += strconv.Itoa(round + 1)
		}
		p.Email = local + "@" + domain
		p.Title, p.Department, p.City = titles[r.IntN(len(titles))], departments[r.IntN(len(departments))], cities[r.IntN(len(cities))]
		p.EmployeeNumber, p.Phone = strconv.Itoa(1000+i), fmt.Sprintf("+44 20 7946 %04d", i)
		if i > 0 {
			p.Manager = out[0].Email
		}
	}
	return out, nil
}

// Play plays a plot with a cast. begun hears the name of each part before it; it may be nil. The first failure ends it.
func (c *SCIMClient) Play(ctx context.Context, plot Plot, cast []Person, begun func(Plot)) error {
	if len(cast) == 0 {
		return errors.New("a play needs people")
	}
	if plot != PlotAll {
		return c.part(ctx, plot, cast, begun)
	}
	for _, part := range Plots() {
		if part == PlotAll {
			continue
		}
		if err := c.part(ctx, part, cast, begun); err != nil {
			return err
		}
	}
	return nil
}

func (c *SCIMClient) part(ctx context.Context, plot Plot, cast []Person, begun func(Plot)) error {
	if begun != nil {
		begun(plot)
	}
	last := cast[len(cast)-1]
	switch plot {
	case PlotConnect:
		return c.Connect(ctx)
	case PlotHire:
		return c.hireAll(ctx, cast)
	case PlotChange:
		return c.promote(ctx, cast[len(cast)/2])
	case PlotGroups:
		return c.playGroups(ctx, cast)
	case PlotLeave:
		return c.playLeave(ctx, last)
	case PlotReturn:
		if err := c.ensure(ctx, last); err != nil {
			return err
		}
		return c.Return(ctx, last.userName())
	}
	return fmt.Errorf("there is no plot %q; there are %q", plot, Plots())
}

func (c *SCIMClient) hireAll(ctx context.Context, cast []Person) error {
	for _, p := range cast {
		if err := c.Hire(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// ensure hires whom neither the client nor the server knows.
func (c *SCIMClient) ensure(ctx context.Context, people ...Person) error {
	for _, p := range people {
		_, err := c.Find(ctx, p.userName())
		if errors.Is(err, ErrUnknown) {
			err = c.Hire(ctx, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *SCIMClient) promote(ctx context.Context, p Person) error {
	if err := c.ensure(ctx, p); err != nil {
		return err
	}
	p.LastName += "-Berg"
	p.Title = "Head of " + p.Department
	return c.Change(ctx, p)
}

func (c *SCIMClient) playLeave(ctx context.Context, p Person) error {
	if err := c.ensure(ctx, p); err != nil {
		return err
	}
	if c.onlyRemarks(idp.MoveSuspend) { // where a suspension is sent, it is what leaving is
		if err := c.Suspend(ctx, p.userName()); err != nil {
			return err
		}
	}
	return c.Leave(ctx, p.userName())
}

func (c *SCIMClient) playGroups(ctx context.Context, cast []Person) error {
	if err := c.ensure(ctx, cast...); err != nil {
		return err
	}
	everybody := make([]string, len(cast))
	for i, p := range cast {
		everybody[i] = p.userName()
	}
	last := everybody[len(everybody)-1:]
	const staff, leaders, management = "Staff", "Leaders", "Management"
	for _, act := range []struct {
		move idp.Move
		do   func() error
	}{
		{idp.MovePush, func() error { return c.PushGroup(ctx, staff, everybody...) }},
		{idp.MovePush, func() error { return c.PushGroup(ctx, leaders, everybody[0]) }},
		{idp.MoveQuit, func() error { return c.Quit(ctx, staff, last...) }},
		{idp.MoveJoin, func() error { return c.Join(ctx, staff, slices.Clone(last)...) }},
		{idp.MoveRename, func() error { return c.Rename(ctx, leaders, management) }},
		{idp.MoveUnlink, func() error { return c.unlinkFirst(ctx, management, leaders) }},
	} {
		if !c.Speaks(act.move) {
			continue
		}
		if err := act.do(); err != nil {
			return err
		}
	}
	return nil
}

// unlinkFirst deletes the first of these groups that is known.
func (c *SCIMClient) unlinkFirst(ctx context.Context, names ...string) error {
	for _, name := range names {
		if c.state.group(name) != nil {
			return c.Unlink(ctx, name)
		}
	}
	return nil
}

func (c *SCIMClient) onlyRemarks(move idp.Move) bool {
	return c.Speaks(move) && !slices.ContainsFunc(c.dialect.Moves[move], func(s idp.DialectStep) bool { return s.Send != "" || s.Do != "" })
}
