package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

func listAccounts(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	p, err := c.paging(accountPrefix, false)
	if err != nil {
		return answer{}, err
	}
	q := member.UserQuery{Email: c.query.Get("email"), Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending}
	for _, name := range []string{"organization", "organization_id"} { // the first is the contract's older name
		id, err := c.filterID(name, orgPrefix)
		if err != nil {
			return answer{}, err
		}
		if id != "" {
			q.OrganizationID = id
		}
	}
	if q.States, err = c.statuses(); err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Members.ListUsers(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(u member.User) string { return string(u.ID) }, showAccount)
	return ok(page), err
}

func getAccountByExternalID(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	u, err := c.o.Members.UserByExternalID(c.ctx(), c.path["external_id"])
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(u.Payload())), nil
}

// accountBody is what a client sends about a user. null is the same as leaving out, but for external_id and locale, which it takes away, and
// for the keys of metadata, which it deletes.
type accountBody struct {
	Email         *string            `json:"email"`
	EmailVerified *bool              `json:"email_verified"`
	FirstName     *string            `json:"first_name"`
	LastName      *string            `json:"last_name"`
	Name          *string            `json:"name"`
	Locale        jsontext.Value     `json:"locale"`
	ExternalID    jsontext.Value     `json:"external_id"`
	Metadata      map[string]*string `json:"metadata"`
	Password      jsontext.Value     `json:"password"`
	PasswordHash  jsontext.Value     `json:"password_hash"`
}

// accountChanges reads the body. A password is refused, for whoever sends one believes that it will be asked for.
func (c *call) accountChanges() (member.UserChanges, error) {
	var b accountBody
	if err := c.body(&b); err != nil {
		return member.UserChanges{}, err
	}
	for field, value := range map[string]jsontext.Value{"password": b.Password, "password_hash": b.PasswordHash} {
		if kind := value.Kind(); kind != 0 && kind != 'n' {
			return member.UserChanges{}, errField(field, "passwords_not_kept", "There are no passwords here: people come in through their identity provider or by a mailed code. Leave %s out.", field)
		}
	}
	out := member.UserChanges{Email: b.Email, EmailVerified: b.EmailVerified, FirstName: b.FirstName, LastName: b.LastName, Metadata: b.Metadata}
	if b.Name != nil && b.FirstName == nil && b.LastName == nil {
		first, last, _ := strings.Cut(strings.TrimSpace(*b.Name), " ")
		last = strings.TrimSpace(last)
		out.FirstName, out.LastName = &first, &last
	}
	var err error
	if out.Locale, err = textOrNull("locale", b.Locale); err != nil {
		return out, err
	}
	out.ExternalID, err = textOrNull("external_id", b.ExternalID)
	return out, err
}

// newUser is what is made by changes of nothing.
func newUser(ch member.UserChanges) member.NewUser {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	n := member.NewUser{
		Email: text(ch.Email), EmailVerified: ch.EmailVerified != nil && *ch.EmailVerified, FirstName: text(ch.FirstName), LastName: text(ch.LastName),
		Locale: text(ch.Locale), ExternalID: text(ch.ExternalID),
	}
	for k, v := range ch.Metadata {
		if v == nil {
			continue
		}
		if n.Metadata == nil {
			n.Metadata = map[string]string{}
		}
		n.Metadata[k] = *v
	}
	return n
}

func createAccount(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	ch, err := c.accountChanges()
	if err != nil {
		return answer{}, err
	}
	if ch.Email == nil {
		return answer{}, errField("email", "required", "Give the user's address as email.")
	}
	made, err := c.o.Members.CreateUser(c.ctx(), c.actor, newUser(ch))
	if err != nil {
		return answer{}, notCreated(err)
	}
	return answer{http.StatusCreated, jsontext.Value(made.Payload())}, nil
}

// notCreated: what an update refuses by a code of its own has one code in the contract of creating; which it was stands in errors.
func notCreated(err error) error {
	f, refused := fault.As(err)
	if !refused || !slices.Contains([]string{"email_not_available", "invalid_email", "external_id_already_used"}, f.Code) {
		return err
	}
	same := *f
	same.Code, same.Detail = "user_creation_error", f.Code
	return &same
}

func updateAccount(c *call) (answer, error) {
	id, err := c.accountID()
	if err != nil {
		return answer{}, err
	}
	ch, err := c.accountChanges()
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Members.UpdateUser(c.ctx(), c.actor, id, ch)
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(changed.Payload())), nil
}

func deleteAccount(c *call) (answer, error) {
	id, err := c.accountID()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK}, c.o.Members.DeleteUser(c.ctx(), c.actor, id)
}
