package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/rollcallhq/rollcall/client"
)

type memberWhy struct {
	remote

	ID           string `arg:"" help:"Id of the membership, or the address of a person, who may have been removed."`
	Organization string `placeholder:"ID" help:"With an address: in this organization only."`
}

// Run prints a sentence for each membership. A program gets the memberships, whose why it is.
func (c *memberWhy) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := c.find(ctx, api)
		if err != nil {
			return err
		}
		for _, m := range found {
			if c.JSON {
				err = printJSON(w.stdout, m)
			} else {
				err = tellWhy(ctx, w, api, m)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func tellWhy(ctx context.Context, w world, api *client.Client, m client.OrganizationMembership) error {
	sentence, err := explained(ctx, api, m)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w.stdout, printable(sentence))
	return err
}

// everyStatus shows removed members too.
func everyStatus() []string { return []string{"active", "pending", "inactive", "removed"} }

// find gives the membership of an id, or all of an address.
func (c *memberWhy) find(ctx context.Context, api *client.Client) ([]client.OrganizationMembership, error) {
	if !strings.Contains(c.ID, "@") {
		m, err := membership(ctx, api, c.ID)
		return []client.OrganizationMembership{m}, err
	}
	users, err := client.Collect(api.Users(ctx, client.UserQuery{Email: c.ID}), 1)
	if err != nil {
		return nil, err
	}
	if len(users) == 0 {
		return nil, hinted{
			fmt.Errorf("nobody has an account with the address %s", c.ID),
			"The directory may know them all the same: \"rollcall directory preview\" says what becomes of each person, and why.",
		}
	}
	q := client.MembershipQuery{UserID: users[0].ID, OrganizationID: c.Organization, Statuses: everyStatus()}
	found, err := client.Collect(api.OrganizationMemberships(ctx, q), 0)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has an account, %s, and was never a member", c.ID, users[0].ID)
	}
	return found, err
}

// reasons are the sentences of docs/reference/membership.md. %s is the directory, or the organization that the account belongs to.
func reasons() map[string]string {
	return map[string]string{
		"sign_in":               "they came in by signing in: their address lies in a verified domain, or the connection lets others in.",
		"invitation":            "they accepted an invitation.",
		"api":                   "the app or the operator made them a member.",
		"directory":             "%s knows them and wants them in.",
		"reactivated":           "a hand let them in again.",
		"invited":               "somebody invited them, and they have not come in yet.",
		"invited_by_directory":  "%s invited them, and they have not come in yet.",
		"deactivated":           "a hand blocked them. No directory lifts that; \"rollcall member reactivate\" does.",
		"invitation_expired":    "their invitation has expired, and they had not come in.",
		"removed":               "a hand removed them, or took the invitation back.",
		"directory_inactive":    "%s wants them out. They come back when it says active.",
		"directory_removed":     "%s has deleted them. They come back, as the same member, when it creates them again.",
		"held_by_brake":         "the brake of %s holds what it says of them, or keeps them in until it writes them again. See \"rollcall directory holds\".",
		"account_deprovisioned": "%s, which the account belongs to, has shut them out by its directory. They come back when that one lets them in.",
	}
}

// explained is the whole sentence.
func explained(ctx context.Context, api *client.Client, m client.OrganizationMembership) (string, error) {
	at, err := api.Organization(ctx, m.OrganizationID)
	if err != nil {
		return "", err
	}
	reason, known := reasons()[m.Why]
	if !known { // of a newer server
		reason = m.Why + "."
	}
	if strings.Contains(reason, "%s") {
		who, err := responsible(ctx, api, m)
		if err != nil {
			return "", err
		}
		reason = fmt.Sprintf(reason, who)
	}
	if m.Why == "removed" || m.Why == "directory_removed" { // their status is inactive, for the contract has no word
		return fmt.Sprintf("%s was removed from %s: %s", nameOf(m), at.Name, reason), nil
	}
	return fmt.Sprintf("%s is %s in %s: %s", nameOf(m), m.Status, at.Name, reason), nil
}

// responsible names who put a membership into its state.
func responsible(ctx context.Context, api *client.Client, m client.OrganizationMembership) (string, error) {
	if m.Why == "account_deprovisioned" {
		return home(ctx, api, m.UserID)
	}
	if m.DirectoryUserID != "" {
		name, err := directoryOf(ctx, api, m.DirectoryUserID)
		if name != "" || err != nil {
			return name, err
		}
	}
	return directoriesOf(ctx, api, m)
}

// home names the organization that an account belongs to.
func home(ctx context.Context, api *client.Client, userID string) (string, error) {
	for m, err := range api.OrganizationMemberships(ctx, client.MembershipQuery{UserID: userID, Statuses: everyStatus()}) {
		if err != nil {
			return "", err
		}
		if m.Primary {
			found, err := api.Organization(ctx, m.OrganizationID)
			return "the organization " + quoted(found.Name), err
		}
	}
	return "an organization", nil
}

// directoryOf names the directory of a person, "" if either is gone.
func directoryOf(ctx context.Context, api *client.Client, directoryUserID string) (string, error) {
	person, err := api.DirectoryUser(ctx, directoryUserID)
	if err != nil {
		return "", unlessMissing(err)
	}
	found, err := api.Directory(ctx, person.DirectoryID)
	if err != nil {
		return "", unlessMissing(err)
	}
	return "the directory " + quoted(found.Name), nil
}

func unlessMissing(err error) error {
	if client.Status(err) == http.StatusNotFound {
		return nil
	}
	return err
}

// directoriesOf finds the directories that have a person by their address, else all that may have had.
func directoriesOf(ctx context.Context, api *client.Client, m client.OrganizationMembership) (string, error) {
	var with, others []string
	for d, err := range api.Directories(ctx, client.DirectoryQuery{OrganizationID: m.OrganizationID}) {
		if err != nil {
			return "", err
		}
		others = append(others, quoted(d.Name))
		if m.User.Email == "" {
			continue
		}
		found, err := client.Collect(api.DirectoryUsers(ctx, client.DirectoryUserQuery{DirectoryID: d.ID, Email: m.User.Email}), 1)
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			with = append(with, quoted(d.Name))
		}
	}
	switch {
	case len(with) == 1:
		return "the directory " + with[0], nil
	case len(with) > 1:
		return "one of the directories " + strings.Join(with, ", "), nil
	case len(others) == 1:
		return "the directory " + others[0], nil
	case len(others) > 1:
		return "one of the directories " + strings.Join(others, ", "), nil
	}
	return "a directory that is deleted now", nil
}

func quoted(name string) string { return "\"" + name + "\"" }
