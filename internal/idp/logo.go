package idp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:generate go run ./logogen catalog
//go:generate go run ./logogen demo

// largestLogo is in bytes: logos stand inside pages that list all providers.
const largestLogo = 4096

func loadLogo(files fs.FS, slug Slug) (string, error) {
	name := path.Join(string(slug), "logo.svg")
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return "", fmt.Errorf("read %s: %w; go generate ./internal/idp draws it", name, err)
	}
	if err := checkLogo(text); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(text), nil
}

// checkLogo refuses whatever could act or fetch inside a page: everything but
// shapes and text, and every attribute that is not known to be harmless.
func checkLogo(text []byte) error {
	if len(text) > largestLogo {
		return fmt.Errorf("%d bytes: want at most %d", len(text), largestLogo)
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	root := true
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("not XML: %w", err)
		}
		if err := checkLogoToken(token, root); err != nil {
			return err
		}
		if _, element := token.(xml.StartElement); element {
			root = false
		}
	}
	if root {
		return errors.New("holds no svg element")
	}
	return nil
}

func checkLogoToken(token xml.Token, root bool) error {
	switch token := token.(type) {
	case xml.StartElement:
		return checkLogoElement(token, root)
	case xml.CharData, xml.EndElement:
		return nil
	default:
		return errors.New("holds a comment, an instruction or a declaration; want elements and text alone")
	}
}

func checkLogoElement(element xml.StartElement, root bool) error {
	if root != (element.Name.Local == "svg") || element.Name.Space != "http://www.w3.org/2000/svg" {
		return fmt.Errorf("element %s: want one svg element around all others, in its own name space", element.Name.Local)
	}
	if shapes := []string{"svg", "g", "rect", "circle", "path", "text"}; !slices.Contains(shapes, element.Name.Local) {
		return fmt.Errorf("element %s: want only %q", element.Name.Local, shapes)
	}
	has := make(map[string]string)
	harmless := []string{
		"xmlns", "viewBox", "aria-hidden", "width", "height", "x", "y", "cx", "cy", "r", "rx", "ry", "d", "fill", "font-family", "font-size", "font-weight",
		"text-anchor", "dominant-baseline", "transform",
	}
	for _, attribute := range element.Attr {
		has[attribute.Name.Local] = attribute.Value
		if attribute.Name.Space != "" || !slices.Contains(harmless, attribute.Name.Local) || strings.Contains(attribute.Value, "url(") {
			return fmt.Errorf("attribute %s of %s: want only %q, none with an address", attribute.Name.Local, element.Name.Local, harmless)
		}
	}
	if root && (has["viewBox"] != "0 0 64 64" || has["aria-hidden"] != "true") {
		return errors.New(`want viewBox="0 0 64 64" and aria-hidden="true": the provider's name stands beside the logo`)
	}
	return nil
}
