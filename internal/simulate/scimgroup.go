package simulate

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/idp"
)

// PushGroup makes a group at the server, or takes the one of that name, and gives it exactly these members, by user name. Each has to be known to
// the server: [ErrUnknown].
func (c *SCIMClient) PushGroup(ctx context.Context, name string, members ...string) error {
	if err := c.findAll(ctx, members); err != nil {
		return err
	}
	s, err := c.groupScene(name)
	if err != nil {
		return err
	}
	s.wanted, s.whole = members, true
	s.compare()
	if err := c.play(ctx, idp.MovePush, s); err != nil {
		return err
	}
	s.group.Members = slices.Clone(members)
	c.state.keepGroup(*s.group)
	return nil
}

// Join makes people members of a group.
func (c *SCIMClient) Join(ctx context.Context, group string, members ...string) error {
	return c.regroup(ctx, idp.MoveJoin, group, members, nil)
}

// Quit takes people out of a group.
func (c *SCIMClient) Quit(ctx context.Context, group string, members ...string) error {
	return c.regroup(ctx, idp.MoveQuit, group, nil, members)
}

func (c *SCIMClient) regroup(ctx context.Context, move idp.Move, group string, added, removed []string) error {
	if err := c.findAll(ctx, slices.Concat(added, removed)); err != nil {
		return err
	}
	s, err := c.findGroup(ctx, group)
	if err != nil {
		return err
	}
	s.added, s.removed = added, removed
	if err := c.play(ctx, move, s); err != nil {
		return err
	}
	s.group.Members = s.after()
	c.state.keepGroup(*s.group)
	return nil
}

// after are the members that the group has when all is done.
func (s *scene) after() []string {
	if s.whole {
		return s.wanted
	}
	return append(without(without(s.group.Members, s.removed), s.added), s.added...)
}

// compare finds out who has to be added and removed, where the whole list is wanted.
func (s *scene) compare() {
	if s.whole {
		s.added, s.removed = without(s.wanted, s.group.Members), without(s.group.Members, s.wanted)
	}
}

// meet takes the members that the server shows. Those whom nobody here knows are kept apart: a list that is sent whole must not lose them.
func (c *SCIMClient) meet(s *scene, members []any) {
	s.others = nil
	for _, m := range members {
		o, _ := m.(map[string]any)
		id := textOf(member(o, "value"))
		i := slices.IndexFunc(c.state.People, func(k Known) bool { return k.SCIMID == id })
		switch {
		case i < 0:
			s.others = append(s.others, map[string]any{"id": id, "userName": textOf(member(o, "display")), "name": textOf(member(o, "display"))})
		case !contains(s.group.Members, c.state.People[i].Person.userName()):
			s.group.Members = append(s.group.Members, c.state.People[i].Person.userName())
		}
	}
	s.compare()
}

// Rename gives a group another name.
func (c *SCIMClient) Rename(ctx context.Context, group, newName string) error {
	s, err := c.findGroup(ctx, group)
	if err != nil {
		return err
	}
	s.newName = newName
	if err := c.play(ctx, idp.MoveRename, s); err != nil {
		return err
	}
	c.state.forgetGroup(group)
	s.group.Name = newName
	c.state.keepGroup(*s.group)
	return nil
}

// Unlink deletes a group at the server.
func (c *SCIMClient) Unlink(ctx context.Context, group string) error {
	s, err := c.findGroup(ctx, group)
	if err != nil {
		return err
	}
	if err := c.play(ctx, idp.MoveUnlink, s); err != nil {
		return err
	}
	c.state.forgetGroup(group)
	return nil
}

func (c *SCIMClient) findAll(ctx context.Context, userNames []string) error {
	for _, name := range userNames {
		if _, err := c.Find(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *SCIMClient) findGroup(ctx context.Context, name string) (*scene, error) {
	s, err := c.groupScene(name)
	if err != nil || s.group.SCIMID != "" {
		return s, err
	}
	if err := c.play(ctx, idp.MoveFindGroup, s); err != nil {
		return nil, err
	}
	if s.group.SCIMID == "" {
		return nil, fmt.Errorf("%w: group %s; push it first", ErrUnknown, name)
	}
	return s, nil
}

// groupScene begins with what is known of a group.
func (c *SCIMClient) groupScene(name string) (*scene, error) {
	if g := c.state.group(name); g != nil {
		have := *g
		have.Members = slices.Clone(g.Members)
		return &scene{group: &have}, nil
	}
	s := &scene{group: &KnownGroup{Name: name}}
	var err error
	s.group.ExternalID, err = c.text(s, c.dialect.GroupExternalID, plain)
	return s, err
}
