// Package dashboard is the operator's pages, below /dashboard/. Like every edge it decides nothing: a page reads what verbs give it, a form calls
// one verb as the operator who is signed in (event.Actor with the source "dashboard"), and the whole list of addresses is in routes.go.
//
// How to add a page: a row of pages() in routes.go, a handler func(*call) error in a file of its family, a view in a .templ file that takes a plain
// struct, sentences in words/en.json below "dashboard", and where it has a place in the menu a line of menu() in frame.go. A list is a table
// (tables.go), which the page draws and an exportRow of the addresses takes along; a test finds those that have none.
//
// What must stay true:
//   - a *call is made by the door alone (door.go), so a page for strangers does not compile; pages before the sign-in take a *visit;
//   - a form changes something only by POST, from our own origin (http.CrossOriginProtection) and with the token of the session (csrf.go);
//     call.form puts it into each form;
//   - each row says who may look and who may change; who may only look is refused before the handler;
//   - nothing that a provider or a person wrote reaches a page but through templ, which escapes it where it stands; addresses go through ui;
//   - the key of a session is in a cookie that no script can read, and links that sign in need a POST.
package dashboard

//go:generate go tool templ generate -path . -log-level error
