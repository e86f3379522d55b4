package api

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/org"
)

const exchangePrefix = "exchange"

type shownExchange struct {
	Object       string               `json:"object"`
	ID           directory.ExchangeID `json:"id"`
	DirectoryID  directory.ID         `json:"directory_id"`
	TokenID      *directory.TokenID   `json:"token_id"` // null where the token was refused
	At           string               `json:"at"`
	Method       string               `json:"method"`
	Path         string               `json:"path"`
	Status       int                  `json:"status"`
	Milliseconds float64              `json:"milliseconds"`
	RequestID    string               `json:"request_id"`
	UserAgent    string               `json:"user_agent"`
	Effect       jsontext.Value       `json:"effect"`
	Body         *string              `json:"body"`
	Answer       *string              `json:"answer"`
}

func showExchange(x directory.Exchange) (jsontext.Value, error) {
	return encode(shownExchange{
		Object: "exchange", ID: x.ID, DirectoryID: x.DirectoryID, TokenID: optional(x.TokenID), At: org.Time(x.At), Method: x.Method,
		Path: x.Path, Status: x.Status, Milliseconds: float64(x.Took) / float64(time.Millisecond), RequestID: x.RequestID,
		UserAgent: x.UserAgent, Effect: x.Effect, Body: optional(string(x.Body)), Answer: optional(string(x.Answer)),
	})
}

// listExchanges gives the newest first. before names the exchange from which to go back in time; after is the same in the
// words of the other lists, for what comes after an entry of this one is older.
func listExchanges(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(exchangePrefix, false)
	if err != nil {
		return answer{}, err
	}
	switch {
	case p.ascending:
		return answer{}, errField("order", "invalid_order", "Exchanges are listed with the newest first; leave order out.")
	case p.before != "" && p.after != "":
		return answer{}, errField("before", "ambiguous", "before and after mean the same here; give one of them.")
	case p.before != "":
		p.before, p.after = "", p.before
	}
	found, err := c.o.Directories.Exchanges(c.ctx(), d.ID, p.after, p.limit+1)
	if err != nil {
		return answer{}, err
	}
	more := len(found) > p.limit
	page, err := listOf(p, found[:min(len(found), p.limit)], more, func(x directory.Exchange) string { return string(x.ID) }, showExchange)
	page.Metadata.Before = nil // there is no way to read towards now
	return ok(page), err
}
