package mail

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// words are all sentences of a mail; the templates only place them.
type words struct {
	App       string // who writes
	Subject   string
	Title     string
	Before    []string // paragraphs
	Code      string   // shown large; "" for none
	Link      string
	LinkLabel string
	Button    bool        // the link is what the mail is about
	Facts     [][2]string // name and value
	After     []string
	Footer    string
}

// English is what the mails say.
func english(app string, c Content, now time.Time) words {
	w := words{App: app, Footer: "Sent by " + app + "."}
	switch c := c.(type) {
	case MagicAuth:
		w.Subject, w.Title = "Sign in to "+app, "Sign in to "+app
		w.Before = []string{"Enter this code where you asked for it:"}
		w.Code = c.Code
		w.After = []string{
			fmt.Sprintf("It is good for %s, and once.", span(c.ExpiresAt.Sub(now))),
			"If you did not ask for it, somebody has mistyped an address. Do nothing, and give the code to nobody.",
		}
		if c.Link != "" {
			w.Link, w.LinkLabel = c.Link, "Or sign in by this link, in the same browser"
		}
	case Invitation:
		w.invite(app, c, now)
	case PortalLink:
		w.portal(app, c, now)
	case PortalCode:
		w.portalCode(app, c, now)
	case ProviderChange:
		w.changed(app, c)
	case Alert:
		w.alert(app, c)
	case ConnectionCertificate:
		day := c.ExpiresAt.UTC().Format("2 January 2006")
		w.Subject = fmt.Sprintf("%s: a certificate for single sign-on ends on %s", c.Organization, day)
		w.Title = "A certificate for single sign-on ends on " + day
		w.Before = []string{
			fmt.Sprintf("People of %s sign in to %s through the connection %s. The certificate with which the identity provider signs is about to end.", c.Organization, app, c.Connection),
			"Make a new one in the identity provider and add it to the connection before you switch over; both are accepted side by side.",
		}
		w.Facts = [][2]string{
			{"Connection", c.Connection},
			{"Certificate", c.Subject},
			{"SHA-256 fingerprint", c.Fingerprint},
			{"Ends", c.ExpiresAt.UTC().Format("2 January 2006 15:04 UTC")},
		}
		if c.Link != "" {
			w.Link, w.LinkLabel = c.Link, "Renew the certificate"
		}
	}
	return w.tidy()
}

// invite is the mail that asks somebody in. Names come from outside: nobody is invited "to click here".
func (w *words) invite(app string, c Invitation, now time.Time) {
	to := app
	if c.Organization != "" {
		to = c.Organization + " on " + app
	}
	w.Subject, w.Title = "You are invited to join "+to, "You are invited to join "+to
	who := "You have been invited"
	if c.Inviter != "" {
		who = c.Inviter + " has invited you"
	}
	w.Before = []string{
		who + " to join " + to + ".",
		"Opening the link accepts nothing yet: it shows who invites you, and how you sign in.",
	}
	w.Link, w.LinkLabel, w.Button = c.Link, "See the invitation", true
	w.After = []string{
		fmt.Sprintf("The link is good for %s, until %s. It is meant for you alone: please do not pass it on.", span(c.ExpiresAt.Sub(now)), c.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")),
		"If you did not expect this, you can leave it unanswered.",
	}
}

// portal is the mail that lets a contact in.
func (w *words) portal(app string, c PortalLink, now time.Time) {
	w.Subject = fmt.Sprintf("%s: your link to the set-up of single sign-on and directory sync", c.Organization)
	w.Title = "Your link to the set-up portal"
	w.Before = []string{
		fmt.Sprintf("You are an IT contact of %s on %s. By this link you look after its identity provider: single sign-on, directory sync, certificates and tokens.", c.Organization, app),
		"Opening it changes nothing. You are then asked for a code, which is mailed to this address.",
	}
	w.Link, w.LinkLabel, w.Button = c.Link, "Open the portal", true
	w.After = []string{
		fmt.Sprintf("The link is good for %s, until %s, and for you alone.", span(c.ExpiresAt.Sub(now)), c.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")),
		"If you do not know what this is about, you can leave it unanswered: without the code nobody gets in.",
	}
}

func (w *words) portalCode(app string, c PortalCode, now time.Time) {
	w.Subject = "Your code for the set-up portal of " + app
	w.Title = w.Subject
	w.Before = []string{fmt.Sprintf("Somebody has opened your link to the portal of %s. If that was you, enter this code there:", c.Organization)}
	w.Code = c.Code
	w.After = []string{
		fmt.Sprintf("It is good for %s, and once.", span(c.ExpiresAt.Sub(now))),
		"If it was not you, do nothing, and give the code to nobody: your link alone opens nothing.",
	}
}

// changed is the mail that tells of changes. Who reads it may be the one to notice that somebody should not have made them.
func (w *words) changed(app string, c ProviderChange) {
	w.Subject = fmt.Sprintf("%s: %s", c.Organization, c.Changes[0].What)
	w.Title = c.Changes[0].What
	if more := len(c.Changes) - 1; more > 0 {
		w.Subject = fmt.Sprintf("%s: %d changes of the identity provider", c.Organization, more+1)
		w.Title = fmt.Sprintf("%d changes of the identity provider", more+1)
	}
	w.Before = []string{fmt.Sprintf("This concerns how people of %s sign in to %s, and how they get there:", c.Organization, app)}
	for _, one := range c.Changes {
		w.Facts = append(w.Facts, [2]string{one.What, one.told()})
	}
	w.After = []string{"If nobody of you meant to do this, write to the people who run " + app + " at once, and look at the audit in the portal."}
	if c.Link != "" {
		w.Link, w.LinkLabel = c.Link, c.LinkLabel
	}
}

// alert is the mail that something is wrong, or well again: the subjects of the two begin alike, so that they stand together.
func (w *words) alert(app string, c Alert) {
	w.Title = c.Title
	w.Subject = c.Title
	switch {
	case c.Organization != "":
		w.Subject = c.Organization + ": " + c.Title
	default:
		w.Subject = app + ": " + c.Title
	}
	w.Before, w.Facts = slices.Clone(c.Text), slices.Clone(c.Facts)
	w.Link, w.LinkLabel = c.Link, c.LinkLabel
	if !c.WellAgain {
		w.After = []string{"You are written to once, and again when it is well."}
	}
}

// told is all of a change in one line.
func (c Change) told() string {
	var parts []string
	for _, part := range []string{c.Name, c.ID, c.Settings} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	out := strings.Join(parts, " · ")
	if c.Who != "" {
		out += ", by " + c.Who
	}
	return strings.TrimPrefix(out+", "+c.At.UTC().Format("2 January 2006, 15:04 UTC"), ", ")
}

// tidy makes one line of each sentence: names in them come from outside.
func (w words) tidy() words {
	for _, s := range []*string{&w.App, &w.Subject, &w.Title, &w.Footer} {
		*s = line(*s)
	}
	for _, list := range [][]string{w.Before, w.After} {
		for i := range list {
			list[i] = line(list[i])
		}
	}
	for i := range w.Facts {
		w.Facts[i][1] = line(w.Facts[i][1])
	}
	w.Code, w.Link = strings.TrimSpace(line(w.Code)), line(w.Link)
	return w
}

// span is a stretch of time in words, never longer than it is.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch minutes, days := int(d/time.Minute), int(d/day); {
	case days > 1:
		return fmt.Sprintf("%d days", days)
	case days == 1:
		return "a day"
	case minutes >= 120: //nolint:mnd // two hours
		return fmt.Sprintf("%d hours", minutes/60) //nolint:mnd // minutes of an hour
	case minutes <= 0:
		return "less than a minute"
	case minutes == 1:
		return "a minute"
	default:
		return fmt.Sprintf("%d minutes", minutes)
	}
}
