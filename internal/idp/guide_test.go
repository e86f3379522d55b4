package idp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// samlGuide is complete; {{…}} of fmt are not used, so that placeholders read as they are.
const samlGuide = `# Acme by SAML

You need an administrator and *five* minutes.

## Create the application

1. Open [the console](https://acme.example/admin) and press **New**.
2. Type the values.

` + "```copy" + `
ACS URL: {{acs_url}}

Audience: {{sp_entity_id}}
Format: EmailAddress: the second
` + "```" + `

> Do not press **Back**.

` + "```map" + `
email: user.email
http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname: user.lastName
` + "```" + `

## Bring the metadata

` + "```ask" + `
metadata_url: Metadata URL — ends in /metadata
or
sso_url: Sign on URL
idp_entity_id: Issuer
certificate: Certificate
` + "```" + `

` + "```check" + `
metadata
certificate
` + "```" + `

## Test the sign-in

Press *Test*.

` + "```check" + `
test_sign_in
` + "```" + `

## Good to know

- Names are ` + "`a < b`" + `.

## Troubleshooting

| You see | Why | What to do |
| --- | --- | --- |
| *403* | not assigned | Assign. |
| *404* | a \| b | Look at <https://acme.example/help>. |
`

func mustParse(t *testing.T, protocol Protocol, source string) Guide {
	t.Helper()
	guide, err := parseGuide(newMarkdown(), "catalog/acme/guide.md", protocol, []byte(source), false)
	if err != nil {
		t.Fatal(err)
	}
	return guide
}

func TestA_guide_is_read_into_steps_and_blocks(t *testing.T) {
	guide := mustParse(t, SAML, samlGuide)
	if guide.Title != "Acme by SAML" || guide.Protocol != SAML || guide.Intro[0].HTML != "<p>You need an administrator and <em>five</em> minutes.</p>" {
		t.Errorf("got %+v", guide)
	}
	var shape []string
	for _, step := range guide.Steps {
		shape = append(shape, "# "+step.Slug)
		for _, block := range step.Blocks {
			shape = append(shape, string(block.Kind))
		}
	}
	if want := "# create-the-application prose copy note map # bring-the-metadata ask check # test-the-sign-in prose check"; strings.Join(shape, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(shape, " "), want)
	}
	blocks := guide.Steps[0].Blocks
	if want := `<a href="https://acme.example/admin" rel="noreferrer" target="_blank">the console</a>`; !strings.Contains(blocks[0].HTML, want) {
		t.Errorf("got %s\nwant a link %s", blocks[0].HTML, want)
	}
	if got := blocks[1].Copy; len(got) != 3 || got[0] != (CopyLine{"ACS URL", "{{acs_url}}"}) || got[2] != (CopyLine{"Format", "EmailAddress: the second"}) {
		t.Errorf("copy: got %+v", got)
	}
	if got := blocks[1].Placeholders(); !slices.Equal(got, []Placeholder{PlaceholderACSURL, PlaceholderSPEntityID}) {
		t.Errorf("placeholders: got %q", got)
	}
	if got := blocks[2].HTML; got != "<p>Do not press <strong>Back</strong>.</p>" {
		t.Errorf("note: got %s", got)
	}
	if got := blocks[3].Map[1]; got.Name != "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname" || got.Source != "user.lastName" {
		t.Errorf("map: got %+v", got)
	}
	ask := guide.Steps[1].Blocks[0].Ask
	if len(ask) != 2 || ask[0][0] != (Field{FieldMetadataURL, "Metadata URL", "ends in /metadata"}) || ask[1][2] != (Field{FieldCertificate, "Certificate", ""}) {
		t.Errorf("ask: got %+v", ask)
	}
	if got := guide.GoodToKnow[0].HTML; !strings.Contains(got, "<code>a &lt; b</code>") {
		t.Errorf("good to know: got %s", got)
	}
	if got := guide.Trouble; len(got) != 2 || got[0] != (Trouble{"<em>403</em>", "not assigned", "Assign."}) || got[1].Why != "a | b" || !strings.Contains(got[1].Do, `rel="noreferrer"`) {
		t.Errorf("trouble: got %+v", got)
	}
}

func TestFaults_of_guides_are_named_with_file_and_line(t *testing.T) {
	fence := func(word, lines string) string { return "```" + word + "\n" + lines + "\n```\n" }
	step := func(text string) func(string) string {
		return func(g string) string { return strings.Replace(g, "2. Type the values.\n", "\n"+text, 1) } // the text begins on line 9
	}
	instead := func(old, text string) func(string) string {
		return func(g string) string {
			if !strings.Contains(g, old) {
				panic("the guide lacks " + old)
			}
			return strings.Replace(g, old, text, 1)
		}
	}
	cases := []struct {
		name   string
		change func(string) string
		want   string
	}{
		{"no title", instead("# Acme by SAML\n", ""), ":2: a guide begins with its title"},
		{"a step for a title", instead("# Acme by SAML", "## Acme by SAML"), ":1: a guide begins with its title"},
		{"another protocol's title", instead("by SAML", "by OIDC"), `:1: title "Acme by OIDC": want the provider's name and "by SAML"`},
		{"a title without a provider", instead("# Acme by SAML", "#  by SAML"), `:1: title "by SAML"`},
		{"a second title", step("# Again\n"), ":9: only the title has one"},
		{"a heading inside a step", step("### Inside\n"), ":9: only the title has one"},
		{"markup in a title", instead("## Bring the", "## Bring **the**"), ": a title is plain text"},
		{"a placeholder in a title", instead("## Bring the", "## Bring {{app_name}} the"), ": a title holds no placeholders"},
		{"two steps of one title", instead("## Bring the metadata", "## Create the application!"), "another one has this title"},
		{"a step of signs alone", instead("## Bring the metadata", "## …"), "the step has no title"},
		{"no introduction", instead("You need an administrator and *five* minutes.\n", ""), ":1: nothing between title and first step"},
		{"an empty step", step("## Nothing\n\n## Something\n\ntext\n"), `:1: step "Nothing" is empty`},
		{"raw HTML", step("<div>x</div>\n"), ":9: raw HTML"},
		{"raw HTML in a line", step("one\ntwo <your domain> three\n"), ":10: raw HTML"},
		{"an HTML comment", step("<!-- x -->\n"), ":9: raw HTML"},
		{"an image", step("![x](https://acme.example/x.png)\n"), ":9: Image has no place"},
		{"raw HTML in a note", step("> one\n>\n> <b>two</b>\n"), ":11: raw HTML"},
		{"a field without a label", instead("sso_url: Sign on URL", "sso_url:"), `:29: "sso_url:": want "field: Label`},
		{"a line across", step("\n***\n"), ":10: ThematicBreak has no place"},
		{"a link without https", step("[x](http://acme.example)\n"), `:9: link to "http://acme.example": want https://…`},
		{"a script for a link", step("[x](javascript:alert(1))\n"), `:9: link to "javascript:alert(1)"`},
		{"a mail address for a link", step("<ada@acme.example>\n"), `:9: link to "ada@acme.example"`},
		{"a link in a table of troubles", instead("not assigned", "[x](//acme.example)"), `:55: link to "//acme.example"`},
		{"a placeholder in prose", step("Type {{acs_url}} there.\n"), ":9: a placeholder stands here in running text"},
		{"a placeholder in a link", step("[x](https://{{acs_url}})\n"), ":9: a placeholder stands here"},
		{"a placeholder in the troubles", instead("not assigned", "{{acs_url}}"), ":55: a placeholder stands here"},
		{"a block in a list", step("1. One\n\n   " + strings.ReplaceAll(fence("copy", "a: b"), "\n", "\n   ") + "\n"), "a block inside a list or quote"},
		{"indented text", step("\nx\n\n    four blanks\n"), ":12: a block inside a list or quote, or text indented"},
		{"an unknown block", step(fence("cpoy", "a: b")), `:9: a block "cpoy": want copy`},
		{"a block without a word", step(fence("", "a: b")), `:9: a block "": want copy`},
		{"an empty block", step(fence("copy", "")), ":9: the block is empty"},
		{"copy without a value", step(fence("copy", "\na: b\nAlone:")), `:12: "Alone:": want "Label at the provider: value"`},
		{"a placeholder nobody knows", step(fence("copy", "a: {{acs}}")), ":10: placeholder {{acs}}: a guide of saml may use"},
		{"a placeholder of another protocol", step(fence("xml", "<a>{{scim_token}}</a>")), ":10: placeholder {{scim_token}}"},
		{"an application's name in code", step(fence("php", "$a = '{{app_name}}';")), ":10: {{app_name}} may hold any sign"},
		{"an organization's name in code", step(fence("xml", "<a>{{organization}}</a>")), ":10: {{organization}} may hold any sign"},
		{"half a placeholder", step(fence("copy", "a: {{acs_url}")), ":10: double braces that are no placeholder"},
		{"a placeholder in a label", step(fence("copy", "{{acs_url}}: b")), ":10: the label"},
		{"a placeholder in a map", step(fence("map", "id: {{acs_url}}")), ":10: only the values of copy"},
		{"a name mapped twice", step(fence("map", "id: a\nid: b")), `:11: "id" is mapped twice`},
		{"a field nobody knows", instead("sso_url: Sign", "issuer: Sign"), `:29: field "issuer": a guide of saml may ask for`},
		{"a field twice", instead("sso_url: Sign", "certificate: Sign"), ":31: certificate is asked for twice"},
		{"an alternative that is not enough", instead("sso_url: Sign on URL\n", ""), ":26: alternative 2 of the ask block"},
		{"an alternative with nothing", instead("or\n", "or\nor\n"), ":26: alternative 2 of the ask block"},
		{"two ask blocks", step(fence("ask", "metadata_url: x")), ":1: 2 ask blocks"},
		{"no ask block", func(g string) string {
			a, rest, _ := strings.Cut(g, "```ask")
			_, b, _ := strings.Cut(rest, "```\n")
			return a + b
		}, ":1: 0 ask blocks"},
		{"a check nobody knows", instead("certificate\n```", "certificates\n```"), `:36: check "certificates": a guide of saml may show`},
		{"no acs_url", instead("{{acs_url}}", "x"), ":1: no copy or code block has {{acs_url}}"},
		{"no sp_entity_id", instead("{{sp_entity_id}}", "x"), ":1: no copy or code block has {{sp_entity_id}}"},
		{"no check of the metadata", instead("\nmetadata\n", "\n"), `:1: no step has the check "metadata"`},
		{"no test at the end", instead("## Test the sign-in", "## Test"), `:1: the last step has to be "Test the sign-in"`},
		{"a test without its check", instead("test_sign_in", "metadata"), `:1: the last step has to be`},
		{"a step after the troubles", func(g string) string { return g + "\n## More\n\ntext\n" }, `step "More" stands behind`},
		{"good to know twice", instead("## Troubleshooting", "## Good to know\n\n- x\n\n## Troubleshooting"), `"Good to know": want steps, then`},
		{"good to know before the steps", instead("## Create", "## Good to know\n\n- x\n\n## Create"), `:5: "Good to know": want steps, then`},
		{"good to know in a paragraph", instead("- Names", "Names"), `"Good to know" is a bullet list`},
		{"asking under good to know", instead("## Troubleshooting", fence("check", "metadata")+"\n## Troubleshooting"), `"Good to know" is a bullet list`},
		{"troubles in a list", instead("| You see", "- x\n\n| You see"), `"Troubleshooting" is one table`},
		{"another head of the troubles", instead("| You see", "| They see"), ":53: the table's head is"},
		{"one trouble", instead("| *403* | not assigned | Assign. |\n", ""), ":1: \"Troubleshooting\" with at least two rows"},
		{"a trouble without a cure", instead("| Assign. |", "| |"), ":55: want three cells"},
		{"a cell too many", instead("| Assign. |", "| Assign. | More. |"), ":55: want three cells"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parseGuide(newMarkdown(), "catalog/acme/saml.md", SAML, []byte(tc.change(samlGuide)), false)
			if err == nil || !strings.Contains(err.Error(), "catalog/acme/saml.md:") || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestGuides_of_the_other_protocols_have_what_they_need(t *testing.T) {
	trouble := "## Troubleshooting\n\n| You see | Why | What to do |\n| --- | --- | --- |\n| a | b | c |\n| d | e | f |\n"
	oidc := "# A by OIDC\n\nx\n\n## Create\n\n```copy\nRedirect: {{redirect_uri}}\n```\n\n```ask\nissuer: I\nclient_id: C\nclient_secret: S\n```\n\n```check\ndiscovery\n```\n\n" +
		"## Test the sign-in\n\n```check\ntest_sign_in\n```\n\n" + trouble
	push := "# A by SCIM\n\nx\n\n## Connect\n\n```copy\nURL: {{scim_url}}\nToken: {{scim_token}}\n```\n\n```map\nemails[type eq \"work\"].value: mail\n```\n\n```check\nfirst_request\nfirst_user\n```\n\n" + trouble
	cases := []struct {
		protocol         Protocol
		source, old, new string
		want             string
	}{
		{OIDC, oidc, "", "", ""},
		{OIDC, oidc, "{{redirect_uri}}", "x", "{{redirect_uri}}"},
		{OIDC, oidc, "discovery", "client", `no step has the check "discovery"`},
		{OIDC, oidc, "client_secret: S\n", "", "alternative 1"},
		{OIDC, oidc, "test_sign_in", "client", "the last step has to be"},
		{SCIM, push, "", "", ""},
		{SCIM, push, "{{scim_url}}", "x", "{{scim_url}}"},
		{SCIM, push, "{{scim_token}}", "x", "{{scim_token}}"},
		{SCIM, push, "first_request\n", "", `no step has the check "first_request"`},
		{SCIM, push, "first_user\n", "", `no step has the check "first_user"`},
		{SCIM, push, "emails[type", "emails(type", ":13: \"emails(type"},
		{SCIM, push, "```map", "```ask\nissuer: I\n```\n\n```map", `field "issuer": a guide of scim may ask for []`},
	}
	for i, tc := range cases {
		t.Run(fmt.Sprint(i, tc.want), func(t *testing.T) {
			_, err := parseGuide(newMarkdown(), "a.md", tc.protocol, []byte(strings.Replace(tc.source, tc.old, tc.new, 1)), false)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestWhat_is_refused_is_not_rendered(t *testing.T) {
	source := strings.Replace(samlGuide, "2. Type the values.\n", "\n[x](http://acme.example)\n\n> <b>bold</b>\n", 1)
	guide, err := parseGuide(newMarkdown(), "a.md", SAML, []byte(source), false)
	if err == nil {
		t.Fatal("want faults")
	}
	for _, block := range guide.Steps[0].Blocks {
		if block.HTML == "" && block.Kind == BlockNote || strings.Contains(block.HTML, "http://") || strings.Contains(block.HTML, "bold") {
			t.Errorf("got %s", block.HTML)
		}
	}
}

func TestA_link_may_have_its_address_elsewhere(t *testing.T) {
	guide := mustParse(t, SAML, strings.Replace(samlGuide, "2. Type the values.\n", "2. See [help].\n\n[help]: https://acme.example/help\n", 1))
	if got := guide.Steps[0].Blocks; len(got) != 4 || !strings.Contains(got[0].HTML, `href="https://acme.example/help" rel="noreferrer"`) {
		t.Errorf("got %+v", got)
	}
}

func TestOne_slip_is_one_fault(t *testing.T) {
	_, err := parseGuide(newMarkdown(), "a.md", SAML, []byte(strings.Replace(samlGuide, "metadata_url: Metadata URL — ends in /metadata\n", "metadata_url: Metadata URL\nslo_url:\n", 1)), false)
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one fault", err)
	}
}

func TestA_metadata_address_is_enough_for_a_provider_that_reads_it(t *testing.T) {
	source := strings.Replace(strings.Replace(samlGuide, "{{acs_url}}", "{{sp_metadata_url}}", 1), "{{sp_entity_id}}", "x", 1)
	mustParse(t, SAML, source)
}

func TestValues_take_the_place_of_placeholders_once(t *testing.T) {
	line := CopyLine{Label: "Name", Value: "{{app_name}} of {{organization}} at {{acs_url}}"}
	got := line.Fill(map[Placeholder]string{PlaceholderAppName: "Rota", PlaceholderOrganization: "{{scim_token}}", PlaceholderSCIMToken: "secret"})
	if want := "Rota of {{scim_token}} at {{acs_url}}"; got != want {
		t.Errorf("got %q, want %q: a value is not filled in turn, and what has none stays visible", got, want)
	}
	block := Block{Kind: BlockCode, Code: "<a>{{acs_url}}</a>\n"}
	if got, want := block.FillCode(map[Placeholder]string{PlaceholderACSURL: "https://x"}), "<a>https://x</a>\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestA_block_of_code_keeps_its_lines(t *testing.T) {
	guide := mustParse(t, SAML, strings.Replace(samlGuide, "2. Type", "\n```xml\n<a>\n\n  <b>{{acs_url}}</b>\n</a>\n```\n\n2. Type", 1))
	block := guide.Steps[0].Blocks[1]
	if block.Kind != BlockCode || block.Language != "xml" || block.Code != "<a>\n\n  <b>{{acs_url}}</b>\n</a>\n" {
		t.Errorf("got %+v", block)
	}
}

func TestA_guide_for_a_protocol_the_provider_lacks_is_refused(t *testing.T) {
	_, err := load(fstest.MapFS{"acme/idp.json": {Data: []byte(smallProvider)}, "acme/saml.md": {Data: []byte(samlGuide)}}, false)
	if err == nil || !strings.Contains(err.Error(), "acme/saml.md:1: a guide for a protocol that is not in protocols") {
		t.Errorf("got %v", err)
	}
}

func TestA_protocol_without_a_guide_is_refused(t *testing.T) {
	_, err := load(fstest.MapFS{"acme/idp.json": {Data: []byte(smallProvider)}}, false)
	if err == nil || !strings.Contains(err.Error(), `catalog/acme/scim.md:1: missing, and idp.json has "scim"`) || strings.Contains(err.Error(), "saml.md") {
		t.Errorf("got %v", err)
	}
}

func TestA_guide_that_maps_a_name_nobody_reads_is_refused(t *testing.T) {
	const declared = `{"name": "Acme", "protocols": ["saml"], "without_scim": "No.", "connection_types": {"saml": "GenericSAML"}, "stands_for_connections": ["GenericSAML"],
		"claims": {"saml": {"email": ["email"]}}}`
	source := strings.Replace(samlGuide, "email: user.email", "email: user.email\ntitle: user.title\nmail: user.email", 1)
	_, err := load(fstest.MapFS{"acme/idp.json": {Data: []byte(declared)}, "acme/saml.md": {Data: []byte(source)}}, false)
	if err == nil || !strings.Contains(err.Error(), `catalog/acme/saml.md:22: "mail" is not read`) || strings.Contains(err.Error(), `"email" is`) || strings.Contains(err.Error(), `"title" is`) {
		t.Errorf("got %v, want a fault about mail, and none about email or title", err)
	}
}

var unsafeHTML = regexp.MustCompile(`(?i)<(script|style|img|iframe|object|form|input|svg|!--)|href="(?:[^h]|h[^t])| on[a-z]+="[^"]*"[^<]*>`)

func FuzzParseGuide(f *testing.F) {
	f.Add(samlGuide)
	f.Add(strings.Replace(samlGuide, "2. Type", "[x](javascript:y) <b onclick=\"z\"> ![i](j)", 1))
	f.Fuzz(func(t *testing.T, source string) {
		// What is right in a guide with faults is read too, and safe.
		guide, _ := parseGuide(newMarkdown(), "catalog/acme/saml.md", SAML, []byte(source), false)
		for _, step := range guide.Steps {
			for _, block := range step.Blocks {
				if found := unsafeHTML.FindString(block.HTML); found != "" {
					t.Errorf("%q in %s", found, block.HTML)
				}
			}
		}
	})
}
