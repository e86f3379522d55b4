package ui

import "github.com/a-h/templ"

// Direction is how a column is sorted.
type Direction string

// The closed list of Direction. Unsorted columns with an address can be sorted.
const (
	Unsorted   Direction = ""
	Ascending  Direction = "ascending"
	Descending Direction = "descending"
)

// Column is a column of a table.
type Column struct {
	Label  string
	Unseen bool      // the label is heard and not seen: a column of buttons
	Number bool      // at the right, digits of one width
	Sort   string    // address that sorts by it; "": it cannot be sorted
	Sorted Direction // how it is now
	Minor  bool      // left out where there is little room
}

// Row is a row: a component for each column. The first one names it, and holds its link.
type Row struct {
	ID    string
	Cells []templ.Component
}

// Pager leads to the pages before and after by their cursors. An address of "" is no page.
type Pager struct {
	First, Previous, Next string
	Summary               string // like "51 to 100 of 1,234"
}

// TableProps is a table with what belongs to it.
type TableProps struct {
	ID      string
	Caption string // what it lists; heard, and seen if Titled
	Titled  bool
	Columns []Column
	Rows    []Row
	Empty   EmptyProps
	Pager   Pager
	Tools   templ.Component // above it: a Filter; may be nil
	Export  Link            // where it is taken along, below its Tools; may be zero: the page's head has it, or nothing
}

// ExportProps is the button that takes along the table of this id.
func ExportProps(table string, l Link) ButtonProps {
	return ButtonProps{Label: l.Label, Href: l.Href, Download: true, Variant: Secondary, Icon: IconDownload, Attrs: templ.Attributes{"id": "export-" + table}}
}

// FilterProps is a form that narrows a list: it gets the same page with other parameters. Its children are further controls, with Lax.
type FilterProps struct {
	Action string
	Search string // name of the parameter of the search; "": there is none
	Query  string // what was searched for
	Label  string // of the search field
	Hidden []Hidden
	Clear  string // address without any filter; "": nothing is filtered
	Export Link   // may be zero
	// Exports is the id of the table that the export takes along.
	Exports string
}
