package dashboard

import (
	"net/http"
	"strings"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// repeatable: a read whose whole path was kept. Others would change something, or ask for something else.
func repeatable(x directory.Exchange) bool {
	return x.Method == http.MethodGet && strings.HasPrefix(x.Path, "/") && len(x.Path) < repeatedPath && x.Status != http.StatusUnauthorized
}

// repeatedPath is the length from which on a path may have been cut.
const repeatedPath = 2000

// replayExchange asks again what a provider has asked, and shows both answers. Nothing is written.
func replayExchange(c *call) error {
	d, o, x, err := c.exchange()
	if err != nil {
		return err
	}
	if !repeatable(x) || c.s.o.Again == nil {
		return fault.New(fault.Conflict, "not_repeatable", "Only reads can be repeated: this request may have changed something.")
	}
	status, body, err := c.s.o.Again(c.ctx(), d.ID, x.Path)
	if err != nil {
		return err
	}
	w := c.words()
	back := ui.Link{Label: x.Method + " " + atAGlance(x.Path), Href: directoryHref(d.ID, "exchanges", string(x.ID))}
	v := exchangeView{
		Sheet:    sheetView{Head: ui.HeadProps{Title: w.T("directories.again_title"), Text: w.T("directories.again_text"), Badge: ui.Badge(statusBadge(status)), Back: back}},
		Sent:     exchangeCode(w, "then", w.T("directories.again_then"), x.Answer),
		Answered: exchangeCode(w, "now", w.T("directories.again_now"), body),
	}
	return c.show(directoryFrame(d, o, ui.Link{Label: w.T("directories.tab_exchanges"), Href: directoryHref(d.ID, "exchanges")}, back, ui.Link{Label: v.Sheet.Head.Title}), v.view())
}
