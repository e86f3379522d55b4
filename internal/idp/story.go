package idp

import (
	"fmt"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Auth is how a story's requests carry the directory's token.
type Auth string

// The ways a provider sends its token.
const (
	AuthBearer Auth = "bearer" // Authorization: Bearer <token>
	AuthRaw    Auth = "raw"    // Authorization: <token>, as Okta's header mode does
	AuthNone   Auth = "none"   // no Authorization header
)

// Story is one recorded-style conversation with what it must be answered. Its
// format is in the package comment.
type Story struct {
	Name    string        // the file, as faults show it
	Title   string        // first remark of the file
	Type    DirectoryType // of the directory it runs in
	Strict  bool          // the directory is in strict mode
	Auth    Auth
	Covers  []string // dialects, tolerances and statements, in the order written
	Headers []Header // sent with every request
	Steps   []Step
}

// Header is one header line in the order written.
type Header struct{ Name, Value string }

// Step is one request, its wanted answer and its wanted events.
type Step struct {
	Name    string // remark before it, else method and target
	Line    int    // of the request, counted from 1
	Method  string
	Target  string // below the base address, as sent, names not yet filled in
	Headers []Header
	Body    string // names not yet filled in
	HasBody bool

	Statuses      []int
	AnswerHeaders []Header // values are patterns
	Answer        *Pattern // nil: the body is not looked at

	Events   []WantedEvent // exactly these
	AnyOrder bool          // of the events; otherwise they come in the order listed
}

// WantedEvent is one event that a step must cause.
type WantedEvent struct {
	Line    int
	Type    string
	Derived Derived
	Data    *Pattern // nil: any data
}

// Derived is what the context of an event must say about who caused it.
type Derived string

// What a story can want of "derived": that the provider asked for the change, that
// Rollcall derived it, or that it does not matter.
const (
	DerivedNo     Derived = ""
	DerivedYes    Derived = "derived"
	DerivedEither Derived = "derived?"
)

// ParseError is a fault in a story file.
type ParseError struct {
	File    string
	Line    int // counted from 1
	Problem string
}

func (e *ParseError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem) }

// ParseStory reads a story. name is used in errors, which are of type [*ParseError].
func ParseStory(name string, text []byte) (Story, error) {
	p := &storyParser{story: Story{Name: name, Auth: AuthBearer}}
	for i, line := range strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n") {
		p.line = i + 1
		if err := p.take(line); err != nil {
			return Story{}, err
		}
	}
	if err := p.endStep(); err != nil {
		return Story{}, err
	}
	if err := p.checkStory(); err != nil {
		return Story{}, err
	}
	return p.story, nil
}

// storyParser collects the lines of one step and turns them into a Step when it ends.
type storyParser struct {
	story   Story
	line    int
	remarks []string
	step    *stepLines
}

// stepLines are the raw lines of a step. Sections must come in the order
// request, answer, events, because that is the order they happen in.
type stepLines struct {
	start                   int
	name                    string
	request, answer, events []numbered
}

type numbered struct {
	line int
	text string
}

func (p *storyParser) fault(line int, format string, args ...any) error {
	return &ParseError{File: p.story.Name, Line: line, Problem: fmt.Sprintf(format, args...)}
}

func (p *storyParser) take(line string) error {
	trimmed := strings.TrimRight(line, " \t")
	if trimmed == "" {
		return p.endStep()
	}
	content := strings.TrimPrefix(line[1:], " ")
	switch line[0] {
	case '#':
		return p.takeRemark(strings.TrimSpace(content))
	case '=':
		return p.takeSetting(strings.TrimSpace(content))
	case '>':
		return p.takeRequest(content)
	case '<':
		return p.takeAnswer(content)
	case '!':
		return p.takeEvent(line[1:])
	}
	return p.fault(p.line, "%q: want a line that begins with #, =, >, < or !, or a blank one between steps", trimmed)
}

func (p *storyParser) takeRemark(text string) error {
	if p.step != nil {
		return p.fault(p.line, "a remark inside a step: put it before the request, or a blank line in between")
	}
	if p.story.Title == "" {
		p.story.Title = text
		return nil
	}
	p.remarks = append(p.remarks, text)
	return nil
}

func (p *storyParser) takeRequest(text string) error {
	if p.step == nil {
		p.step = &stepLines{start: p.line, name: strings.Join(p.remarks, " ")}
		p.remarks = nil
	}
	if len(p.step.answer) > 0 || len(p.step.events) > 0 {
		return p.fault(p.line, "a request after the answer: separate steps by a blank line")
	}
	p.step.request = append(p.step.request, numbered{p.line, text})
	return nil
}

func (p *storyParser) takeAnswer(text string) error {
	if p.step == nil {
		return p.fault(p.line, "an answer without a request")
	}
	if len(p.step.events) > 0 {
		return p.fault(p.line, "an answer after the events: want request, answer, events")
	}
	p.step.answer = append(p.step.answer, numbered{p.line, text})
	return nil
}

func (p *storyParser) takeEvent(text string) error {
	if p.step == nil || len(p.step.answer) == 0 {
		return p.fault(p.line, "an event before its answer: want request, answer, events")
	}
	p.step.events = append(p.step.events, numbered{p.line, text})
	return nil
}

func (p *storyParser) takeSetting(text string) error {
	if p.step != nil || len(p.story.Steps) > 0 {
		return p.fault(p.line, "a setting after the first step: settings hold for the whole story")
	}
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "type":
		return p.setType(rest)
	case "covers":
		return p.setCovers(rest)
	case "auth":
		return p.setAuth(rest)
	case "header":
		return p.setHeader(rest)
	case "strict":
		if rest != "" {
			return p.fault(p.line, "strict takes no value, got %q", rest)
		}
		p.story.Strict = true
		return nil
	}
	return p.fault(p.line, "unknown setting %q: want type, covers, strict, auth or header", word)
}

func (p *storyParser) setType(value string) error {
	if !slices.Contains(DirectoryTypes(), DirectoryType(value)) {
		return p.fault(p.line, "unknown directory type %q: want one of %q", value, DirectoryTypes())
	}
	p.story.Type = DirectoryType(value)
	return nil
}

func (p *storyParser) setCovers(value string) error {
	for _, mark := range strings.Fields(value) {
		if !validMark(mark) {
			return p.fault(p.line, "covers %q: want B1 to B13, T1 to T20 or a statement number from 1 to 151", mark)
		}
		if slices.Contains(p.story.Covers, mark) {
			return p.fault(p.line, "covers %s twice", mark)
		}
		p.story.Covers = append(p.story.Covers, mark)
	}
	return nil
}

func validMark(mark string) bool {
	highest := 151
	digits := mark
	switch {
	case strings.HasPrefix(mark, "B"):
		highest, digits = 13, mark[1:]
	case strings.HasPrefix(mark, "T"):
		highest, digits = 20, mark[1:]
	}
	number, err := strconv.Atoi(digits)
	return err == nil && number >= 1 && number <= highest && strconv.Itoa(number) == digits
}

func (p *storyParser) setAuth(value string) error {
	auth := Auth(value)
	if auth != AuthBearer && auth != AuthRaw && auth != AuthNone {
		return p.fault(p.line, "unknown auth %q: want bearer, raw or none", value)
	}
	p.story.Auth = auth
	return nil
}

func (p *storyParser) setHeader(value string) error {
	header, ok := parseHeader(value)
	if !ok {
		return p.fault(p.line, "header %q: want Name: value", value)
	}
	p.story.Headers = append(p.story.Headers, header)
	return nil
}

var headerForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)$`)

func parseHeader(line string) (Header, bool) {
	found := headerForm.FindStringSubmatch(line)
	if found == nil {
		return Header{}, false
	}
	return Header{Name: textproto.CanonicalMIMEHeaderKey(found[1]), Value: strings.TrimSpace(found[2])}, true
}

// endStep turns the collected lines into a step. Remarks that no request
// followed are dropped: they were free text.
func (p *storyParser) endStep() error {
	lines := p.step
	p.step, p.remarks = nil, nil
	if lines == nil {
		return nil
	}
	step := Step{Name: lines.name, Line: lines.start}
	if err := p.parseRequest(&step, lines.request); err != nil {
		return err
	}
	if len(lines.answer) == 0 {
		return p.fault(lines.start, "%s has no wanted answer: want at least a status, as in < 200", step.Name)
	}
	if err := p.parseAnswer(&step, lines.answer); err != nil {
		return err
	}
	if err := p.parseEvents(&step, lines.events); err != nil {
		return err
	}
	p.story.Steps = append(p.story.Steps, step)
	return nil
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}

func (p *storyParser) parseRequest(step *Step, lines []numbered) error {
	method, target, _ := strings.Cut(strings.TrimSpace(lines[0].text), " ")
	if !slices.Contains(methods, method) {
		return p.fault(lines[0].line, "unknown method %q: want one of %v", method, methods)
	}
	// A blank or "#" would never reach the server; a client would have escaped it.
	if !strings.HasPrefix(target, "/") || strings.ContainsAny(target, " #\t") {
		return p.fault(lines[0].line, "target %q: want a path from / on, below the base address, blanks and # escaped", target)
	}
	step.Method, step.Target = method, target
	if step.Name == "" {
		step.Name = method + " " + target
	}
	rest := lines[1:]
	for len(rest) > 0 {
		header, ok := parseHeader(rest[0].text)
		if !ok {
			break
		}
		step.Headers = append(step.Headers, header)
		rest = rest[1:]
	}
	if len(rest) > 0 && strings.TrimSpace(rest[0].text) == "" {
		rest = rest[1:]
	}
	step.Body, step.HasBody = joined(rest), len(rest) > 0
	return nil
}

func (p *storyParser) parseAnswer(step *Step, lines []numbered) error {
	for text := range strings.SplitSeq(strings.TrimSpace(lines[0].text), "|") {
		status, err := strconv.Atoi(text)
		if err != nil || status < 100 || status > 599 {
			return p.fault(lines[0].line, "status %q: want 100 to 599, alternatives joined by |", text)
		}
		step.Statuses = append(step.Statuses, status)
	}
	rest := lines[1:]
	for len(rest) > 0 {
		header, ok := parseHeader(rest[0].text)
		if !ok {
			break
		}
		step.AnswerHeaders = append(step.AnswerHeaders, header)
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil
	}
	pattern, err := ParsePattern(joined(rest))
	if err != nil {
		return p.fault(rest[0].line, "answer: %v", err)
	}
	step.Answer = pattern
	return nil
}

func (p *storyParser) parseEvents(step *Step, lines []numbered) error {
	if len(lines) == 0 {
		if step.writes() {
			return p.fault(step.Line, "%s writes, so it must name its events or say ! none", step.Name)
		}
		return nil
	}
	if len(lines) == 1 && strings.TrimSpace(lines[0].text) == "none" {
		return nil
	}
	if strings.TrimSpace(lines[0].text) == "any order" {
		step.AnyOrder = true
		lines = lines[1:]
	}
	for _, group := range eventLines(lines) {
		event, err := p.parseEvent(group)
		if err != nil {
			return err
		}
		step.Events = append(step.Events, event)
	}
	return nil
}

// writes tells whether the request may change anything: every method but reads,
// and POST to /.search is a read (RFC 7644 §3.4.3).
func (s Step) writes() bool {
	switch s.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	case http.MethodPost:
		path, _, _ := strings.Cut(s.Target, "?")
		return !strings.HasSuffix(path, "/.search")
	}
	return true
}

// eventLines gathers each event's first line with the indented ones that continue it.
func eventLines(lines []numbered) [][]numbered {
	var groups [][]numbered
	for _, line := range lines {
		if strings.HasPrefix(line.text, "  ") && len(groups) > 0 {
			groups[len(groups)-1] = append(groups[len(groups)-1], line)
			continue
		}
		groups = append(groups, []numbered{line})
	}
	return groups
}

var eventType = regexp.MustCompile(`^dsync(\.[a-z_]+)+$`)

func (p *storyParser) parseEvent(lines []numbered) (WantedEvent, error) {
	event := WantedEvent{Line: lines[0].line}
	var data string
	event.Type, data, _ = strings.Cut(strings.TrimSpace(joined(lines)), " ")
	if !eventType.MatchString(event.Type) {
		return event, p.fault(event.Line, "event %q: want a type such as dsync.user.created, or none alone", event.Type)
	}
	data = strings.TrimSpace(data)
	for _, derived := range []Derived{DerivedEither, DerivedYes} {
		if rest, found := strings.CutPrefix(data, string(derived)); found {
			event.Derived, data = derived, strings.TrimSpace(rest)
			break
		}
	}
	if data == "" {
		return event, nil
	}
	pattern, err := ParsePattern(data)
	if err != nil {
		return event, p.fault(event.Line, "data of %s: %v", event.Type, err)
	}
	event.Data = pattern
	return event, nil
}

func joined(lines []numbered) string {
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = line.text
	}
	return strings.Join(texts, "\n")
}

// The names every story knows from the start.
const (
	nameBase  = "base"
	nameToken = "token"
)

func (p *storyParser) checkStory() error {
	if p.story.Title == "" {
		return p.fault(1, "no title: want a first line such as # What happens here")
	}
	if p.story.Type == "" {
		return p.fault(1, "no directory type: want a setting such as = type %s", TypeGeneric)
	}
	if len(p.story.Steps) == 0 {
		return p.fault(1, "no step: want at least one request with its answer")
	}
	return p.checkNames()
}

// checkNames makes sure that a request only uses what earlier answers gave, so
// that a replay cannot fail for a fault of the story.
func (p *storyParser) checkNames() error {
	known := map[string]bool{nameBase: true, nameToken: true}
	for _, header := range p.story.Headers {
		if name := firstUnknown(header.Value, known); name != "" {
			return p.fault(1, "header %s uses {{%s}}, which only base and token can be before the first answer", header.Name, name)
		}
	}
	for _, step := range p.story.Steps {
		sent := []string{step.Target, step.Body}
		for _, header := range step.Headers {
			sent = append(sent, header.Value)
		}
		if name := firstUnknown(strings.Join(sent, "\n"), known); name != "" {
			return p.fault(step.Line, "request uses {{%s}} before an answer or event gave it", name)
		}
		for _, name := range step.captures() {
			known[name] = true
		}
	}
	return nil
}

func (s Step) captures() []string {
	var names []string
	for _, header := range s.AnswerHeaders {
		names = append(names, namesIn(header.Value)...)
	}
	names = append(names, s.Answer.names()...)
	for _, event := range s.Events {
		names = append(names, event.Data.names()...)
	}
	return names
}

func firstUnknown(text string, known map[string]bool) string {
	for _, name := range namesIn(text) {
		if !known[name] {
			return name
		}
	}
	return ""
}
