package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Person is somebody who can be chosen on the page.
type Person struct {
	ID        string   `json:"id,omitempty"` // never changes; "": made of the email
	Email     string   `json:"email,omitempty"`
	FirstName string   `json:"first_name,omitempty"`
	LastName  string   `json:"last_name,omitempty"`
	Groups    []string `json:"groups,omitempty"`

	Profile // what only a directory tells
}

// Profile is what a directory tells of a person beside name and email; "" is not known.
type Profile struct {
	UserName       string `json:"user_name,omitempty"` // "": the email
	Title          string `json:"title,omitempty"`
	Department     string `json:"department,omitempty"`
	EmployeeNumber string `json:"employee_number,omitempty"`
	Phone          string `json:"phone,omitempty"`
	City           string `json:"city,omitempty"`
	Manager        string `json:"manager,omitempty"` // user name of somebody
	Role           string `json:"role,omitempty"`    // in the application
}

func (p Person) userName() string {
	if p.UserName != "" {
		return p.UserName
	}
	return p.Email
}

// Name is how the person is shown.
func (p Person) Name() string { return strings.TrimSpace(p.FirstName + " " + p.LastName) }

// People are a few persons of a company with this domain, and one guest from elsewhere.
func People(domain string) []Person {
	return []Person{
		{ID: "sim-ada", Email: "ada@" + domain, FirstName: "Ada", LastName: "Lindqvist", Groups: []string{"Engineering", "Admins"}},
		{ID: "sim-ben", Email: "ben@" + domain, FirstName: "Ben", LastName: "Okafor", Groups: []string{"Engineering"}},
		{ID: "sim-chiara", Email: "chiara@" + domain, FirstName: "Chiara", LastName: "Moretti", Groups: []string{"Finance"}},
		{ID: "sim-guest", Email: "guest@partner.example", FirstName: "Guest", LastName: "Elsewhere"},
	}
}

// Scenario is what the provider does with the person.
type Scenario string

// The closed list of scenarios.
const (
	SignIn        Scenario = "sign_in"
	Deny          Scenario = "deny"
	WrongAudience Scenario = "wrong_audience"
	Expired       Scenario = "expired"
	Unsigned      Scenario = "unsigned"
	Tampered      Scenario = "tampered"
	WrongKey      Scenario = "wrong_key"
)

type choice struct {
	Scenario Scenario
	Label    string
	Refusal  string // the code that Rollcall refuses with
}

func samlMisbehaviours() []choice {
	return []choice{
		{Deny, "Deny the sign-in", "idp_denied"},
		{WrongAudience, "Answer for another app", "audience_mismatch"},
		{Expired, "Answer an hour late", "expired"},
		{Unsigned, "Leave out the signature", "unsigned"},
		{Tampered, "Change it after signing", "signature_invalid"},
		{WrongKey, "Sign with another key", "certificate_unknown"},
	}
}

func oidcMisbehaviours() []choice {
	return []choice{
		{Deny, "Deny the sign-in", "idp_denied"},
		{WrongAudience, "Answer for another app", "audience_mismatch"},
		{Expired, "Answer an hour late", "expired"},
		{Unsigned, "Leave out the signature", "algorithm_not_allowed"},
		{Tampered, "Change it after signing", "signature_invalid"},
		{WrongKey, "Sign with another key", "signature_invalid"},
	}
}

const maxField = 200 // bytes of anything that is typed

// chosen reads the page's form: one of the people, or somebody typed.
func chosen(form url.Values, people []Person) (Person, Scenario, error) {
	scenario := Scenario(form.Get("scenario"))
	if scenario == "" {
		scenario = SignIn // Enter in a field
	}
	known := scenario == SignIn
	for _, c := range samlMisbehaviours() {
		known = known || c.Scenario == scenario
	}
	if !known {
		return Person{}, "", fmt.Errorf("there is no scenario %q", scenario)
	}
	if id := form.Get("person"); id != "" && id != "other" {
		for _, p := range people {
			if p.ID == id {
				return p, scenario, nil
			}
		}
		return Person{}, "", fmt.Errorf("there is no person %q", id)
	}
	p, err := typed(form)
	return p, scenario, err
}

func typed(form url.Values) (Person, error) {
	p := Person{Email: strings.TrimSpace(form.Get("email")), FirstName: strings.TrimSpace(form.Get("first_name")), LastName: strings.TrimSpace(form.Get("last_name"))}
	for group := range strings.SplitSeq(form.Get("groups"), ",") {
		if group = strings.TrimSpace(group); group != "" {
			p.Groups = append(p.Groups, group)
		}
	}
	for _, text := range append([]string{p.Email, p.FirstName, p.LastName}, p.Groups...) {
		if len(text) > maxField || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff }) {
			return Person{}, fmt.Errorf("a field has more than %d bytes or holds a character that cannot be sent", maxField)
		}
	}
	if len(p.Groups) > 50 {
		return Person{}, fmt.Errorf("%d groups are more than the 50 that are sent", len(p.Groups))
	}
	if address, err := mail.ParseAddress(p.Email); err != nil || address.Address != p.Email {
		return Person{}, fmt.Errorf("%q is not an email address", p.Email)
	}
	p.ID = idOf(p.Email)
	return p, nil
}

// idOf makes the same id of the same address, as a directory would have one.
func idOf(email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(email)))
	return "sim-" + hex.EncodeToString(sum[:8])
}

func withIDs(people []Person) []Person {
	out := make([]Person, len(people))
	for i, p := range people {
		if p.ID == "" {
			p.ID = idOf(p.Email)
		}
		out[i] = p
	}
	return out
}
