package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rollcallhq/rollcall/internal/idp"
)

const (
	deepest   = 5    // moves that do moves
	mostPages = 1000 // of an import
)

// play plays a move's steps. The first failure ends it.
func (c *SCIMClient) play(ctx context.Context, move idp.Move, s *scene) error {
	steps := c.dialect.Moves[move]
	if len(steps) == 0 {
		return fmt.Errorf("%w: %s and %q", ErrNotSpoken, c.name, move)
	}
	if s.depth > deepest {
		return fmt.Errorf("the dialect of %s goes in circles at %q", c.slug, move)
	}
	for _, step := range steps {
		if err := c.step(ctx, move, step, s); err != nil {
			return err
		}
	}
	return nil
}

func (c *SCIMClient) step(ctx context.Context, move idp.Move, step idp.DialectStep, s *scene) error {
	if yes, err := c.holds(s, step.When); err != nil || !yes {
		return err
	}
	switch {
	case step.Do != "":
		s.depth++
		defer func() { s.depth-- }()
		return c.play(ctx, step.Do, s)
	case step.Send == "":
		return c.remark(s, step.Says["done"])
	case step.Until != "":
		return c.until(ctx, move, step, s)
	case step.Pages:
		return c.pages(ctx, move, step, s)
	}
	return c.ask(ctx, move, step, s)
}

func (c *SCIMClient) remark(s *scene, sentence string) error {
	text, err := c.told(s, sentence)
	if err == nil && c.note != nil {
		c.note(text)
	}
	return err
}

// until sends a request again and again, as a provider does that does not find what it has written.
func (c *SCIMClient) until(ctx context.Context, move idp.Move, step idp.DialectStep, s *scene) error {
	for range step.Most {
		if done, err := c.truth(s, step.Until); err != nil || done {
			return err
		}
		if err := c.ask(ctx, move, step, s); err != nil {
			return err
		}
	}
	done, err := c.truth(s, step.Until)
	if err != nil || done {
		return err
	}
	sentence, err := c.told(s, step.Says["never"])
	if err != nil {
		return err
	}
	return &Failure{Provider: c.name, Move: move, Sentence: sentence, Status: c.recorded[len(c.recorded)-1].Status}
}

func (c *SCIMClient) pages(ctx context.Context, move idp.Move, step idp.DialectStep, s *scene) error {
	s.start, s.linked = 1, false
	for range mostPages {
		if err := c.ask(ctx, move, step, s); err != nil {
			return err
		}
		s.start += s.seen
		if s.seen == 0 || s.start > s.total || s.linked {
			return nil
		}
	}
	return fmt.Errorf("the server has more than %d pages", mostPages)
}

// ask sends a step's request and judges the answer.
func (c *SCIMClient) ask(ctx context.Context, move idp.Move, step idp.DialectStep, s *scene) error {
	method, target, err := c.target(s, step.Send)
	if err != nil {
		return err
	}
	var body []byte
	if step.Body != nil {
		value, err := c.render(s, step.Body)
		if err != nil {
			return err
		}
		if body, err = written(value); err != nil {
			return err
		}
	}
	x := Exchange{Move: move, Method: method, Target: target, Body: string(body)}
	cause := c.send(ctx, &x)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return c.conclude(step, s, x, cause)
}

// written is JSON as other programs write it, "<" and "&" included.
func written(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("write a body: %w", err)
	}
	return bytes.TrimSpace(text.Bytes()), nil
}

// conclude says what the provider makes of an answer, records the exchange and gives the failure, if it is one.
func (c *SCIMClient) conclude(step idp.DialectStep, s *scene, x Exchange, cause error) error {
	var key string
	var problem error
	switch {
	case cause != nil:
		key, x.Failed = "unreachable", true
	case !wants(step, x.Status):
		key, x.Failed = "fail", true
	default:
		if key, problem = c.take(step, s, x); problem != nil {
			key, x.Failed = "broken", true
		}
	}
	s.answer = answerOf(x, cause, problem)
	var err error
	if x.Says, err = c.told(s, c.sentence(step, x.Move, key, x.Status)); err != nil {
		return err
	}
	c.record(x)
	if !x.Failed {
		return nil
	}
	return &Failure{Provider: c.name, Move: x.Move, Sentence: x.Says, Status: x.Status, cause: errors.Join(cause, problem)}
}

// sentence finds the words: the step's for this status, the step's, then the dialect's for the move, then those for all.
func (c *SCIMClient) sentence(step idp.DialectStep, move idp.Move, key string, status int) string {
	exact := statusKey("", status)
	if key == "fail" {
		exact = statusKey("fail ", status)
	}
	of := string(move) + " "
	for _, words := range []string{step.Says[exact], step.Says[key], c.dialect.Says[of+exact], c.dialect.Says[of+key], c.dialect.Says[exact], c.dialect.Says[key]} {
		if words != "" {
			return words
		}
	}
	return ""
}

func answerOf(x Exchange, cause, problem error) map[string]any {
	out := map[string]any{"status": "", "reason": http.StatusText(x.Status), "detail": "", "type": "", "problem": ""}
	if x.Status != 0 {
		out["status"] = statusKey("", x.Status)
	}
	var told struct {
		Detail   string `json:"detail"`
		SCIMType string `json:"scimType"`
	}
	if json.Unmarshal([]byte(x.Answer), &told) == nil { // an answer that is no SCIM error has no words of its own
		out["detail"], out["type"] = told.Detail, told.SCIMType
	}
	if err := errors.Join(cause, problem); err != nil {
		out["problem"] = err.Error()
	}
	if out["detail"] == "" {
		out["detail"] = "no detail was given"
	}
	return out
}

// take reads of an answer what the step wants, and tells which words fit.
func (c *SCIMClient) take(step idp.DialectStep, s *scene, x Exchange) (string, error) {
	good := x.Status >= http.StatusOK && x.Status < http.StatusMultipleChoices
	if step.Takes == idp.TakesNothing || !good {
		return "done", nil
	}
	switch step.Takes {
	case idp.TakesList, idp.TakesNobody, idp.TakesUsers, idp.TakesGroups, idp.TakesNamed, idp.TakesAmong:
		return c.takeList(step.Takes, s, x.Answer)
	}
	if x.Answer == "" {
		s.document = nil
		if step.Takes == idp.TakesMade || step.Takes == idp.TakesFormed {
			return "", errors.New("the answer has no body, so there is no id")
		}
		return "done", nil
	}
	resource, err := object(x.Answer)
	if err != nil {
		return "", err
	}
	if textOf(resource["id"]) == "" {
		return "", errors.New("the answer has no id")
	}
	c.takeResource(step.Takes == idp.TakesGroup || step.Takes == idp.TakesFormed, s, resource)
	return "done", nil
}

func object(body string) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(body)))
	decoder.UseNumber()
	var out map[string]any
	if err := decoder.Decode(&out); err != nil || out == nil {
		return nil, errors.New("the answer is no JSON object")
	}
	return out, nil
}

func (c *SCIMClient) takeList(kind idp.AnswerKind, s *scene, body string) (string, error) {
	list, err := object(body)
	if err != nil {
		return "", err
	}
	total, isNumber := list["totalResults"].(json.Number)
	count, err := total.Int64()
	if !isNumber || err != nil {
		return "", errors.New("the answer is no ListResponse: totalResults is no integer")
	}
	resources, _ := list["Resources"].([]any)
	s.total, s.seen = int(count), len(resources)
	groups := kind == idp.TakesGroups || kind == idp.TakesNamed
	switch kind {
	case idp.TakesNamed:
		resources = named(resources, "displayName", s.group.Name)
	case idp.TakesAmong:
		resources = named(resources, "userName", s.person.Person.userName())
	}
	switch {
	case kind == idp.TakesNobody && count > 0:
		return "", fmt.Errorf("%d people were found by a name that nobody has", count)
	case kind == idp.TakesList || kind == idp.TakesNobody:
		return "done", nil
	case len(resources) == 0:
		s.nobody(groups)
		return "none", nil
	}
	first, ok := resources[0].(map[string]any)
	if !ok || textOf(first["id"]) == "" {
		return "", errors.New("what was found has no id")
	}
	c.takeResource(groups, s, first)
	s.linked = true
	return "found", nil
}

// named are the resources of this name, which is no matter of letter case.
func named(resources []any, attribute, name string) []any {
	var out []any
	for _, r := range resources {
		if o, ok := r.(map[string]any); ok && strings.EqualFold(textOf(member(o, attribute)), name) {
			out = append(out, r)
		}
	}
	return out
}

// nobody forgets an id: the server does not find who had it.
func (s *scene) nobody(group bool) {
	if group {
		s.group.SCIMID = ""
		return
	}
	s.person.SCIMID, s.document, s.linked = "", nil, false
}

func (c *SCIMClient) takeResource(group bool, s *scene, resource map[string]any) {
	if !group {
		s.person.SCIMID, s.document = textOf(resource["id"]), resource
		return
	}
	s.group.SCIMID = textOf(resource["id"])
	if members, ok := member(resource, "members").([]any); ok {
		c.meet(s, members)
	}
}
