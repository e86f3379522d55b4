package scim

import (
	"slices"
	"strings"
	"testing"
)

//scim:100,101,47,92
func TestSorting_follows_type_letter_case_and_primary(t *testing.T) {
	typ := badgeModel(t)
	docs := []*Object{
		objectFrom(t, `{"id":"b","userName":"Bob","active":true,"title":"x","emails":[{"value":"z@x"},{"value":"a@x","primary":true}],
			"meta":{"created":"2020-01-01T00:00:00+02:00"},"`+badgeURN+`":{"number":10,"code":"a"}}`),
		objectFrom(t, `{"id":"A","userName":"alice","active":false,"emails":[{"value":"m@x"}],
			"meta":{"created":"2019-12-31T23:00:00Z"},"`+badgeURN+`":{"number":9,"code":"B"}}`),
		objectFrom(t, `{"id":"c","userName":"Carol","title":"y","meta":{"created":"2019-12-31T22:30:00Z"}}`),
	}
	for _, tt := range []struct{ by, order, want string }{
		{"userName", "", "A b c"},
		{"USERNAME", "Ascending", "A b c"},
		{"userName", "descending", "c b A"},
		{"id", "ascending", "A b c"},
		{"title", "ascending", "b c A"},
		{"title", "descending", "A c b"},
		{"emails", "ascending", "b A c"},
		{"email", "descending", "c A b"},
		{"emails.value", "descending", "c A b"},
		{"meta.created", "ascending", "b c A"},
		{badgeURN + ":number", "ascending", "A b c"},
		{badgeURN + ":code", "ascending", "A b c"},
		{"active", "ascending", "A b c"},
		{"nonsense", "ascending", "b A c"},
		{"", "", "b A c"},
	} {
		s, err := typ.ParseSort(tt.by, tt.order)
		if err != nil {
			t.Errorf("sortBy=%s: %v", tt.by, err)
			continue
		}
		sorted := slices.Clone(docs)
		slices.SortStableFunc(sorted, func(a, b *Object) int { return s.Compare(s.Key(a), s.Key(b)) })
		var ids []string
		for _, doc := range sorted {
			ids = append(ids, doc.Text("id"))
		}
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("sortBy=%s %s: %s, want %s", tt.by, tt.order, got, tt.want)
		}
		if s.Asked() != (tt.by != "") {
			t.Errorf("sortBy=%s: Asked %v", tt.by, s.Asked())
		}
	}
}

func TestAn_order_that_cannot_be_is_refused(t *testing.T) {
	for _, tt := range []struct{ by, order, code string }{
		{"userName", "upwards", CodeInvalidValue},
		{"user name", "", CodeInvalidPath},
		{`emails[type eq "work"]`, "", CodeInvalidPath},
		{"name", "", CodeInvalidValue},
	} {
		_, err := Standard().User.ParseSort(tt.by, tt.order)
		wantRefusal(t, err, tt.code)
	}
}
