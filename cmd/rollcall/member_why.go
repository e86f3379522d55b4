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

	ID string `arg:"" help:"Id of the membership."`
}

// Run prints the reason. A program gets the membership, whose why it is.
func (c *memberWhy) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		m, err := membership(ctx, api, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(w.stdout, m)
		}
		sentence, err := explained(ctx, api, m)
		if err == nil {
			_, err = fmt.Fprintln(w.stdout, printable(sentence))
		}
		return err
	})
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
		"removed":               "a hand removed them, or took the invitation back.",
		"directory_inactive":    "%s wants them out. They come back when it says active.",
		"directory_removed":     "%s has deleted them. They come back, as the same member, when it creates them again.",
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
	every := []string{"active", "pending", "inactive", "removed"}
	for m, err := range api.OrganizationMemberships(ctx, client.MembershipQuery{UserID: userID, Statuses: every}) {
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
