package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	scimJSON     = "application/scim+json"
	listSchema   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorSchema  = "urn:ietf:params:scim:api:messages:2.0:Error"
	groupSchema  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	biggestPage  = 1000
	biggestBody  = 8 << 20
	nameFilter   = `userName eq "`
	memberFilter = `members[value eq "`
)

type handler struct{ s store }

func routes(s store) http.Handler {
	h := handler{s}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request) error{
		"POST /Users":        h.createUser,
		"GET /Users":         h.findUsers,
		"GET /Users/{id}":    h.getUser,
		"PUT /Users/{id}":    h.putUser,
		"PATCH /Users/{id}":  h.patchUser,
		"POST /Groups":       h.createGroup,
		"GET /Groups/{id}":   h.getGroup,
		"PATCH /Groups/{id}": h.patchGroup,
		"POST /events":       h.addEvents,
		"GET /events":        h.getEvents,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := serve(w, r); err != nil {
				refuse(w, err)
			}
		})
	}
	return mux
}

func (h handler) createUser(w http.ResponseWriter, r *http.Request) error {
	var doc map[string]any
	if err := decode(r, &doc); err != nil {
		return err
	}
	id := newID()
	name, body, err := render(doc, id)
	if err != nil {
		return err
	}
	if err := h.s.createUser(r.Context(), id, name, body); err != nil {
		return err
	}
	return answer(w, http.StatusCreated, body)
}

func (h handler) findUsers(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if filter := q.Get("filter"); filter != "" {
		return h.lookup(w, r, filter)
	}
	start, err1 := strconv.Atoi(q.Get("startIndex"))
	count, err2 := strconv.Atoi(q.Get("count"))
	if err1 != nil || err2 != nil {
		return malformed("the floor wants startIndex and count")
	}
	docs, total, err := h.s.page(r.Context(), max(start, 1), min(max(count, 0), biggestPage))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, list(docs, total, start))
}

func (h handler) lookup(w http.ResponseWriter, r *http.Request, filter string) error {
	name, ok := between(filter, nameFilter, `"`)
	if !ok {
		return malformed("the floor knows one filter: userName eq \"…\"")
	}
	doc, err := h.s.userByName(r.Context(), name)
	if errors.Is(err, errAbsent) {
		return answer(w, http.StatusOK, list(nil, 0, 1))
	}
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, list([][]byte{doc}, 1, 1))
}

func (h handler) getUser(w http.ResponseWriter, r *http.Request) error {
	doc, err := h.s.user(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, doc)
}

func (h handler) putUser(w http.ResponseWriter, r *http.Request) error {
	var doc map[string]any
	if err := decode(r, &doc); err != nil {
		return err
	}
	_, body, err := render(doc, r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := h.s.replaceUser(r.Context(), r.PathValue("id"), body); err != nil {
		return err
	}
	return answer(w, http.StatusOK, body)
}

type patch struct {
	Operations []struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	} `json:"Operations"`
}

func (h handler) patchUser(w http.ResponseWriter, r *http.Request) error {
	var p patch
	if err := decode(r, &p); err != nil {
		return err
	}
	if len(p.Operations) != 1 {
		return malformed("the floor takes one operation")
	}
	var v struct {
		Active *bool   `json:"active"`
		Title  *string `json:"title"`
	}
	if err := json.Unmarshal(p.Operations[0].Value, &v); err != nil {
		return malformed(err.Error())
	}
	var doc []byte
	var err error
	switch {
	case v.Active != nil:
		doc, err = h.s.setActive(r.Context(), r.PathValue("id"), *v.Active)
	case v.Title != nil:
		doc, err = h.s.setTitle(r.Context(), r.PathValue("id"), *v.Title)
	default:
		err = malformed("the floor replaces active or title")
	}
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, doc)
}

type member struct {
	Value string `json:"value"`
}

func (h handler) createGroup(w http.ResponseWriter, r *http.Request) error {
	var g struct {
		DisplayName string   `json:"displayName"`
		Members     []member `json:"members"`
	}
	if err := decode(r, &g); err != nil {
		return err
	}
	id := newID()
	if err := h.s.createGroup(r.Context(), id, g.DisplayName, values(g.Members)); err != nil {
		return err
	}
	return answerGroup(w, http.StatusCreated, id, g.DisplayName, g.Members)
}

func (h handler) getGroup(w http.ResponseWriter, r *http.Request) error {
	with := r.URL.Query().Get("excludedAttributes") != "members"
	name, ids, err := h.s.group(r.Context(), r.PathValue("id"), with)
	if err != nil {
		return err
	}
	members := make([]member, len(ids))
	for i, id := range ids {
		members[i].Value = id
	}
	return answerGroup(w, http.StatusOK, r.PathValue("id"), name, members)
}

func (h handler) patchGroup(w http.ResponseWriter, r *http.Request) error {
	var p patch
	if err := decode(r, &p); err != nil {
		return err
	}
	if len(p.Operations) != 1 {
		return malformed("the floor takes one operation")
	}
	if err := h.changeMembers(r, p.Operations[0].Op, p.Operations[0].Path, p.Operations[0].Value); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h handler) changeMembers(r *http.Request, op, path string, value json.RawMessage) error {
	if op == "remove" {
		id, ok := between(path, memberFilter, `"]`)
		if !ok {
			return malformed("the floor removes members[value eq \"…\"]")
		}
		return h.s.removeMember(r.Context(), r.PathValue("id"), id)
	}
	if op != "add" || path != "members" {
		return malformed("the floor adds members or removes one")
	}
	var members []member
	if err := json.Unmarshal(value, &members); err != nil {
		return malformed(err.Error())
	}
	return h.s.addMembers(r.Context(), r.PathValue("id"), values(members))
}

// addEvents takes an array of entries that Rollcall's log has, to have the very same bytes to read.
func (h handler) addEvents(w http.ResponseWriter, r *http.Request) error {
	var docs []json.RawMessage
	if err := decode(r, &docs); err != nil {
		return err
	}
	events := make([]event, len(docs))
	for i, doc := range docs {
		var named struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(doc, &named); err != nil || named.ID == "" {
			return malformed("an event without an id")
		}
		events[i] = event{named.ID, doc}
	}
	if err := h.s.addEvents(r.Context(), events); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h handler) getEvents(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	count, err := strconv.Atoi(q.Get("limit"))
	if err != nil || count < 1 {
		return malformed("the floor wants limit")
	}
	events, err := h.s.eventsAfter(r.Context(), q.Get("after"), min(count, biggestPage))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Grow(200 + 1500*len(events))
	b.WriteString(`{"object":"list","data":[`)
	for i, e := range events {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(e.doc)
	}
	b.WriteString(`],"list_metadata":{"before":null,"after":`)
	if len(events) == count {
		b.WriteString(`"` + events[len(events)-1].id + `"`)
	} else {
		b.WriteString(`null`)
	}
	b.WriteString(`}}`)
	return answer(w, http.StatusOK, b.Bytes())
}

// malformed is a request the benchmark does not send.
type malformed string

func (m malformed) Error() string { return string(m) }

func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, biggestBody))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return malformed(err.Error())
	}
	return nil
}

// render adds what the server owns and encodes the document once: the bytes
// stored are the bytes answered.
func render(doc map[string]any, id string) (userName string, body []byte, err error) {
	userName, _ = doc["userName"].(string)
	if userName == "" {
		return "", nil, malformed("userName is missing")
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	doc["id"] = id
	doc["meta"] = map[string]any{
		"resourceType": "User", "created": now, "lastModified": now, "version": `W/"1"`, "location": "/Users/" + id,
	}
	body, err = json.Marshal(doc)
	return userName, body, err
}

// withAttribute is the document with one top-level attribute replaced.
func withAttribute(doc []byte, name string, value any) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(doc, &m); err != nil {
		return nil, err
	}
	m[name] = value
	return json.Marshal(m)
}

func list(docs [][]byte, total, start int) []byte {
	var b bytes.Buffer
	b.Grow(200 + 1500*len(docs))
	b.WriteString(`{"schemas":["` + listSchema + `"],"totalResults":`)
	b.WriteString(strconv.Itoa(total))
	b.WriteString(`,"startIndex":` + strconv.Itoa(start) + `,"itemsPerPage":` + strconv.Itoa(len(docs)) + `,"Resources":[`)
	b.Write(bytes.Join(docs, []byte{','}))
	b.WriteString(`]}`)
	return b.Bytes()
}

func answerGroup(w http.ResponseWriter, status int, id, name string, members []member) error {
	body, err := json.Marshal(struct {
		Schemas     []string `json:"schemas"`
		ID          string   `json:"id"`
		DisplayName string   `json:"displayName"`
		Members     []member `json:"members,omitempty"`
	}{[]string{groupSchema}, id, name, members})
	if err != nil {
		return err
	}
	return answer(w, status, body)
}

func answer(w http.ResponseWriter, status int, body []byte) error {
	w.Header()["Content-Type"] = []string{scimJSON}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var bad malformed
	switch {
	case errors.As(err, &bad):
		status = http.StatusBadRequest
	case errors.Is(err, errAbsent):
		status = http.StatusNotFound
	}
	w.Header().Set("Content-Type", scimJSON)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client may be gone; there is nobody else to tell
		"schemas": []string{errorSchema}, "status": strconv.Itoa(status), "detail": err.Error(),
	})
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func values(members []member) []string {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.Value
	}
	return ids
}

func between(s, before, after string) (string, bool) {
	s, ok1 := strings.CutPrefix(s, before)
	s, ok2 := strings.CutSuffix(s, after)
	return s, ok1 && ok2
}
