package web

import (
	"bytes"
	"encoding/csv"
	"strings"
)

// CSVLine writes cells as RFC 4180 wants them, none of which a spreadsheet takes for a formula.
func CSVLine(cells []string) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	harmless := make([]string, len(cells))
	for i, cell := range cells {
		harmless[i] = harmlessCell(cell)
	}
	if err := w.Write(harmless); err != nil { // into memory
		panic(err)
	}
	w.Flush()
	return out.Bytes()
}

// harmlessCell puts an apostrophe before what a spreadsheet would reckon out: names come from strangers. Some programs pass over what is blank
// before, and take the wide forms of the signs for the signs.
func harmlessCell(cell string) string {
	cell = strings.ToValidUTF8(strings.ReplaceAll(cell, "\x00", ""), "\uFFFD")
	if cell == "" {
		return cell
	}
	bare := strings.TrimLeftFunc(cell, func(r rune) bool { return r <= ' ' || r == 0xA0 || r == 0xFEFF })
	if strings.IndexAny(bare, "=+-@＝＋－＠") == 0 || strings.ContainsAny(cell[:1], "\t\r\n") {
		return "'" + cell
	}
	return cell
}
