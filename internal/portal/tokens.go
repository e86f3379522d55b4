package portal

import (
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// tokensView is the page on which tokens are rotated: a second one is made, the provider is given it, the first is revoked.
type tokensView struct {
	Name, Made string // Made: the new one, shown this once
	Wrong      string
	Tokens     []tokenRow
	New        ui.FormProps
}

type tokenRow struct {
	Suffix              string
	CreatedAt, LastUsed time.Time
	RevokedAt           time.Time
	Revoke              ui.FormProps
}

func showTokens(c *call) error {
	d, err := c.directory(c.path("directory"))
	if err != nil {
		return err
	}
	return c.tokensPage(http.StatusOK, d, "", "")
}

func (c *call) tokensPage(status int, d directory.Directory, made token.Secret, wrong string) error {
	all, err := c.s.o.Directories.Tokens(c.ctx(), d.ID)
	if err != nil {
		return err
	}
	base := "/portal/tokens/" + string(d.ID)
	view := tokensView{Name: d.Name, Made: made.Reveal(), Wrong: wrong, New: c.formTo(base)}
	for _, t := range all {
		view.Tokens = append(view.Tokens, tokenRow{t.Suffix, t.CreatedAt, t.LastUsedAt, t.RevokedAt, c.formTo(base + "/" + string(t.ID) + "/revoke")})
	}
	c.w.Header().Set("Cache-Control", "no-store")
	return c.page(status, c.shell(c.t("portal.tokens_title")), tokensPage(view))
}

// makeToken shows the new token in its answer and nowhere else: a page that is read again shows none.
func makeToken(c *call) error {
	d, err := c.directory(c.path("directory"))
	if err != nil {
		return err
	}
	_, made, err := c.s.o.Directories.CreateToken(c.ctx(), c.actor(), d.ID)
	if f, ok := fault.As(err); ok && f.Kind == fault.Conflict {
		return c.tokensPage(http.StatusConflict, d, "", c.t("portal.tokens_limit"))
	}
	if err != nil {
		return err
	}
	return c.tokensPage(http.StatusOK, d, made, "")
}

func revokeToken(c *call) error {
	d, err := c.directory(c.path("directory"))
	if err != nil {
		return err
	}
	if err := c.s.o.Directories.RevokeToken(c.ctx(), c.actor(), d.ID, directory.TokenID(c.path("token"))); err != nil {
		return err
	}
	c.redirect("/portal/tokens/" + string(d.ID))
	return nil
}
