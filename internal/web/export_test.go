package web

import "testing"

func TestCSV_holds_no_cell_that_a_spreadsheet_reckons_out(t *testing.T) {
	for cell, want := range map[string]string{
		"Ada":             "Ada\r\n",
		"a,b":             "\"a,b\"\r\n",
		"=1+1":            "'=1+1\r\n",
		" +1":             "' +1\r\n",
		"\u00a0@SUM(A1)":  "'\u00a0@SUM(A1)\r\n",
		"＝1":              "'＝1\r\n",
		"\tx":             "'\tx\r\n",
		"a\x00b\xff":      "ab\uFFFD\r\n",
		"minus-inside":    "minus-inside\r\n",
		"-minus at first": "'-minus at first\r\n",
	} {
		if got := string(CSVLine([]string{cell})); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}
