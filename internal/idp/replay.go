package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// largestAnswer bounds what a replay reads of one answer, in bytes.
const largestAnswer = 16 << 20

// Event is one event as the replay compares it.
type Event struct {
	Type    string
	Data    json.RawMessage
	Context json.RawMessage // may be empty
}

// Replay is where a story runs: a server, the address and token of one directory
// that is new, of the story's type and strictness, and the events it causes.
type Replay struct {
	Base  string // address of the directory, such as http://127.0.0.1:8080/scim/v2/k3y, without a trailing slash
	Token string // its bearer token, without a scheme

	// Do sends one request, like [http.Client.Do]; it must not follow redirects.
	Do func(*http.Request) (*http.Response, error)

	// Events returns the events of the directory appended since it was last called,
	// oldest first.
	Events func() ([]Event, error)
}

// Failure is one difference between what a story wants and what happened.
type Failure struct {
	Story   string
	Line    int // of the step's request, or of the event
	Step    string
	Problem string
}

func (f Failure) Error() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.Story, f.Line, f.Step, f.Problem)
}

// Run plays the story from the start. It stops after the first step that fails,
// since later ones build on it, and returns all that was wrong with that step;
// none means the story holds.
func (s Story) Run(ctx context.Context, replay Replay) []Failure {
	run := storyRun{story: s, replay: replay, names: Names{nameBase: replay.Base, nameToken: replay.Token}}
	for _, step := range s.Steps {
		if run.play(ctx, step); len(run.failures) > 0 {
			break
		}
	}
	return run.failures
}

type storyRun struct {
	story    Story
	replay   Replay
	names    Names
	failures []Failure
}

func (r *storyRun) fail(step Step, line int, format string, args ...any) {
	r.failures = append(r.failures, Failure{Story: r.story.Name, Line: line, Step: step.Name, Problem: fmt.Sprintf(format, args...)})
}

func (r *storyRun) play(ctx context.Context, step Step) {
	request, err := r.request(ctx, step)
	if err != nil {
		r.fail(step, step.Line, "build the request: %v", err)
		return
	}
	got, err := r.send(request)
	if err != nil {
		r.fail(step, step.Line, "%v", err)
		return
	}
	r.checkAnswer(step, got)
	events, err := r.replay.Events()
	if err != nil {
		r.fail(step, step.Line, "read the events: %v", err)
		return
	}
	r.checkEvents(step, events)
}

// answer is what came back, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (r *storyRun) send(request *http.Request) (answer, error) {
	response, err := r.replay.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("send the request: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer+1))
	if err == nil && len(body) > largestAnswer {
		err = fmt.Errorf("more than %d bytes", largestAnswer)
	}
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{response.StatusCode, response.Header, body}, nil
}

// request builds what goes on the wire. The target is not normalised: a trailing
// "?" or a doubled slash is part of the dialect.
func (r *storyRun) request(ctx context.Context, step Step) (*http.Request, error) {
	path, query, asked := strings.Cut(step.Target, "?")
	target := r.replay.Base + fill(path, r.names, url.PathEscape)
	if asked {
		target += "?" + fill(query, r.names, url.QueryEscape)
	}
	var body io.Reader = http.NoBody
	if step.HasBody {
		body = bytes.NewReader([]byte(fill(step.Body, r.names, escapeJSON)))
	}
	request, err := http.NewRequestWithContext(ctx, step.Method, target, body)
	if err != nil {
		return nil, err
	}
	r.setHeaders(request, step)
	return request, nil
}

func (r *storyRun) setHeaders(request *http.Request, step Step) {
	// An empty value keeps Go's client from inventing one: some providers send none.
	request.Header.Set("User-Agent", "")
	switch r.story.Auth {
	case AuthBearer:
		request.Header.Set("Authorization", "Bearer "+r.replay.Token)
	case AuthRaw:
		request.Header.Set("Authorization", r.replay.Token)
	case AuthNone:
	}
	for _, header := range r.story.Headers {
		if header.Name == "Content-Type" && !step.HasBody {
			continue
		}
		request.Header.Set(header.Name, fill(header.Value, r.names, asIs))
	}
	for _, header := range step.Headers {
		request.Header.Set(header.Name, fill(header.Value, r.names, asIs))
	}
}

func asIs(s string) string { return s }

// escapeJSON makes a remembered string safe inside the quotes of a JSON body.
func escapeJSON(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(quoted[1 : len(quoted)-1])
}

func (r *storyRun) checkAnswer(step Step, got answer) {
	if !slices.Contains(step.Statuses, got.status) {
		r.fail(step, step.Line, "status: want %s, got %d with body %s", statusList(step.Statuses), got.status, cut(got.body))
		return
	}
	for _, header := range step.AnswerHeaders {
		r.checkHeader(step, got.header, header)
	}
	value, ok := r.checkBody(step, got)
	if !ok {
		return
	}
	for _, problem := range step.Answer.Match(value, r.names) {
		r.fail(step, step.Line, "answer %s", problem)
	}
}

func (r *storyRun) checkHeader(step Step, got http.Header, want Header) {
	values := got.Values(want.Name)
	switch {
	case want.Value == markAbsent && len(values) > 0:
		r.fail(step, step.Line, "header %s: want absent, got %q", want.Name, values)
	case want.Value == markAbsent:
	case len(values) == 0:
		r.fail(step, step.Line, "header %s: want %q, got none", want.Name, want.Value)
	case want.Value == markAny:
	default:
		if problem := matchText(want.Value, values[0], r.names); problem != "" {
			r.fail(step, step.Line, "header %s: %s", want.Name, problem)
		}
	}
}

// checkBody holds what is true of every answer whatever the story says, and
// decodes it; ok is false when there is nothing to compare a pattern with.
func (r *storyRun) checkBody(step Step, got answer) (value any, ok bool) {
	status, body := got.status, got.body
	if status == http.StatusNoContent || status == http.StatusNotModified || step.Method == http.MethodHead {
		if len(body) > 0 {
			r.fail(step, step.Line, "status %d must have no body, got %s", status, cut(body))
		}
		return nil, false
	}
	if len(body) == 0 {
		if step.Answer != nil || status >= http.StatusBadRequest {
			r.fail(step, step.Line, "status %d came with an empty body", status)
		}
		return nil, false
	}
	media, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil || (media != "application/scim+json" && media != "application/json") {
		r.fail(step, step.Line, "Content-Type: want application/scim+json, got %q", got.header.Get("Content-Type"))
	}
	value, err = decodeJSON(body)
	if err != nil {
		r.fail(step, step.Line, "answer body: %v: %s", err, cut(body))
		return nil, false
	}
	if status >= http.StatusBadRequest {
		r.checkErrorBody(step, status, value)
	}
	return value, true
}

// checkErrorBody: RFC 7644 §3.12 wants schemas, and the status as a string.
func (r *storyRun) checkErrorBody(step Step, status int, value any) {
	want := Pattern{value: map[string]any{
		"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:Error"},
		"status":  strconv.Itoa(status),
		"detail":  markAny,
	}}
	for _, problem := range want.Match(value, r.names) {
		r.fail(step, step.Line, "error body %s", problem)
	}
}

func (r *storyRun) checkEvents(step Step, all []Event) {
	got := r.compared(all)
	if len(got) != len(step.Events) {
		r.fail(step, step.Line, "want %d events, got %d: %s", len(step.Events), len(got), eventTypes(got))
		return
	}
	for i, want := range step.Events {
		if step.AnyOrder {
			i = want.findIn(got, r.names)
		}
		if problems := want.match(got[i], r.names); len(problems) > 0 {
			r.fail(step, want.Line, "%s; all events: %s", strings.Join(problems, "; "), eventTypes(got))
			return
		}
		if step.AnyOrder {
			got = slices.Delete(got, i, i+1)
		}
	}
}

// findIn returns the place of the first event that matches, else 0, whose
// difference is then as good to report as any.
func (w WantedEvent) findIn(events []Event, names Names) int {
	return max(0, slices.IndexFunc(events, func(e Event) bool { return len(w.match(e, maps.Clone(names))) == 0 }))
}

const activated = "dsync.activated"

// compared leaves out what stories do not speak of: other nouns' events, and the
// activation that whatever comes first to a new directory causes.
func (r *storyRun) compared(all []Event) []Event {
	asked := r.story.namesEvent(activated)
	var events []Event
	for _, event := range all {
		if strings.HasPrefix(event.Type, "dsync.") && (asked || event.Type != activated) {
			events = append(events, event)
		}
	}
	return events
}

func (s Story) namesEvent(eventType string) bool {
	return slices.ContainsFunc(s.Steps, func(step Step) bool {
		return slices.ContainsFunc(step.Events, func(want WantedEvent) bool { return want.Type == eventType })
	})
}

func (w WantedEvent) String() string {
	return strings.TrimSpace(w.Type + " " + string(w.Derived))
}

func (w WantedEvent) match(got Event, names Names) []string {
	derived, err := got.derived()
	if err != nil {
		return []string{err.Error()}
	}
	if got.Type != w.Type || (w.Derived != DerivedEither && derived != w.Derived) {
		return []string{fmt.Sprintf("want %s, got %s", w, WantedEvent{Type: got.Type, Derived: derived})}
	}
	if w.Data == nil {
		return nil
	}
	data, err := decodeJSON(got.Data)
	if err != nil {
		return []string{fmt.Sprintf("data of %s: %v", got.Type, err)}
	}
	problems := w.Data.Match(data, names)
	for i := range problems {
		problems[i] = "data of " + w.Type + " " + problems[i]
	}
	return problems
}

func (e Event) derived() (Derived, error) {
	if len(e.Context) == 0 {
		return DerivedNo, nil
	}
	var cause struct {
		Derived bool `json:"derived"`
	}
	if err := json.Unmarshal(e.Context, &cause); err != nil {
		return DerivedNo, fmt.Errorf("context of %s: %w", e.Type, err)
	}
	if cause.Derived {
		return DerivedYes, nil
	}
	return DerivedNo, nil
}

func eventTypes(events []Event) string {
	if len(events) == 0 {
		return "none"
	}
	types := make([]string, len(events))
	for i, event := range events {
		types[i] = event.Type
	}
	return strings.Join(types, ", ")
}

func statusList(statuses []int) string {
	texts := make([]string, len(statuses))
	for i, status := range statuses {
		texts[i] = strconv.Itoa(status)
	}
	return strings.Join(texts, " or ")
}

func cut(body []byte) string {
	const longest = 600
	if len(body) > longest {
		return strings.ToValidUTF8(string(body[:longest]), "") + "…"
	}
	return string(body)
}
