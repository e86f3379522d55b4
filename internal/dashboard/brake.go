package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

const holdPrefix = "directory_hold"

// brakePages are the pages of a directory's brake: its settings, what it has held, and what becomes of that.
func brakePages() []row {
	const everybody, admins = operator.ReadOnly, operator.Admin
	const one = Prefix + "directories/{id}"
	return []row{
		{one + "/brake", "dashboard_directory_brake", everybody, showDirectorySettings, admins, setBrake},
		{one + "/holds", "dashboard_directory_holds", everybody, showHolds, admins, nil},
		{one + "/holds/{hold}", "dashboard_directory_hold", everybody, showHold, admins, nil},
		{one + "/holds/{hold}/release", "dashboard_directory_hold_release", admins, releasing().ask, admins, releasing().do},
		{one + "/holds/{hold}/undo", "dashboard_directory_hold_undo", admins, undoing().ask, admins, undoing().do},
	}
}

func holdHref(h directory.Hold, parts ...string) string {
	return directoryHref(h.DirectoryID, append([]string{"holds", string(h.ID)}, parts...)...)
}

// brakeForm is the brake's part of the settings. What was typed in and refused stands in it again.
func (c *call) brakeForm(d directory.Directory, m misfit) formView {
	w, off, on := c.words(), !c.changes(), d.Brake.Enabled
	if strings.HasSuffix(c.r.URL.Path, "/brake") && c.posted != nil {
		on = c.posted.Get("enabled") != ""
	}
	fields := []templ.Component{ui.Switch(ui.SwitchProps{
		FieldProps: ui.FieldProps{ID: "enabled", Label: w.T("brake.enabled"), Hint: w.T("brake.enabled_hint"), Disabled: off}, On: on,
	})}
	for _, n := range []struct {
		name  string
		value int64
		most  string
	}{{"share_percent", d.Brake.Share, "99"}, {"people", d.Brake.People, "100000"}, {"window_minutes", d.Brake.Window, "1440"}, {"hold_minutes", d.Brake.Hold, "60"}} {
		least := "1"
		if n.name == "people" {
			least = "2"
		}
		fields = append(fields, ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: n.name, Label: w.T("brake." + n.name), Hint: w.T("brake." + n.name + "_hint"), Error: m.on(n.name), Disabled: off},
			Type:       "number", Value: c.kept(n.name, strconv.FormatInt(n.value, 10)), Attrs: templ.Attributes{"min": least, "max": n.most},
		}))
	}
	fields = append(fields, link(w.T("brake.holds"), directoryHref(d.ID, "holds")))
	return c.readable(formView{
		ID: "brake", Form: c.form(directoryHref(d.ID, "brake")), Title: w.T("brake.title"), Text: w.T("brake.lead"), Save: w.T("organizations.save"), Fields: fields,
	})
}

func setBrake(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	b := directory.Brake{Enabled: c.posted.Get("enabled") != ""}
	for name, to := range map[string]*int64{"share_percent": &b.Share, "people": &b.People, "window_minutes": &b.Window, "hold_minutes": &b.Hold} {
		*to = wholeNumber(c.posted.Get(name))
	}
	if _, err := c.s.o.Directories.SetBrake(c.ctx(), c.operator.Actor(), d.ID, b); err != nil {
		return again(err, func(m misfit) error { return c.directorySettingsPage(d, o, directorySettingsOf(d), m) })
	}
	return c.done(directoryHref(d.ID, "settings"), "saved")
}

// wholeNumber reads a number that was typed in; what is none is 0, which no setting of a brake may be.
func wholeNumber(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// heldDirectories are those whose brake holds people, for the home page.
func heldDirectories(c *call) (out []concern, err error) {
	waiting, err := c.s.o.Directories.Waiting(c.ctx(), attentionMost)
	if err != nil {
		return nil, err
	}
	for _, h := range waiting {
		d, err := c.s.o.Directories.Get(c.ctx(), h.DirectoryID)
		if fault.Is(err, fault.NotFound) { // deleted since
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, concern{Tone: ui.Bad, Kind: "brake_holds", What: d.Name, Href: holdHref(h), Since: h.EngagedAt})
	}
	return out, nil
}

// holdBanner is what stands above all pages of a directory whose brake holds people; nil where it holds nobody.
func (c *call) holdBanner(d directory.Directory) (templ.Component, error) {
	h, waits, err := c.s.o.Directories.WaitingOf(c.ctx(), d)
	if err != nil || !waits {
		return nil, err
	}
	return holdBanner(int(h.Still), h.Until, ui.Link{Label: c.words().T("brake.look"), Href: holdHref(h.Hold)}), nil
}

func holdBadge(w *words.Words, s directory.HoldState) ui.BadgeProps {
	b := ui.BadgeProps{Label: w.T("brake.state_" + string(s)), Dot: true}
	switch s {
	case directory.HoldWaits:
		b.Tone = ui.Bad
	case directory.HoldUndone:
		b.Tone = ui.Good
	case directory.HoldReleased:
	}
	return b
}

// showHolds lists each time that the brake was engaged.
func showHolds(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	p, err := pageOf(q, holdPrefix)
	if err != nil {
		return err
	}
	found, more, err := c.s.o.Directories.Holds(c.ctx(), directory.HoldQuery{Directory: d.ID, Before: p.before, After: p.after, Limit: perPage})
	if err != nil {
		return err
	}
	w := c.words()
	t := ui.TableProps{
		ID: "holds", Caption: w.T("brake.holds"), Columns: []ui.Column{
			{Label: w.T("brake.engaged")}, {Label: w.T("organizations.state")}, {Label: w.T("brake.held_people"), Number: true}, {Label: w.T("brake.ended"), Minor: true},
		},
		Empty: ui.EmptyProps{Icon: ui.IconCheckCircle, Title: w.T("brake.no_holds"), Text: w.T("brake.no_holds_text")},
	}
	for _, h := range found {
		t.Rows = append(t.Rows, ui.Row{ID: string(h.ID), Cells: []templ.Component{
			timed(h.EngagedAt, holdHref(h)), ui.Badge(holdBadge(w, h.State)), ui.Text(numeral(w, h.People)), moment(h.EndedAt),
		}})
	}
	first, last := ends(found, func(h directory.Hold) string { return string(h.ID) })
	t.Pager = pager(q, p, first, last, more)
	s := sheetView{Head: ui.HeadProps{Title: w.T("brake.holds"), Text: w.T("brake.holds_lead"), Back: ui.Link{Label: d.Name, Href: directoryHref(d.ID)}}}
	return c.show(directoryFrame(d, o, ui.Link{Label: w.T("brake.holds")}), listing(s, t))
}

// hold finds the one of the address, and whose it is.
func (c *call) hold() (d directory.Directory, o org.Organization, h directory.HoldNow, err error) {
	if d, o, err = c.directory(); err != nil {
		return d, o, h, err
	}
	id := c.values["hold"]
	if !isID(id, holdPrefix) {
		return d, o, h, directory.NoHold(id)
	}
	h, err = c.s.o.Directories.Hold(c.ctx(), d.ID, directory.HoldID(id))
	return d, o, h, err
}

func holdFrame(w *words.Words, d directory.Directory, o org.Organization, crumbs ...ui.Link) frame {
	return directoryFrame(d, o, append([]ui.Link{{Label: w.T("brake.holds"), Href: directoryHref(d.ID, "holds")}}, crumbs...)...)
}

// showHold shows whom a hold holds, since when and until when, and lets that be decided.
func showHold(c *call) error {
	d, o, h, err := c.hold()
	if err != nil {
		return err
	}
	t, err := c.heldTable(d, h.Hold)
	if err != nil {
		return err
	}
	w := c.words()
	v := holdView{
		Sheet: sheetView{Head: ui.HeadProps{
			Title: w.T("brake.hold_title", "name", d.Name), Badge: ui.Badge(holdBadge(w, h.State)), Back: ui.Link{Label: d.Name, Href: directoryHref(d.ID)},
		}},
		Facts: holdPairs(w, h), People: t,
	}
	if h.State == directory.HoldWaits {
		v.Sheet.Head.Text = w.T("brake.hold_lead")
	}
	if h.State == directory.HoldWaits && c.changes() {
		v.Acts = []action{
			{Label: w.T("brake.undo"), Href: holdHref(h.Hold, "undo")},
			{Label: w.T("brake.release"), Href: holdHref(h.Hold, "release"), Variant: ui.Danger},
		}
	}
	return c.show(holdFrame(w, d, o, ui.Link{Label: w.T("brake.hold")}), v.view())
}

func holdPairs(w *words.Words, h directory.HoldNow) []ui.Pair {
	out := []ui.Pair{
		{Key: w.T("brake.engaged"), Value: exactly(h.EngagedAt)},
		{Key: w.T("brake.because"), Text: w.N("brake.because_of", int(h.Departed), "active", int(h.Active))},
		{Key: w.T("brake.held_people"), Text: numeral(w, h.People)},
	}
	if h.State == directory.HoldWaits {
		return append(out, ui.Pair{Key: w.T("brake.still_held"), Text: numeral(w, h.Still)}, ui.Pair{Key: w.T("brake.until"), Value: exactly(h.Until)})
	}
	out = append(out, ui.Pair{Key: w.T("brake.ended"), Value: exactly(h.EndedAt)}, ui.Pair{Key: w.T("brake.why_ended"), Text: w.T("brake.reason_" + string(h.Reason))})
	if h.EndedBy != "" {
		out = append(out, ui.Pair{Key: w.T("brake.ended_by"), Text: h.EndedBy, Mono: true})
	}
	return out
}

func (c *call) heldTable(d directory.Directory, h directory.Hold) (ui.TableProps, error) {
	q, err := c.query()
	if err != nil {
		return ui.TableProps{}, err
	}
	p, err := pageOf(q, directoryUserPrefix)
	if err != nil {
		return ui.TableProps{}, err
	}
	found, more, err := c.s.o.Directories.HeldPeople(c.ctx(), directory.HeldQuery{
		Directory: d.ID, Hold: h.ID, Before: directory.UserID(p.before), After: directory.UserID(p.after), Limit: perPage,
	})
	if err != nil {
		return ui.TableProps{}, err
	}
	w := c.words()
	t := ui.TableProps{ID: "held", Caption: w.T("brake.held_people"), Titled: true, Columns: []ui.Column{
		{Label: w.T("organizations.name")}, {Label: w.T("brake.directory_says")}, {Label: w.T("organizations.state")}, {Label: w.T("brake.since"), Minor: true},
	}}
	for _, one := range found {
		t.Rows = append(t.Rows, heldRow(w, d, one))
	}
	first, last := ends(found, func(p directory.HeldPerson) string { return string(p.User) })
	t.Pager = pager(q, p, first, last, more)
	return t, nil
}

func heldRow(w *words.Words, d directory.Directory, p directory.HeldPerson) ui.Row {
	name, href := p.Name, directoryHref(d.ID, "users", string(p.User))
	if name == "" && p.Email == "" {
		name = string(p.User)
	}
	if p.Says == member.SaysRemoved {
		href = "" // SCIM has them no more
	}
	b := ui.BadgeProps{Label: w.T("brake.person_" + string(p.State)), Dot: true}
	if slices.Contains([]directory.HeldState{directory.HeldKept, directory.HeldReturned}, p.State) {
		b.Tone = ui.Good
	}
	if p.State == directory.HeldWaits {
		b.Tone = ui.Warn
	}
	return ui.Row{ID: string(p.User), Cells: []templ.Component{ui.Person(name, p.Email, href), ui.Text(w.T("brake.says_" + string(p.Says))), ui.Badge(b), moment(p.Since)}}
}

// ending is one of the two ways in which a hold ends by hand.
type ending struct {
	name    string // part of the keys "brake.…"
	did     string
	variant ui.Variant
	end     func(*directory.Service, context.Context, event.Actor, directory.ID, directory.HoldID, int64) (directory.Hold, error)
}

func releasing() ending {
	return ending{"release", "hold_released", ui.Danger, (*directory.Service).ReleaseSeen}
}

func undoing() ending {
	return ending{"undo", "hold_undone", ui.Primary, (*directory.Service).UndoSeen}
}

// nobodySaw is how many people no hold is about.
const nobodySaw = -1

func (e ending) ask(c *call) error { return e.page(c, misfit{}) }

// page asks, and names how many people it is about: that number comes back with the answer.
func (e ending) page(c *call, m misfit) error {
	d, o, h, err := c.hold()
	if err != nil {
		return err
	}
	if h.State != directory.HoldWaits && m.Message == "" {
		c.redirect(holdHref(h.Hold))
		return nil
	}
	w, n := c.words(), int(h.Still)
	f := holdFrame(w, d, o, ui.Link{Label: w.T("brake.hold"), Href: holdHref(h.Hold)}, ui.Link{Label: w.T("brake." + e.name)})
	f.Narrow, f.Status = true, m.Status
	asks := c.form(holdHref(h.Hold, e.name))
	asks.Hidden = append(asks.Hidden, ui.Hidden{Name: "people", Value: strconv.Itoa(n)})
	return c.show(f, asking(m, ui.ConfirmProps{
		Title: w.N("brake."+e.name+"_title", n), Text: w.T("brake."+e.name+"_lead", "name", d.Name), Lines: []string{w.T("brake." + e.name + "_first"), w.T("brake." + e.name + "_second")},
		Form: asks, Confirm: w.N("brake."+e.name+"_confirm", n), Variant: e.variant, Cancel: ui.Link{Href: holdHref(h.Hold)},
	}))
}

// do ends the hold for whoever has seen how many it holds: while they looked it may have caught more.
func (e ending) do(c *call) error {
	d, _, h, err := c.hold()
	if err != nil {
		return err
	}
	seen, err := strconv.ParseInt(c.posted.Get("people"), 10, 64)
	if err != nil {
		seen = nobodySaw
	}
	_, err = e.end(c.s.o.Directories, c.ctx(), c.operator.Actor(), d.ID, h.ID, seen)
	var moved *directory.HoldMovedError
	if errors.As(err, &moved) {
		return e.page(c, misfit{Message: c.words().N("brake.number_moved", int(moved.Still)), Status: http.StatusConflict})
	}
	if err != nil {
		return again(err, func(m misfit) error { return e.page(c, m) })
	}
	return c.done(holdHref(h.Hold), e.did)
}
