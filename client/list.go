package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"
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
	return walk[T](ctx, c, get(query, path...), false)
}

// walk does so with any call that gives pages. sparse lists have pages without entries, for they tell how far was looked.
func walk[T any](ctx context.Context, c *Client, what call, sparse bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for {
			p, err := fetch[page](ctx, c, what)
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
			// A page that leads back to itself would go on for ever, and so would one without entries where lists have none.
			if p.Metadata.After == nil || len(p.Data) == 0 && !sparse || *p.Metadata.After == what.query.Get("after") {
				return
			}
			what.query.Set("after", *p.Metadata.After)
		}
	}
}

// array reads a list that is a bare array.
func array[T any](ctx context.Context, c *Client, what call) ([]T, error) {
	found, err := fetch[[]json.RawMessage](ctx, c, what)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(found))
	for i, text := range found {
		if out[i], err = decode[T](text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// setAt sets a moment, unless it is zero.
func setAt(q url.Values, name string, at time.Time) {
	if !at.IsZero() {
		q.Set(name, at.UTC().Format(time.RFC3339Nano))
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
