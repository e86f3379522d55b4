package alert

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
)

// wrong is the mail that something is wrong. reason is why the provider was refused, "" where that is not known.
func (s *Service) wrong(a Alert, reason string, r reader) mail.Alert {
	out := mail.Alert{Organization: r.organization}
	switch a.Kind {
	case WrongToken:
		out.Title = fmt.Sprintf("Directory sync stands still: the token that %s sends is refused", a.Name)
		out.Text = []string{
			"The identity provider comes with a token that was revoked, or is not that of this directory. Nobody is added, changed or shut out until it has a good one.",
			"Make a new token, paste it at the identity provider in place of the old one, and have the provider test the connection. Then this mends itself.",
		}
		out.Facts = [][2]string{{"Directory", a.Name}, {"Since", when(a.Since)}, {"Refused", fmt.Sprintf("at least %d times", a.Facts.Count)}}
		out.LinkLabel = "Make a new token"
	case RefusedRequests:
		out.Title = fmt.Sprintf("What %s sends is refused again and again", a.Name)
		out.Text = []string{
			"The identity provider repeats a request that cannot be done as it is, so what it says has not arrived. Somebody who should be out may still be in.",
		}
		if reason != "" {
			out.Text = append(out.Text, "Why it was refused: "+reason)
		}
		out.Text = append(out.Text, "Mend the person, the group or the attribute mapping at the identity provider, and have it sent again. Once it is accepted this mends itself.")
		out.Facts = [][2]string{
			{"Directory", a.Name}, {"Request", a.Facts.Method + " " + a.Facts.Path}, {"Answer", fmt.Sprint(a.Facts.Status)}, {"Times", fmt.Sprint(a.Facts.Count)}, {"Since", when(a.Since)},
		}
		if a.Facts.Others > 0 {
			out.Facts = append(out.Facts, [2]string{"Others like it", fmt.Sprint(a.Facts.Others)})
		}
		out.LinkLabel = "See the directory"
	case MissedCycles:
		out.Title = fmt.Sprintf("Nothing has come from %s since %s", a.Name, when(a.Since))
		out.Text = []string{
			fmt.Sprintf("The identity provider sends in rounds, about every %d minutes, and has missed several. Whoever has left there since may still be in here.", a.Facts.Minutes),
			"Look at the provider whether provisioning is switched on and not in quarantine, and start it again. If it is, somebody may have to let its addresses through a firewall.",
		}
		out.Facts = [][2]string{{"Directory", a.Name}, {"Last contact", when(a.Since)}}
		out.LinkLabel = "See the directory"
	case WebhookFailing:
		s.wrongWebhook(a, &out)
	case SecretEnding:
		out.Title = fmt.Sprintf("The client secret of %s ends on %s", a.Name, a.Since.UTC().Format("2 January 2006"))
		meaning := "People sign in through this connection. Once its client secret has ended nobody can."
		if a.Stage == Worst {
			out.Title = fmt.Sprintf("The client secret of %s has ended", a.Name)
			meaning = "Nobody can sign in through this connection any more, if the date that was entered with it is right."
		}
		out.Text = []string{
			meaning,
			"Make a new client secret at the identity provider and enter it here, with the day on which it ends; then delete the old one there.",
		}
		out.Facts = [][2]string{{"Connection", a.Name}, {"Ends", when(a.Since)}}
		out.LinkLabel = "Enter the new client secret"
	case LicenceFull:
		wrongLicence(a, &out)
	case CertificateEnding: // see untold
	}
	out.Link = s.page(a, r)
	return out
}

func (s *Service) wrongWebhook(a Alert, out *mail.Alert) {
	out.Title = "The webhook endpoint " + address(a.Name) + " fails"
	out.Text = []string{
		"No delivery has arrived since, so the app does not know who has come and who has left. Each delivery is tried again for three days.",
		"Look at the last attempts: they show what the receiver answered. Mend it, and they arrive by themselves.",
	}
	if a.Stage >= Worse {
		out.Title = "The webhook endpoint " + address(a.Name) + " was switched off"
		why := "It has failed for days."
		if a.Facts.Gone {
			why = "It answered 410, which says that it is gone for good."
		}
		out.Text = []string{
			why + " Nothing is delivered to it any more.",
			"Mend the receiver, switch the endpoint on again and replay what was lost; or delete the endpoint.",
		}
	}
	out.Facts = [][2]string{{"Endpoint", address(a.Name)}, {"Since", when(a.Since)}}
	out.LinkLabel = "See the endpoint"
}

func wrongLicence(a Alert, out *mail.Alert) {
	out.Title = "All seats of the licence " + a.Name + " are taken"
	meaning := "People have come in without the licence that they are to have."
	if a.Stage >= Worse {
		meaning = "People who are to have the licence are kept out until a seat is free, as the licence type says."
	}
	out.Text = []string{meaning, "Add seats to the licence type, or take the licence from somebody. Who has waited longest gets the next seat by themselves."}
	out.Facts = [][2]string{{"Licence", a.Name}, {"Seats", fmt.Sprint(a.Facts.Seats)}, {"People who wait", fmt.Sprint(a.Facts.Count)}, {"Since", when(a.Since)}}
	out.LinkLabel = "See the licence"
}

// wellAgain is the mail that it is well.
func (s *Service) wellAgain(a Alert, at time.Time, r reader) mail.Alert {
	out := mail.Alert{Organization: r.organization, WellAgain: true, LinkLabel: "See it", Link: s.page(a, r)}
	switch a.Kind {
	case WrongToken:
		out.Title = fmt.Sprintf("Directory sync works again: %s comes with a good token", a.Name)
	case RefusedRequests:
		out.Title = fmt.Sprintf("What %s sends is accepted again", a.Name)
	case MissedCycles:
		out.Title = fmt.Sprintf("Requests come from %s again", a.Name)
	case WebhookFailing:
		out.Title = "The webhook endpoint " + address(a.Name) + " works again"
	case SecretEnding:
		out.Title = fmt.Sprintf("The client secret of %s was renewed", a.Name)
	case LicenceFull:
		out.Title = "Nobody waits for the licence " + a.Name + " any more"
	case CertificateEnding: // see untold
	}
	out.Text = []string{"What you were written to about is mended. There is nothing to do."}
	out.Facts = [][2]string{{"Noticed", when(at)}}
	if a.Kind != SecretEnding {
		out.Facts = append([][2]string{{"Was wrong since", when(a.Since)}}, out.Facts...)
	}
	return out
}

// page is where it is mended. A contact comes to it by their session in the portal, or asks for a link there first.
func (s *Service) page(a Alert, r reader) string {
	if r.operator {
		return s.o.Dashboard() + a.Place()
	}
	return s.o.Portal(a.OrganizationID) + itadmin.Path + a.PortalPlace()
}

// Place is the page of the dashboard where an alert is mended, below its prefix.
func (a Alert) Place() string {
	switch a.Kind {
	case WrongToken:
		return "directories/" + a.Subject + "/tokens"
	case RefusedRequests:
		if a.Facts.Exchange != "" {
			return "directories/" + a.Subject + "/exchanges/" + a.Facts.Exchange
		}
		return "directories/" + a.Subject + "/exchanges"
	case MissedCycles:
		return "directories/" + a.Subject + "/exchanges"
	case WebhookFailing:
		return "webhooks/" + a.Subject
	case LicenceFull:
		return "organizations/" + a.OrganizationID + "/licences/" + a.Facts.Licence
	case CertificateEnding, SecretEnding:
	}
	return "connections/" + a.Subject
}

// PortalPlace is the page of the portal, below its path.
func (a Alert) PortalPlace() string {
	switch a.Kind {
	case WrongToken:
		return "/tokens/" + a.Subject
	case CertificateEnding:
		return "/certificates/" + a.Subject
	case SecretEnding:
		return "/secrets/" + a.Subject
	case RefusedRequests, MissedCycles, WebhookFailing, LicenceFull:
	}
	return "/home"
}

// Intent is what a link into the portal has to be for, to show an alert; false for one that is no matter of an IT admin.
func (k Kind) Intent() (itadmin.Intent, bool) {
	switch k {
	case WrongToken, RefusedRequests, MissedCycles:
		return itadmin.DirectorySync, true
	case CertificateEnding:
		return itadmin.CertificateRenewal, true
	case SecretEnding:
		return itadmin.SSO, true
	case WebhookFailing, LicenceFull:
	}
	return itadmin.Everything, false
}

// maxReason bounds what is told of a refusal, in characters.
const maxReason = 300

// reason is the sentence with which the last of the requests was refused. It may name somebody, so it is read when it is mailed and not kept.
func (s *Service) reason(ctx context.Context, a Alert) string {
	if a.Kind != RefusedRequests || a.Facts.Exchange == "" {
		return ""
	}
	x, err := s.o.Directories.Exchange(ctx, directory.ID(a.Subject), directory.ExchangeID(a.Facts.Exchange))
	if err != nil {
		if !absent(err) {
			s.o.Logger.WarnContext(ctx, "why a request was refused could not be read; it is told without", "alert", a.ID, "cause", err)
		}
		return ""
	}
	var effect struct {
		Refusal struct {
			Reason string `json:"reason"`
		} `json:"refusal"`
	}
	if err := json.Unmarshal(x.Effect, &effect); err != nil {
		s.o.Logger.WarnContext(ctx, "why a request was refused could not be read; it is told without", "alert", a.ID, "cause", err)
		return ""
	}
	if runes := []rune(effect.Refusal.Reason); len(runes) > maxReason {
		return string(runes[:maxReason]) + "…"
	}
	return effect.Refusal.Reason
}

func when(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// address is an endpoint's without what may be secret in it.
func address(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(unreadable)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Of tells whose the alert is; "" for the installation's.
func (a Alert) Of() org.ID { return org.ID(a.OrganizationID) }
