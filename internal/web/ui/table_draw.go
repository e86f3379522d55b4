package ui

import "github.com/a-h/templ"

// at is the cell of a column; a row that is too short has empty ones.
func (r Row) at(i int) templ.Component {
	if i < len(r.Cells) && r.Cells[i] != nil {
		return r.Cells[i]
	}
	return templ.NopComponent
}

// seen is the heading that stands beside a cell where the row is a card.
func (c Column) seen() string {
	if c.Unseen {
		return ""
	}
	return c.Label
}

func (t TableProps) exports() ButtonProps {
	b := ExportProps(t.ID, t.Export)
	b.Small = true
	return b
}
