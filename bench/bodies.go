package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

var (
	givenNames  = [...]string{"Amara", "Björn", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Keiko", "Liam"}
	familyNames = [...]string{"Adeyemi", "Bergström", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kowalski"}
	departments = [...]string{"Engineering", "Sales", "Finance", "Legal", "Support", "People", "Operations"}
)

// userName is unique by its directory's tag and its number.
func userName(tag string, seq int) string {
	return fmt.Sprintf("person%07d.%s@load.example", seq, tag)
}

func externalID(tag string, seq int) string { return fmt.Sprintf("00u%s%07d", tag, seq) }

// appendUser writes the body Okta would send for a well filled profile, about
// 1.2 kB. Two bodies of the same person differ when rev differs. A PUT carries
// the id; it is empty in a POST.
func appendUser(b []byte, tag, id string, seq, rev int) []byte {
	name := userName(tag, seq)
	given, family := givenNames[seq%len(givenNames)], familyNames[seq/3%len(familyNames)]
	b = append(b, `{"schemas":["`+userSchema+`","`+enterpriseSchema+`"],`...)
	if id != "" {
		b = append(b, `"id":"`+id+`",`...)
	}
	b = fmt.Appendf(b, `"userName":%q,"externalId":%q,"name":{"givenName":%q,"familyName":%q,"formatted":"%s %s","honorificPrefix":"Dr."},`,
		name, externalID(tag, seq), given, family, given, family)
	b = fmt.Appendf(b, `"displayName":"%s %s","nickName":%q,"title":"Engineer, level %d","userType":"Employee","preferredLanguage":"en-US","locale":"en-US","timezone":"Europe/Lisbon","active":true,`,
		given, family, given, rev)
	b = fmt.Appendf(b, `"profileUrl":"https://people.load.example/%07d","emails":[{"value":%q,"type":"work","primary":true},{"value":"private%07d@home.example","type":"home"}],`, seq, name, seq)
	b = fmt.Appendf(b, `"phoneNumbers":[{"value":"+1-555-%07d","type":"work","primary":true},{"value":"+1-556-%07d","type":"mobile"}],`, seq, seq)
	b = fmt.Appendf(b, `"addresses":[{"type":"work","primary":true,"streetAddress":"%d Harbour Road","locality":"Riverside","region":"CA","postalCode":"92501","country":"US"}],`, seq)
	return fmt.Appendf(b, `"groups":[],"%s":{"employeeNumber":"%07d","costCenter":"CC-4130","organization":"Load Example","division":"Platform","department":%q}}`,
		enterpriseSchema, seq, departments[seq%len(departments)])
}

// appendSetActive is Okta's form: no path, a value object.
func appendSetActive(b []byte, active bool) []byte {
	return fmt.Appendf(b, `{"schemas":["%s"],"Operations":[{"op":"replace","value":{"active":%t}}]}`, patchSchema, active)
}

func appendSetTitle(b []byte, title string) []byte {
	return fmt.Appendf(b, `{"schemas":["%s"],"Operations":[{"op":"replace","value":{"title":%q}}]}`, patchSchema, title)
}

func groupBody(name string) []byte {
	return fmt.Appendf(nil, `{"schemas":["%s"],"displayName":%q}`, groupSchema, name)
}

func appendAddMembers(b []byte, ids ...string) []byte {
	b = append(b, `{"schemas":["`+patchSchema+`"],"Operations":[{"op":"add","path":"members","value":[`...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"value":"`+id+`"}`...)
	}
	return append(b, `]}]}`...)
}

func appendRemoveMember(b []byte, id string) []byte {
	return fmt.Appendf(b, `{"schemas":["%s"],"Operations":[{"op":"remove","path":"members[value eq \"%s\"]"}]}`, patchSchema, id)
}

func lookupPath(name string) string {
	return "/Users?filter=userName%20eq%20%22" + url.QueryEscape(name) + "%22"
}

func pagePath(start, count int) string {
	return "/Users?startIndex=" + strconv.Itoa(start) + "&count=" + strconv.Itoa(count)
}

// idOf finds the resource's id. The quick way is right when the document holds
// one member of that name; anything else is parsed.
func idOf(doc []byte) (string, error) {
	mark := []byte(`"id":"`)
	if at := bytes.Index(doc, mark); at >= 0 && bytes.Count(doc, mark) == 1 {
		rest := doc[at+len(mark):]
		if end := bytes.IndexByte(rest, '"'); end > 0 {
			return string(rest[:end]), nil
		}
	}
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(doc, &v); err != nil {
		return "", fmt.Errorf("answer is not JSON: %w", err)
	}
	if v.ID == "" {
		return "", fmt.Errorf("answer has no id: %.200s", doc)
	}
	return v.ID, nil
}

// checkPage wants exactly this total and this many people on the page. Counting
// member names is exact for compact JSON; whatever does not match is parsed
// before it is called wrong.
func checkPage(body []byte, total, items int) error {
	mark := []byte(`"totalResults":` + strconv.Itoa(total))
	at := bytes.Index(body, mark)
	ended := at >= 0 && at+len(mark) < len(body) && (body[at+len(mark)] < '0' || body[at+len(mark)] > '9')
	if ended && bytes.Count(body, []byte(`"userName":`)) == items {
		return nil
	}
	var v listPage
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("list is not JSON: %w", err)
	}
	if v.Total != total || len(v.Resources) != items {
		return fmt.Errorf("list has totalResults %d and %d items, want %d and %d", v.Total, len(v.Resources), total, items)
	}
	return nil
}

type listPage struct {
	Total     int            `json:"totalResults"`
	Resources []listedPerson `json:"Resources"`
}

type listedPerson struct {
	ID       string `json:"id"`
	UserName string `json:"userName"`
	Active   bool   `json:"active"`
}
