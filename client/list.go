package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strconv"
	"strings"
)

const maxPage = 100

// Listing is what all lists can be asked for. The zero value is the whole list, newest first, in pages of 100.
type Listing struct {
	PageSize  int    // 1 to 100; 0: 100
	Ascending bool   // oldest first
	After     string // id of the entry after which to begin, in the order asked for
}

func (l Listing) query() url.Values {
	q := url.Values{"limit": {strconv.Itoa(maxPage)}}
	if l.PageSize > 0 {
		q.Set("limit", strconv.Itoa(min(l.PageSize, maxPage)))
	}
	if l.Ascending {
		q.Set("order", "asc")
	}
	set(q, "after", l.After)
	return q
}

// set leaves out what is empty.
func set(q url.Values, name string, values ...string) {
	if joined := strings.Join(values, ","); joined != "" {
		q.Set(name, joined)
	}
}

// page is one answer of a list.
type page struct {
	Data     []json.RawMessage `json:"data"`
	Metadata struct {
		After *string `json:"after"`
	} `json:"list_metadata"`
}

// list walks a list page by page; an error ends it.
func list[T any](ctx context.Context, c *Client, query url.Values, path ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for {
			p, err := fetch[page](ctx, c, get(query, path...))
			if err != nil {
				yield(none, err)
				return
			}
			for _, text := range p.Data {
				item, err := decode[T](text)
				if !yield(item, err) || err != nil {
					return
				}
			}
			// A page without entries, or one that leads back to itself, would go on for ever.
			if p.Metadata.After == nil || len(p.Data) == 0 || *p.Metadata.After == query.Get("after") {
				return
			}
			query.Set("after", *p.Metadata.After)
		}
	}
}

// Collect reads a list into a slice. limit bounds it; 0 is all.
func Collect[T any](items iter.Seq2[T, error], limit int) ([]T, error) {
	var out []T
	for item, err := range items {
		if err != nil {
			return out, err
		}
		if out = append(out, item); len(out) == limit {
			break
		}
	}
	return out, nil
}
