package dashboard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

const (
	exchangePrefix = "exchange"
	// refusedFrom is the status that refusals begin with.
	refusedFrom = 400
	// liveFor is how long a page of exchanges follows what happens: one that is left open must not keep a session from ending.
	liveFor = 20 * time.Minute
)

// exchangeEffect is what an exchange says of itself, as the edge of SCIM records it.
type exchangeEffect struct {
	Summary  string           `json:"summary"`
	Change   directory.Change `json:"change"`
	Action   string           `json:"action"`
	Resource string           `json:"resource"`
	ID       string           `json:"id"`
	HealedID string           `json:"healed_id"`
	Added    int              `json:"members_added"`
	Removed  int              `json:"members_removed"`
	Parked   int              `json:"members_parked"`
	Events   []struct {
		Type  string `json:"type"`
		Count int    `json:"count"`
		ID    string `json:"id"`
	} `json:"events"`
	Refusal *struct {
		Code   string `json:"code"`
		Reason string `json:"reason"`
		Field  string `json:"field"`
		Wanted string `json:"wanted"`
		Got    string `json:"got"`
		FixBy  string `json:"fix_by"`
		Advice string `json:"advice"`
	} `json:"refusal"`
}

// effectOf reads it. Of a person who was erased nothing is left to read: that is no failure.
func effectOf(x directory.Exchange) exchangeEffect {
	var e exchangeEffect
	if err := json.Unmarshal(x.Effect, &e); err != nil {
		return exchangeEffect{}
	}
	return e
}

// exchangesView is the tab of exchanges.
type exchangesView struct {
	Sheet sheetView
	List  exchangeList
	Tools templ.Component
}

// exchangeList is what is drawn anew while it is looked at.
type exchangeList struct {
	Table ui.TableProps
	Poll  string // address that has what is new; "": it does not follow
	Note  string
}

// exchangePage is what a page of exchanges was asked for.
type exchangePage struct {
	before  directory.ExchangeID
	refused bool
	until   time.Time // until when it follows
}

func (c *call) exchangePage(q url.Values) (p exchangePage, err error) {
	p.refused = q.Get("show") == "refused"
	before := q.Get("after") // what comes after in the list is older
	if before != "" && !isID(before, exchangePrefix) {
		return p, errPlace()
	}
	p.before = directory.ExchangeID(before)
	now := c.s.o.Now()
	p.until = now.Add(liveFor)
	if text := q.Get("until"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return p, errPlace()
		}
		if at := time.Unix(n, 0); at.Before(p.until) {
			p.until = at
		}
	}
	return p, nil
}

func showExchanges(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	p, err := c.exchangePage(q)
	if err != nil {
		return err
	}
	s, _, err := c.directorySheet(d, o, "exchanges")
	if err != nil {
		return err
	}
	list, err := c.exchangeList(d, p)
	if err != nil {
		return err
	}
	s.Head.Actions = acts([]action{c.exchangesOf(d, p).exportAction(c)})
	path := directoryHref(d.ID, "exchanges")
	return c.show(c.tabFrame(d, o, "exchanges"), exchangesView{Sheet: s, List: list, Tools: exchangeFilter(path, q.Get("show"), cleared(q, path, "show", "after"))}.view())
}

// exchangesTable are what was asked of a directory, without what was sent and answered.
func exchangesTable(c *call) (table[directory.Exchange], error) {
	d, _, err := c.directory()
	if err != nil {
		return table[directory.Exchange]{}, err
	}
	q, err := c.query()
	if err != nil {
		return table[directory.Exchange]{}, err
	}
	p, err := c.exchangePage(q)
	return c.exchangesOf(d, p), err
}

func (c *call) exchangesOf(d directory.Directory, p exchangePage) table[directory.Exchange] {
	w, q := c.words(), url.Values{}
	if p.refused {
		q.Set("show", "refused")
	}
	if p.before != "" {
		q.Set("after", string(p.before))
	}
	return table[directory.Exchange]{
		id: "exchanges", file: "exchanges", at: directoryHref(d.ID, "exchanges"), query: q, filters: []string{"show"}, key: func(x directory.Exchange) string { return string(x.ID) },
		onward: func(ctx context.Context, after string, limit int) ([]directory.Exchange, string, error) {
			found, next, err := c.s.o.Directories.ExchangeHeads(ctx, directory.ExchangeQuery{Directory: d.ID, Before: directory.ExchangeID(after), Limit: limit, Refused: p.refused})
			return found, string(next), err
		},
		fields: ui.Fields[directory.Exchange]{
			ui.InExport("id", func(x directory.Exchange) string { return string(x.ID) }),
			ui.OnPage(ui.Column{Label: w.T("directories.request")}, func(x directory.Exchange) templ.Component {
				return rowLink(x.Method+" "+atAGlance(x.Path), directoryHref(x.DirectoryID, "exchanges", string(x.ID)))
			}),
			ui.InExport("method", func(x directory.Exchange) string { return x.Method }),
			ui.InExport("path", func(x directory.Exchange) string { return x.Path }),
			ui.Both(ui.Column{Label: w.T("directories.status")}, func(x directory.Exchange) templ.Component { return ui.Badge(statusBadge(x.Status)) },
				"status", func(x directory.Exchange) string { return strconv.Itoa(x.Status) }),
			ui.Both(ui.Column{Label: w.T("directories.what_it_did")}, func(x directory.Exchange) templ.Component { return ui.Text(orDash(atAGlance(effectOf(x).Summary))) },
				"summary", func(x directory.Exchange) string { return effectOf(x).Summary }),
			ui.Both(ui.Column{Label: w.T("directories.when")}, func(x directory.Exchange) templ.Component { return moment(x.At) },
				"at", func(x directory.Exchange) string { return written(x.At) }),
			ui.Both(ui.Column{Label: w.T("directories.took"), Number: true, Minor: true}, func(x directory.Exchange) templ.Component { return ui.Text(milliseconds(w, x.Took)) },
				"microseconds", func(x directory.Exchange) string { return strconv.FormatInt(x.Took.Microseconds(), 10) }),
			ui.InExport("request_id", func(x directory.Exchange) string { return x.RequestID }),
			ui.InExport("user_agent", func(x directory.Exchange) string { return x.UserAgent }),
		},
	}
}

// exchangeList is a page of exchanges. The first one follows what happens.
func (c *call) exchangeList(d directory.Directory, p exchangePage) (exchangeList, error) {
	w, path, list := c.words(), directoryHref(d.ID, "exchanges"), c.exchangesOf(d, p)
	out := exchangeList{Table: ui.TableProps{Caption: w.T("directories.tab_exchanges"), Empty: noExchanges(w, p)}}
	found, err := list.fill(c, &out.Table)
	if err != nil {
		return exchangeList{}, err
	}
	for _, href := range []*string{&out.Table.Pager.First, &out.Table.Pager.Next} {
		if *href != "" { // the list is drawn anew from another address
			*href = path + *href
		}
	}
	if p.before != "" {
		out.Table.Pager.Summary = w.T("directories.older")
	}
	q := list.query
	switch {
	case p.before != "":
	case c.s.o.Now().After(p.until):
		out.Note = w.T("directories.paused")
	default:
		out.Note = w.T("directories.live")
		q.Set("seen", seenDigest(found))
		q.Set("until", strconv.FormatInt(p.until.Unix(), 10))
		out.Poll = withQuery(path+"/live", q)
	}
	return out, nil
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// seenDigest stands for the rows of a page: ids do not tell what is new, for exchanges are written out of their order.
func seenDigest(all []directory.Exchange) string {
	h := sha256.New()
	for _, x := range all {
		h.Write([]byte(x.ID))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func noExchanges(w *words.Words, p exchangePage) ui.EmptyProps {
	if p.refused {
		return ui.EmptyProps{Icon: ui.IconCheckCircle, Title: w.T("directories.no_refused"), Text: w.T("directories.no_refused_text")}
	}
	return ui.EmptyProps{Icon: ui.IconActivity, Title: w.T("directories.no_exchanges"), Text: w.T("directories.waiting_text")}
}

// atAGlance keeps a cell of a table within what one can take in at a glance.
func atAGlance(text string) string {
	const longest = 160
	runes := []rune(text)
	if len(runes) <= longest {
		return text
	}
	return string(runes[:longest]) + "…"
}

func milliseconds(w *words.Words, d time.Duration) string {
	return w.T("directories.milliseconds", "n", strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64))
}

func statusBadge(status int) ui.BadgeProps {
	b := ui.BadgeProps{Label: strconv.Itoa(status), Tone: ui.Good, Icon: ui.IconCheckCircle}
	if status >= refusedFrom {
		b.Tone, b.Icon = ui.Bad, ui.IconWrong
	}
	return b
}

// showExchangesLive is the list again where something has come since, and nothing where nothing has.
func showExchangesLive(c *call) error {
	c.q.Quiet()
	d, _, err := c.directory()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	p, err := c.exchangePage(q)
	if err != nil {
		return err
	}
	p.before = ""
	list, err := c.exchangeList(d, p)
	if err != nil {
		return err
	}
	if list.Poll != "" && seenIn(list.Poll) == q.Get("seen") {
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return c.s.o.Site.Write(c.w, c.r, web.Answer{Body: list.view(), Script: true, Isolated: true})
}

func seenIn(href string) string {
	u, err := url.Parse(href)
	if err != nil {
		return ""
	}
	return u.Query().Get("seen")
}

// exchangeView is one exchange.
type exchangeView struct {
	Sheet    sheetView
	Facts    []ui.Pair
	Refusal  []ui.Pair
	Sent     ui.CodeProps // ID "": nothing was sent
	Answered ui.CodeProps
	Replay   action // Label "": it cannot be repeated
}

// exchange finds the one of the address, and whose it is.
func (c *call) exchange() (d directory.Directory, o org.Organization, x directory.Exchange, err error) {
	if d, o, err = c.directory(); err != nil {
		return d, o, x, err
	}
	id := c.values["exchange"]
	if !isID(id, exchangePrefix) {
		return d, o, x, fault.New(fault.NotFound, "entity_not_found", "Exchange not found: '%.80s'.", id)
	}
	x, err = c.s.o.Directories.Exchange(c.ctx(), d.ID, directory.ExchangeID(id))
	return d, o, x, err
}

func showExchange(c *call) error {
	d, o, x, err := c.exchange()
	if err != nil {
		return err
	}
	w, e := c.words(), effectOf(x)
	back := ui.Link{Label: w.T("directories.tab_exchanges"), Href: directoryHref(d.ID, "exchanges")}
	title := x.Method + " " + atAGlance(x.Path)
	v := exchangeView{
		Sheet: sheetView{Head: ui.HeadProps{Title: title, Badge: ui.Badge(statusBadge(x.Status)), Back: back}, Alerts: []ui.AlertProps{exchangeAlert(w, x, e)}},
		Facts: exchangeFacts(w, x, e), Refusal: refusalPairs(w, e), Answered: exchangeCode(w, "answered", w.T("directories.answered"), x.Answer),
	}
	if c.changes() && repeatable(x) && c.s.o.Again != nil {
		v.Replay = action{Label: w.T("directories.again"), Form: c.form(directoryHref(d.ID, "exchanges", string(x.ID), "replay")), Icon: ui.IconRefresh, Variant: ui.Secondary, Small: true}
	}
	if len(x.Body) > 0 {
		v.Sent = exchangeCode(w, "sent", w.T("directories.sent"), x.Body)
	}
	if x.TokenID != "" {
		if v.Facts, err = c.withToken(v.Facts, x); err != nil {
			return err
		}
	}
	return c.show(directoryFrame(d, o, back, ui.Link{Label: title}), v.view())
}

// exchangeAlert says in plain words what a request did, or why it did nothing and who has to do something.
func exchangeAlert(w *words.Words, x directory.Exchange, e exchangeEffect) ui.AlertProps {
	a := ui.AlertProps{Tone: ui.Good, Title: orDash(e.Summary)}
	switch {
	case x.Status >= refusedFrom:
		a.Tone = ui.Bad
	case e.Change == directory.Unchanged || e.Change == "":
		a.Tone = ui.Info
	}
	if e.Refusal != nil {
		a.Text = e.Refusal.Advice
		if key := "directories.fix_" + e.Refusal.FixBy; w.Has(key) {
			a.Text = w.T(key) + " " + a.Text
		}
	}
	return a
}

func exchangeFacts(w *words.Words, x directory.Exchange, e exchangeEffect) []ui.Pair {
	pairs := []ui.Pair{
		{Key: w.T("directories.when"), Value: exactly(x.At)},
		{Key: w.T("directories.took"), Text: milliseconds(w, x.Took)},
		{Key: w.T("directories.request_id"), Text: x.RequestID, Mono: true},
		{Key: w.T("directories.user_agent"), Text: x.UserAgent},
		{Key: w.T("directories.path"), Text: x.Path, Mono: true},
	}
	if href := resourceHref(x.DirectoryID, e); href != "" {
		pairs = append(pairs, ui.Pair{Key: w.T("directories.about"), Value: link(e.ID, href)})
	}
	for _, one := range []struct {
		key string
		n   int
	}{{"directories.members_added", e.Added}, {"directories.members_removed", e.Removed}, {"directories.members_parked", e.Parked}} {
		if one.n > 0 {
			pairs = append(pairs, ui.Pair{Key: w.T(one.key), Text: w.Number(one.n)})
		}
	}
	if e.HealedID != "" {
		pairs = append(pairs, ui.Pair{Key: w.T("directories.healed"), Text: e.HealedID, Mono: true})
	}
	for _, one := range e.Events {
		text := one.Type
		if one.Count > 1 {
			text += " × " + w.Number(one.Count)
		}
		pairs = append(pairs, ui.Pair{Key: w.T("directories.event"), Text: text + " " + one.ID, Mono: true})
	}
	return pairs
}

// resourceHref leads to the person or the group that a request was about.
func resourceHref(d directory.ID, e exchangeEffect) string {
	switch {
	case e.Resource == "user" && isID(e.ID, directoryUserPrefix):
		return directoryHref(d, "users", e.ID)
	case e.Resource == "group" && isID(e.ID, directoryGroupPrefix):
		return directoryHref(d, "groups", e.ID)
	}
	return ""
}

func refusalPairs(w *words.Words, e exchangeEffect) []ui.Pair {
	if e.Refusal == nil {
		return nil
	}
	var pairs []ui.Pair
	for _, one := range []struct{ key, text string }{
		{"directories.field", e.Refusal.Field}, {"directories.wanted", e.Refusal.Wanted}, {"directories.got", e.Refusal.Got}, {"directories.code", e.Refusal.Code},
	} {
		if one.text != "" {
			pairs = append(pairs, ui.Pair{Key: w.T(one.key), Text: one.text, Mono: true})
		}
	}
	return pairs
}

func exchangeCode(w *words.Words, id, label string, text []byte) ui.CodeProps {
	code := ui.CodeProps{ID: id, Label: label, Text: indented(text), JSON: true, Copy: len(text) > 0}
	if len(text) == 0 {
		code.Text = w.T("directories.nothing_kept")
		code.JSON = false
	}
	return code
}

// withToken says by which of the directory's tokens a request came; another is an API key of the organization.
func (c *call) withToken(pairs []ui.Pair, x directory.Exchange) ([]ui.Pair, error) {
	all, err := c.s.o.Directories.Tokens(c.ctx(), x.DirectoryID)
	if err != nil {
		return nil, err
	}
	shown := string(x.TokenID)
	for _, one := range all {
		if one.ID == x.TokenID {
			shown = "…" + one.Suffix
		}
	}
	return append(pairs, ui.Pair{Key: c.words().T("directories.token"), Text: shown, Mono: true}), nil
}
