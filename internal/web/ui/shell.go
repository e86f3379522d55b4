package ui

import "github.com/a-h/templ"

// NavItem is a place to go.
type NavItem struct {
	Label   string
	Href    string
	Icon    Icon
	Current bool // the page is this one or lies below it
	Count   int  // waiting there; shown if above 0
}

// NavGroup are places under one heading; "" for none.
type NavGroup struct {
	Label string
	Items []NavItem
}

// Account is who is signed in.
type Account struct {
	Name    string
	Note    string // address, or the organization
	SignOut FormProps
	Links   []Link
}

// ShellProps is what stands around a page of the dashboard.
type ShellProps struct {
	Title   string // of the window; the page's h1 is Head's
	Nav     []NavGroup
	Crumbs  []Link // from the outermost to this page, whose address may be ""
	Account Account
	Search  FilterProps     // at the top; Search "" for none
	Toast   *ToastProps     // may be nil
	Banner  templ.Component // over the page, like a state of the whole installation; may be nil
	Narrow  bool            // text and forms: no wider than can be read well
}

// PortalProps is what stands around a page of the IT admin's set-up.
type PortalProps struct {
	Title        string
	Organization string // whose set-up it is
	Steps        []Step
	Exit         Link    // back to the app; may be zero
	Help         Link    // may be zero
	Account      Account // Name "": nobody is signed in
	Toast        *ToastProps
}

// PlainProps is what stands around a page of a member: one card in the middle.
type PlainProps struct {
	Title  string
	Wide   bool
	Script string // name of the one script of the page; "": none
	Footer string
}
