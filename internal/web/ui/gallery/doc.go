// Package gallery shows every component the way pages use them: to look at, and for the tests that look. It is no part of the program.
//
//	go test ./internal/web/ui/gallery -pictures
//
// writes a picture of each page, light and dark, wide and at 360 pixels, into the folder build beside this file.
package gallery
