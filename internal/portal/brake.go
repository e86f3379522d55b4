package portal

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// brakePath is where the pages of directories' brakes begin.
const brakePath = "/portal/brake/"

// brakeRows are the pages of a directory's brake: its settings, and the people whom it holds.
func brakeRows() []row {
	sync := only(itadmin.DirectorySync)
	const hold = brakePath + "{directory}/{hold}"
	return []row{
		{brakePath + "{directory}", "portal_brake", sync, visits{}, calls{showBrake, setBrake}},
		{hold, "portal_hold", sync, visits{}, calls{get: showHold}},
		{hold + "/release", "portal_hold_release", sync, visits{}, calls{releasing().ask, releasing().do}},
		{hold + "/undo", "portal_hold_undo", sync, visits{}, calls{undoing().ask, undoing().do}},
	}
}

func brakeHref(d directory.ID, parts ...string) string {
	return brakePath + strings.Join(append([]string{string(d)}, parts...), "/")
}

// brakeView is the page of the settings.
type brakeView struct {
	Name   string
	Banner *heldView
	Wrong  string
	Saved  bool
	Form   ui.FormProps
	On     bool
	Fields []ui.InputProps
}

// heldView says that a directory's brake holds people.
type heldView struct {
	People int
	Until  time.Time
	Href   string
}

// held tells whether a directory's brake holds people; nil where it holds nobody.
func (c *call) held(d directory.Directory) (*heldView, error) {
	h, waits, err := c.s.o.Directories.WaitingOf(c.ctx(), d)
	if err != nil || !waits {
		return nil, err
	}
	return &heldView{int(h.Still), h.Until, brakeHref(d.ID, string(h.ID))}, nil
}

func showBrake(c *call) error {
	d, err := c.directory(c.path("directory"))
	if err != nil {
		return err
	}
	return c.brakePage(http.StatusOK, d, nil)
}

// brakePage draws the settings; refused says why those typed in were not taken, which then stand in it again.
func (c *call) brakePage(status int, d directory.Directory, refused *fault.Error) error {
	held, err := c.held(d)
	if err != nil {
		return err
	}
	v := brakeView{Name: d.Name, Banner: held, Form: c.formTo(brakeHref(d.ID)), On: d.Brake.Enabled, Saved: c.r.URL.Query().Has("saved")}
	if refused != nil {
		v.On, v.Wrong, v.Saved = c.form.Get("enabled") != "", web.Mask(refused.Message), false
	}
	for _, n := range []struct {
		name        string
		value       int64
		least, most string
	}{
		{"share_percent", d.Brake.Share, "1", "99"}, {"people", d.Brake.People, "2", "100000"}, {"window_minutes", d.Brake.Window, "1", "1440"}, {"hold_minutes", d.Brake.Hold, "1", "60"},
	} {
		f := ui.InputProps{
			FieldProps: ui.FieldProps{ID: n.name, Label: c.t("brake." + n.name), Hint: c.t("brake." + n.name + "_hint")}, Type: "number", Value: strconv.FormatInt(n.value, 10),
			Attrs: templ.Attributes{"min": n.least, "max": n.most},
		}
		if refused != nil {
			f.Value = c.form.Get(n.name)
		}
		if refused != nil && refused.Field == n.name {
			f.Error = v.Wrong
		}
		v.Fields = append(v.Fields, f)
	}
	return c.page(status, c.shell(c.t("brake.title")), brakePage(v))
}

func setBrake(c *call) error {
	d, err := c.directory(c.path("directory"))
	if err != nil {
		return err
	}
	b := directory.Brake{Enabled: c.form.Get("enabled") != ""}
	for name, to := range map[string]*int64{"share_percent": &b.Share, "people": &b.People, "window_minutes": &b.Window, "hold_minutes": &b.Hold} {
		*to, err = strconv.ParseInt(strings.TrimSpace(c.form.Get(name)), 10, 64)
		if err != nil {
			*to = 0 // which no setting of a brake may be
		}
	}
	_, err = c.s.o.Directories.SetBrake(c.ctx(), c.actor(), d.ID, b)
	if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
		return c.brakePage(http.StatusUnprocessableEntity, d, f)
	}
	if err != nil {
		return err
	}
	c.redirect(brakeHref(d.ID) + "?saved=yes")
	return nil
}

// hold is one of a directory of the organization, as an address names both.
func (c *call) hold() (d directory.Directory, h directory.HoldNow, err error) {
	if d, err = c.directory(c.path("directory")); err != nil {
		return d, h, err
	}
	h, err = c.s.o.Directories.Hold(c.ctx(), d.ID, directory.HoldID(c.path("hold")))
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, "not_found", "%s", c.t("portal.not_found"))
	}
	return d, h, err
}

// holdView is the page of who is held.
type holdView struct {
	Name, State   string
	Tone          ui.Tone
	Facts         []ui.Pair
	Release, Undo string // addresses; "": it has ended
	People        ui.TableProps
}

func showHold(c *call) error {
	d, h, err := c.hold()
	if err != nil {
		return err
	}
	words := c.s.o.Site.Words(c.r)
	v := holdView{Name: d.Name, State: c.t("brake.state_" + string(h.State)), Facts: []ui.Pair{
		{Key: c.t("brake.engaged"), Value: ui.Time(ui.TimeProps{At: h.EngagedAt, Absolute: true})},
		{Key: c.t("brake.because"), Text: words.N("brake.because_of", int(h.Departed), "active", int(h.Active))},
		{Key: c.t("brake.held_people"), Text: words.Number(int(h.People))},
	}}
	if h.State == directory.HoldWaits {
		v.Tone, v.Release, v.Undo = ui.Bad, brakeHref(d.ID, string(h.ID), "release"), brakeHref(d.ID, string(h.ID), "undo")
		v.Facts = append(
			v.Facts, ui.Pair{Key: c.t("brake.still_held"), Text: words.Number(int(h.Still))},
			ui.Pair{Key: c.t("brake.until"), Value: ui.Time(ui.TimeProps{At: h.Until, Absolute: true})},
		)
	} else {
		v.Facts = append(
			v.Facts, ui.Pair{Key: c.t("brake.ended"), Value: ui.Time(ui.TimeProps{At: h.EndedAt, Absolute: true})},
			ui.Pair{Key: c.t("brake.why_ended"), Text: c.t("brake.reason_" + string(h.Reason))},
		)
	}
	if v.People, err = c.heldTable(d, h.Hold); err != nil {
		return err
	}
	return c.page(http.StatusOK, c.shell(c.t("brake.hold_title", "name", d.Name)), holdPage(v))
}

func (c *call) heldTable(d directory.Directory, h directory.Hold) (ui.TableProps, error) {
	found, more, err := c.s.o.Directories.HeldPeople(c.ctx(), directory.HeldQuery{Directory: d.ID, Hold: h.ID, After: directory.UserID(c.after("directory_user")), Limit: rowsShown})
	if err != nil {
		return ui.TableProps{}, err
	}
	t := ui.TableProps{ID: "held", Caption: c.t("brake.held_people"), Titled: true, Columns: []ui.Column{
		{Label: c.t("portal.name")}, {Label: c.t("brake.directory_says")}, {Label: c.t("portal.state")}, {Label: c.t("brake.since"), Minor: true},
	}}
	for _, p := range found {
		b := ui.BadgeProps{Label: c.t("brake.person_" + string(p.State)), Dot: true}
		if p.State == directory.HeldWaits {
			b.Tone = ui.Warn
		}
		if slices.Contains([]directory.HeldState{directory.HeldKept, directory.HeldReturned}, p.State) {
			b.Tone = ui.Good
		}
		name := p.Name
		if name == "" && p.Email == "" {
			name = string(p.User)
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			ui.Person(name, p.Email, ""), ui.Text(c.t("brake.says_" + string(p.Says))), ui.Badge(b), ui.Time(ui.TimeProps{At: p.Since}),
		}})
	}
	if more {
		t.Pager.Next = "?after=" + string(found[len(found)-1].User)
	}
	return t, nil
}

// ending is one of the two ways in which a hold ends by hand.
type ending struct {
	name    string // part of the keys "brake.…"
	variant ui.Variant
	end     func(*directory.Service, context.Context, event.Actor, directory.ID, directory.HoldID, int64) (directory.Hold, error)
}

func releasing() ending { return ending{"release", ui.Danger, (*directory.Service).ReleaseSeen} }

func undoing() ending { return ending{"undo", ui.Primary, (*directory.Service).UndoSeen} }

// nobodySaw is how many people no hold is about.
const nobodySaw = -1

// ask names how many people it is about: that number comes back with the answer.
func (e ending) ask(c *call) error {
	d, h, err := c.hold()
	if err != nil {
		return err
	}
	if h.State != directory.HoldWaits {
		c.redirect(brakeHref(d.ID, string(h.ID)))
		return nil
	}
	return e.page(c, http.StatusOK, d, h, "")
}

func (e ending) page(c *call, status int, d directory.Directory, h directory.HoldNow, wrong string) error {
	words, n := c.s.o.Site.Words(c.r), int(h.Still)
	asks := c.formTo(brakeHref(d.ID, string(h.ID), e.name))
	asks.Hidden = append(asks.Hidden, ui.Hidden{Name: "people", Value: strconv.Itoa(n)})
	return c.page(status, c.shell(c.t("brake."+e.name)), endPage(wrong, ui.ConfirmProps{
		Title: words.N("brake."+e.name+"_title", n), Text: c.t("brake."+e.name+"_lead", "name", d.Name), Lines: []string{c.t("portal.brake_" + e.name), c.t("brake." + e.name + "_second")},
		Form: asks, Confirm: words.N("brake."+e.name+"_confirm", n), Variant: e.variant, Cancel: ui.Link{Href: brakeHref(d.ID, string(h.ID))},
	}))
}

// do ends the hold for whoever has seen how many it holds: while they looked it may have caught more.
func (e ending) do(c *call) error {
	d, h, err := c.hold()
	if err != nil {
		return err
	}
	seen, err := strconv.ParseInt(c.form.Get("people"), 10, 64)
	if err != nil {
		seen = nobodySaw
	}
	_, err = e.end(c.s.o.Directories, c.ctx(), c.actor(), d.ID, h.ID, seen)
	var moved *directory.HoldMovedError
	if errors.As(err, &moved) {
		h.Still = moved.Still
		return e.page(c, http.StatusConflict, d, h, c.s.o.Site.Words(c.r).N("brake.number_moved", int(h.Still)))
	}
	if err != nil && !fault.Is(err, fault.Conflict) { // one that has ended says on its page how
		return err
	}
	c.redirect(brakeHref(d.ID, string(h.ID)))
	return nil
}
