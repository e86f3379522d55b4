// Package ui is what pages are made of: shells, controls, tables, and what shows things, as templ components. The operator's, the IT admin's
// and the members' pages look alike because nothing else draws.
//
// A component takes a struct of what varies; everything in it is text and is escaped where it stands, unless the field is a component itself.
// Its own words come from the language of the page (package words), which a View in the context names, together with the time that "5 minutes
// ago" is said at. So a page is the same bytes whenever it is drawn from the same View.
//
// What must stay true:
//   - No style attribute, no style element, no script in the page, no handler attribute: the policy of pages allows none.
//   - Each page can be used without script; what a script adds appears by script.
//   - Colour never says anything alone: beside it stands a word or a mark that has a name.
//   - Everything works at 360 pixels, by keyboard, in light and in dark. The gallery's tests look at each component so.
package ui

//go:generate go tool templ generate -path . -log-level error
