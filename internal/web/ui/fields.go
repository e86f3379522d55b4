package ui

import "github.com/a-h/templ"

// Field is a column of a list of T: how a page draws it, how an export writes it, or both.
type Field[T any] struct {
	Column Column
	Cell   func(T) templ.Component // nil: no page has it
	Name   string                  // in the first line of an export; "": no export has it
	Text   func(T) string
}

// Fields are the columns of a list, declared once for its page and its export.
type Fields[T any] []Field[T]

// Both is a column of the page and of the export.
func Both[T any](c Column, cell func(T) templ.Component, name string, text func(T) string) Field[T] {
	return Field[T]{c, cell, name, text}
}

// OnPage is a column that no export has: buttons, and what other columns of the export say together.
func OnPage[T any](c Column, cell func(T) templ.Component) Field[T] {
	return Field[T]{Column: c, Cell: cell}
}

// InExport is a column for which a page has no room.
func InExport[T any](name string, text func(T) string) Field[T] {
	return Field[T]{Name: name, Text: text}
}

// Columns are those of the page.
func (f Fields[T]) Columns() (out []Column) {
	for _, one := range f {
		if one.Cell != nil {
			out = append(out, one.Column)
		}
	}
	return out
}

// Cells are a row of the page.
func (f Fields[T]) Cells(of T) (out []templ.Component) {
	for _, one := range f {
		if one.Cell != nil {
			out = append(out, one.Cell(of))
		}
	}
	return out
}

// Names are the first line of the export.
func (f Fields[T]) Names() (out []string) {
	for _, one := range f {
		if one.Name != "" {
			out = append(out, one.Name)
		}
	}
	return out
}

// Texts are a line of the export.
func (f Fields[T]) Texts(of T) (out []string) {
	for _, one := range f {
		if one.Name != "" {
			out = append(out, one.Text(of))
		}
	}
	return out
}
