package idp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/rollcallhq/rollcall/internal/scim"
)

const (
	goodToKnowTitle      = "Good to know"
	troubleshootingTitle = "Troubleshooting"
	testTitle            = "Test the sign-in"
)

// guideParser reads one file. It goes on after a fault, so that all are named at once.
type guideParser struct {
	file     string
	source   []byte
	markdown goldmark.Markdown
	out      bytes.Buffer // of writer
	writer   *bufio.Writer
	guide    Guide
	place    guidePlace
	test     bool // of the test identity provider
	asks     int
	faults   []error
}

// guidePlace is the part of the guide that the parser is in.
type guidePlace uint8

const (
	beforeTitle guidePlace = iota
	inIntro
	inSteps
	inGoodToKnow
	inTrouble
)

// newMarkdown does not render raw HTML; the parser names it as a fault besides. It is costly to make and may read many files.
func newMarkdown() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))))
}

// parseGuide reads a guide and checks everything in it that does not depend on
// other files. A fault is named with the file and its line. test: it is of the test
// identity provider.
func parseGuide(markdown goldmark.Markdown, file string, protocol Protocol, source []byte, test bool) (Guide, error) {
	p := &guideParser{file: file, source: source, markdown: markdown, test: test, guide: Guide{Protocol: protocol}}
	p.writer = bufio.NewWriter(&p.out)
	document := p.markdown.Parser().Parse(text.NewReader(source))
	for node := document.FirstChild(); node != nil; node = node.NextSibling() {
		p.node(node)
	}
	p.checkWhole()
	return p.guide, errors.Join(p.faults...)
}

func (p *guideParser) fault(line int, format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf("%s:%d: %s", p.file, line, fmt.Sprintf(format, args...)))
}

func (p *guideParser) faultAt(node ast.Node, format string, args ...any) {
	p.fault(p.lineOf(node), format, args...)
}

// lineOf is the line a node begins in; one that does not know has its parent's.
func (p *guideParser) lineOf(node ast.Node) int {
	for ; node != nil; node = node.Parent() {
		if at := node.Pos(); at >= 0 && at <= len(p.source) && node.Kind() != ast.KindDocument {
			return p.lineAt(at)
		}
	}
	return 1
}

func (p *guideParser) lineAt(offset int) int { return 1 + bytes.Count(p.source[:offset], []byte("\n")) }

// node takes one child of the document.
func (p *guideParser) node(node ast.Node) {
	if heading, ok := node.(*ast.Heading); ok {
		p.heading(heading)
		return
	}
	switch p.place {
	case beforeTitle:
		p.faultAt(node, `a guide begins with its title: "# Okta by SAML"`)
	case inIntro:
		p.addBlock(&p.guide.Intro, node)
	case inSteps:
		p.addBlock(&p.guide.Steps[len(p.guide.Steps)-1].Blocks, node)
	case inGoodToKnow:
		p.goodToKnow(node)
	case inTrouble:
		p.trouble(node)
	}
}

func (p *guideParser) heading(heading *ast.Heading) {
	title := p.plainTitle(heading)
	switch {
	case heading.Level == 1 && p.place == beforeTitle:
		p.title(heading, title)
	case p.place == beforeTitle:
		p.faultAt(heading, `a guide begins with its title: "# Okta by SAML"`)
	case heading.Level != 2:
		p.faultAt(heading, `only the title has one "#" and only steps have two; there are no other headings`)
	case title == troubleshootingTitle:
		p.section(heading, title, inTrouble)
	case title == goodToKnowTitle:
		p.section(heading, title, inGoodToKnow)
	case p.place > inSteps:
		p.faultAt(heading, "step %q stands behind %q or %q, which come last", title, goodToKnowTitle, troubleshootingTitle)
	default:
		p.place = inSteps
		p.step(heading, title)
	}
}

func (p *guideParser) title(heading *ast.Heading, title string) {
	p.place = inIntro
	p.guide.Title = title
	ending := " by " + strings.ToUpper(string(p.guide.Protocol))
	if name, ok := strings.CutSuffix(title, ending); !ok || strings.TrimSpace(name) == "" {
		p.faultAt(heading, "title %q: want the provider's name and %q", title, ending[1:])
	}
}

func (p *guideParser) section(heading *ast.Heading, title string, place guidePlace) {
	if p.place >= place || len(p.guide.Steps) == 0 {
		p.faultAt(heading, "%q: want steps, then %q, then %q, each once", title, goodToKnowTitle, troubleshootingTitle)
	}
	p.place = max(p.place, place)
}

func (p *guideParser) step(heading *ast.Heading, title string) {
	slug := strings.Trim(notInSlug.ReplaceAllString(strings.ToLower(title), "-"), "-")
	same := func(s GuideStep) bool { return s.Slug == slug }
	switch {
	case slug == "":
		p.faultAt(heading, "the step has no title")
	case slices.ContainsFunc(p.guide.Steps, same):
		p.faultAt(heading, "step %q: another one has this title", title)
	}
	p.guide.Steps = append(p.guide.Steps, GuideStep{Title: title, Slug: slug})
}

var notInSlug = regexp.MustCompile(`[^a-z0-9]+`)

// plainTitle is a heading's text. Titles stand in menus and addresses too, so they have no markup.
func (p *guideParser) plainTitle(heading *ast.Heading) string {
	var title strings.Builder
	for child := heading.FirstChild(); child != nil; child = child.NextSibling() {
		plain, ok := child.(*ast.Text)
		if !ok {
			p.faultAt(heading, "a title is plain text, without markup")
			continue
		}
		title.Write(plain.Value(p.source))
	}
	if strings.Contains(title.String(), "{{") {
		p.faultAt(heading, "a title holds no placeholders")
	}
	return strings.TrimSpace(title.String())
}

func (p *guideParser) addBlock(blocks *[]Block, node ast.Node) {
	block, ok := p.block(node)
	p.append(blocks, block, ok)
}

// append adds a block that was understood; prose continues prose.
func (p *guideParser) append(blocks *[]Block, block Block, ok bool) {
	if !ok {
		return
	}
	if last := len(*blocks) - 1; last >= 0 && block.Kind == BlockProse && (*blocks)[last].Kind == BlockProse {
		(*blocks)[last].HTML += "\n" + block.HTML
		return
	}
	*blocks = append(*blocks, block)
}

func (p *guideParser) block(node ast.Node) (Block, bool) {
	switch node := node.(type) {
	case *ast.FencedCodeBlock:
		return p.fence(node)
	case *ast.LinkReferenceDefinition:
		return Block{}, false
	case *ast.Blockquote:
		html, ok := p.children(node)
		return Block{Kind: BlockNote, HTML: html}, ok
	default:
		html, ok := p.html(node)
		return Block{Kind: BlockProse, HTML: html}, ok
	}
}

// html renders a node after everything in it was found to be allowed.
func (p *guideParser) html(node ast.Node) (string, bool) {
	html, ok := p.inline(node)
	return strings.TrimSpace(html), ok
}

// inline is html without trimming, since a blank may stand between two parts of a sentence.
func (p *guideParser) inline(node ast.Node) (string, bool) {
	if !p.allowed(node) {
		return "", false
	}
	p.out.Reset()
	if err := p.markdown.Renderer().Render(p.writer, p.source, node); err != nil {
		p.faultAt(node, "cannot be rendered: %v", err)
		return "", false
	}
	html := p.out.String()
	if strings.Contains(html, "{{") || strings.Contains(html, "%7B%7B") {
		p.faultAt(node, "a placeholder stands here in running text; only the values of copy and code blocks may hold one")
		return "", false
	}
	return html, true
}

func (p *guideParser) children(node ast.Node) (string, bool) {
	var parts []string
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		html, ok := p.html(child)
		if !ok {
			return "", false
		}
		parts = append(parts, html)
	}
	return strings.Join(parts, "\n"), true
}

// prose is every node that running text may hold.
var prose = []ast.NodeKind{
	ast.KindParagraph, ast.KindTextBlock, ast.KindList, ast.KindListItem, ast.KindText, ast.KindString, ast.KindEmphasis,
	ast.KindCodeSpan, ast.KindLink, ast.KindAutoLink, extast.KindTable, extast.KindTableHeader, extast.KindTableRow, extast.KindTableCell,
}

func (p *guideParser) allowed(root ast.Node) bool {
	before := len(p.faults)
	err := ast.Walk(root, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			p.allowedNode(node)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		p.faultAt(root, "cannot be walked: %v", err)
	}
	return len(p.faults) == before
}

func (p *guideParser) allowedNode(node ast.Node) {
	switch node := node.(type) {
	case *ast.HTMLBlock, *ast.RawHTML:
		p.faultAt(node, "raw HTML; put what is meant literally between backticks")
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		p.faultAt(node, "a block inside a list or quote, or text indented by four blanks; blocks begin at the left margin with three backticks and their word")
	case *ast.Link:
		p.link(node, string(node.Destination))
	case *ast.AutoLink:
		p.link(node, string(node.URL(p.source)))
	default:
		if !slices.Contains(prose, node.Kind()) {
			p.faultAt(node, "%s has no place in a guide", node.Kind())
		}
	}
}

// link admits https alone, and keeps the page a link leads to from learning where it was followed and from reaching back.
func (p *guideParser) link(node ast.Node, address string) {
	if !strings.HasPrefix(address, "https://") {
		p.faultAt(node, "link to %q: want https://…", address)
	}
	node.SetAttributeString("rel", []byte("noreferrer"))
	node.SetAttributeString("target", []byte("_blank"))
}

// goodToKnow takes bullets, and values to copy that belong to them; nothing is asked or checked there.
func (p *guideParser) goodToKnow(node ast.Node) {
	block, ok := p.block(node)
	_, list := node.(*ast.List)
	if list || block.Kind == BlockCopy || block.Kind == BlockCode {
		p.append(&p.guide.GoodToKnow, block, ok)
		return
	}
	p.faultAt(node, "%q is a bullet list, with blocks to copy beside it", goodToKnowTitle)
}

// trouble reads the table of troubles.
func (p *guideParser) trouble(node ast.Node) {
	table, ok := node.(*extast.Table)
	if !ok || len(p.guide.Trouble) > 0 {
		p.faultAt(node, "%q is one table: | You see | Why | What to do |", troubleshootingTitle)
		return
	}
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		cells := p.cells(row)
		if _, head := row.(*extast.TableHeader); head {
			if !slices.Equal(cells, []string{"You see", "Why", "What to do"}) {
				p.faultAt(table, "the table's head is %q: want | You see | Why | What to do |", cells)
			}
			continue
		}
		if len(cells) != 3 || slices.Contains(cells, "") || p.signs(row) != 4 {
			p.faultAt(row, `want three cells with something in each; a "|" inside a cell is written "\|"`)
			continue
		}
		p.guide.Trouble = append(p.guide.Trouble, Trouble{See: cells[0], Why: cells[1], Do: cells[2]})
	}
}

func (p *guideParser) cells(row ast.Node) []string {
	var cells []string
	for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
		var html strings.Builder
		for child := cell.FirstChild(); child != nil; child = child.NextSibling() {
			part, _ := p.inline(child)
			html.WriteString(part)
		}
		cells = append(cells, strings.TrimSpace(html.String()))
	}
	return cells
}

// signs counts the "|" that part the cells of a row as it is written: a cell too
// many would be left out without a word.
func (p *guideParser) signs(row ast.Node) int {
	start := bytes.LastIndexByte(p.source[:row.Pos()], '\n') + 1
	line, _, _ := bytes.Cut(p.source[start:], []byte("\n"))
	return bytes.Count(line, []byte("|")) - bytes.Count(line, []byte(`\|`))
}

// guideLine is one line of a fenced block that is not blank.
type guideLine struct {
	number int
	text   string
}

func (p *guideParser) fence(node *ast.FencedCodeBlock) (Block, bool) {
	var word string
	if node.Info != nil {
		word = strings.TrimSpace(string(node.Info.Value(p.source)))
	}
	block := Block{Kind: BlockKind(word)}
	var lines []guideLine
	for _, segment := range node.Lines().Sliced(0, node.Lines().Len()) {
		raw := string(segment.Value(p.source))
		block.Code += raw
		if line := strings.TrimSpace(raw); line != "" {
			lines = append(lines, guideLine{p.lineAt(segment.Start), line})
		}
	}
	if len(lines) == 0 {
		p.faultAt(node, "the block is empty")
		return Block{}, false
	}
	if slices.Contains(Languages(), word) {
		p.placeholders(lines)
		p.noNames(lines)
		block.Kind, block.Language = BlockCode, word
		return block, true
	}
	block.Code = ""
	p.fillBlock(node, &block, lines)
	return block, true
}

func (p *guideParser) fillBlock(node ast.Node, block *Block, lines []guideLine) {
	switch block.Kind {
	case BlockCopy:
		p.placeholders(lines)
		block.Copy = p.copyLines(lines)
	case BlockMap:
		p.noPlaceholders(lines)
		block.Map = p.mapLines(lines)
	case BlockAsk:
		p.noPlaceholders(lines)
		block.Ask = p.askFields(lines)
		p.checkAsk(p.lineOf(node), block.Ask)
	case BlockCheck:
		block.Checks = p.checks(lines)
	default:
		p.faultAt(node, "a block %q: want copy, map, ask, check or the language of code, one of %q, behind the backticks", block.Kind, Languages())
	}
}

func (p *guideParser) placeholders(lines []guideLine) {
	known := Placeholders(p.guide.Protocol)
	if p.test {
		known = append(known, testPlaceholders()...)
	}
	for _, line := range lines {
		for _, match := range placeholderForm.FindAllStringSubmatch(line.text, -1) {
			if !slices.Contains(known, Placeholder(match[1])) {
				p.fault(line.number, "placeholder %s: a guide of %s may use %q", match[0], p.guide.Protocol, known)
			}
		}
		if rest := placeholderForm.ReplaceAllString(line.text, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
			p.fault(line.number, "double braces that are no placeholder in %q", line.text)
		}
	}
}

// noNames keeps what people have chosen out of code: a quote in an application's
// name would break the file, or do more. Addresses, ids and tokens hold no sign
// that means anything in any of the languages.
func (p *guideParser) noNames(lines []guideLine) {
	for _, line := range lines {
		for _, name := range []Placeholder{PlaceholderAppName, PlaceholderOrganization} {
			if strings.Contains(line.text, "{{"+string(name)+"}}") {
				p.fault(line.number, "{{%s}} may hold any sign and could break this; put it into a copy block", name)
			}
		}
	}
}

func (p *guideParser) noPlaceholders(lines []guideLine) {
	for _, line := range lines {
		if strings.Contains(line.text, "{{") {
			p.fault(line.number, "only the values of copy and code blocks may hold placeholders")
		}
	}
}

// split parts a line at the first ": ".
func (p *guideParser) split(line guideLine, form string) (left, right string, ok bool) {
	left, right, ok = strings.Cut(line.text, ": ")
	left, right = strings.TrimSpace(left), strings.TrimSpace(right)
	if !ok || left == "" || right == "" {
		p.fault(line.number, "%q: want %q", line.text, form)
		return "", "", false
	}
	return left, right, true
}

func (p *guideParser) copyLines(lines []guideLine) []CopyLine {
	var out []CopyLine
	for _, line := range lines {
		label, value, ok := p.split(line, "Label at the provider: value")
		if strings.Contains(label, "{{") {
			p.fault(line.number, "the label %q is the provider's; only the value may hold placeholders", label)
		}
		if ok {
			out = append(out, CopyLine{Label: label, Value: value})
		}
	}
	return out
}

func (p *guideParser) mapLines(lines []guideLine) []MapLine {
	var out []MapLine
	for _, line := range lines {
		name, source, ok := p.split(line, "name we read: attribute of the provider")
		if !ok {
			continue
		}
		if slices.ContainsFunc(out, func(m MapLine) bool { return m.Name == name }) {
			p.fault(line.number, "%q is mapped twice", name)
		}
		if p.guide.Protocol == SCIM {
			if _, err := scim.ParsePath(name, scim.FilterLimits{}); err != nil {
				p.fault(line.number, "%q is not the path of a SCIM attribute: %v", name, err)
			}
		}
		out = append(out, MapLine{Name: name, Source: source, line: line.number})
	}
	return out
}

func (p *guideParser) askFields(lines []guideLine) [][]Field {
	alternatives := [][]Field{nil}
	for _, line := range lines {
		if line.text == "or" {
			alternatives = append(alternatives, nil)
			continue
		}
		if field, ok := p.field(line); ok {
			last := &alternatives[len(alternatives)-1]
			if slices.ContainsFunc(*last, func(f Field) bool { return f.Field == field.Field }) {
				p.fault(line.number, "%s is asked for twice", field.Field)
			}
			*last = append(*last, field)
		}
	}
	return alternatives
}

func (p *guideParser) field(line guideLine) (Field, bool) {
	name, rest, ok := p.split(line, "field: Label at the provider — hint")
	if !ok {
		return Field{}, false
	}
	field := AskField(name)
	if known := AskFields(p.guide.Protocol); !slices.Contains(known, field) {
		p.fault(line.number, "field %q: a guide of %s may ask for %q", name, p.guide.Protocol, known)
	}
	label, hint, _ := strings.Cut(rest, " — ")
	return Field{Field: field, Label: strings.TrimSpace(label), Hint: strings.TrimSpace(hint)}, true
}

func (p *guideParser) checks(lines []guideLine) []Check {
	var out []Check
	for _, line := range lines {
		if known := Checks(p.guide.Protocol); !slices.Contains(known, Check(line.text)) {
			p.fault(line.number, "check %q: a guide of %s may show %q", line.text, p.guide.Protocol, known)
		}
		out = append(out, Check(line.text))
	}
	return out
}
