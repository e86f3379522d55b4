package portal

import (
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// verdict is what was seen of a check.
type verdict string

// The verdicts.
const (
	passed  verdict = "passed"
	failed  verdict = "failed"
	waiting verdict = "waiting"
)

// checkView is one thing that Rollcall sees for itself.
type checkView struct {
	Title   string
	Verdict verdict
	Text    string
	Pairs   []ui.Pair
	Lines   []lineView
	People  []pushed
	Groups  []string
	More    string // how many are not shown
	At      time.Time
	AtText  string // begins with what happened at At: "The last request came"
	Test    string // address that begins a test sign-in
	Lacks   string // why no test can begin yet
	Approve string // address that takes over what waits for approval
	Hidden  []ui.Hidden
}

// lineView is a line of a list of what was looked at: green, red, or neither.
type lineView struct {
	Verdict     verdict
	Title       string
	Wanted, Got string
	Advice      string
	Who         string // who mends it
	At          time.Time
}

// checksView is the panel of checks of a step. It asks again by itself while something is waited for.
type checksView struct {
	Address string // of the panel alone
	Page    string // of the page, for those without script
	Checks  []checkView
	Wait    bool
	Next    ui.Link
}

// evident says what is there of a connection: the same as the panel, without words.
func (w way) evident(c idp.Check) bool {
	lacks := w.connection.Lacks()
	has := func(name string) bool {
		for _, l := range lacks {
			if l == name {
				return false
			}
		}
		return true
	}
	switch c {
	case idp.CheckMetadata:
		return has("idp_entity_id") && has("sso_url") && w.connection.Pending == nil
	case idp.CheckCertificate:
		return has("certificates")
	case idp.CheckDiscovery:
		return has("issuer")
	case idp.CheckClient, idp.CheckTestSignIn:
		return !w.connection.FirstSuccessAt.IsZero()
	case idp.CheckFirstRequest, idp.CheckFirstUser, idp.CheckFirstGroup:
	}
	return false
}

// evident says what is there of a directory.
func (f feed) evident(c idp.Check) bool {
	switch c {
	case idp.CheckFirstRequest:
		return f.directory.State == directory.Linked
	case idp.CheckFirstUser:
		return f.counts.Active+f.counts.Inactive > 0
	case idp.CheckFirstGroup:
		return f.counts.Groups > 0
	case idp.CheckMetadata, idp.CheckCertificate, idp.CheckDiscovery, idp.CheckClient, idp.CheckTestSignIn:
	}
	return false
}

func verdictOf(there bool) verdict {
	if there {
		return passed
	}
	return waiting
}

// checksOfSSO looks at what a step waits for.
func (s *steps) checksOfSSO(v *walk, w way, i int) (checksView, error) {
	out := checksView{Address: w.step(i) + "/checks", Page: w.step(i)}
	checks := checksOf(w.guide.Steps[i])
	if len(checks) == 0 {
		return out, nil
	}
	last, err := s.lastTest(v, w)
	if err != nil {
		return out, err
	}
	for _, c := range checks {
		one := s.checkOfSSO(v, w, c, last)
		out.Checks = append(out.Checks, one)
		// What a person has just typed is looked at as they send it; only what happens elsewhere is waited for.
		out.Wait = out.Wait || one.Verdict != passed && (c == idp.CheckTestSignIn || c == idp.CheckClient)
	}
	out.Next = s.afterSSO(v, w, i)
	return out, nil
}

// lastTest is the newest test sign-in of a connection; nil: there is none among the newest attempts.
func (s *steps) lastTest(v *walk, w way) (*sso.Attempt, error) {
	found, _, err := s.o.Connections.Attempts(v.ctx, sso.AttemptQuery{ConnectionID: w.connection.ID, Limit: seenMost})
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		if a.Kind == sso.Test {
			return &a, nil
		}
	}
	return nil, nil //nolint:nilnil // none is an answer
}

func (s *steps) checkOfSSO(v *walk, w way, c idp.Check, last *sso.Attempt) checkView {
	out := checkView{Title: v.say.T("setup.check_" + string(c)), Verdict: verdictOf(w.evident(c)), Hidden: v.hidden}
	switch c {
	case idp.CheckMetadata:
		checkMetadata(v, w, &out)
	case idp.CheckCertificate:
		s.checkCertificate(v, w, &out)
	case idp.CheckDiscovery:
		if out.Text = v.say.T("setup.waiting_discovery"); out.Verdict == passed {
			out.Text, out.Pairs = "", []ui.Pair{{Key: v.say.T("setup.issuer"), Text: w.connection.Issuer, Mono: true}}
		}
	case idp.CheckClient:
		checkClient(v, w, last, &out)
	case idp.CheckTestSignIn:
		checkTest(v, w, last, &out)
	case idp.CheckFirstRequest, idp.CheckFirstUser, idp.CheckFirstGroup: // of directories
	}
	return out
}

func checkMetadata(v *walk, w way, out *checkView) {
	c := w.connection
	out.Text = v.say.T("setup.waiting_metadata")
	if c.IDPEntityID != "" {
		out.Text = ""
		out.Pairs = append(out.Pairs, ui.Pair{Key: v.say.T("setup.entity_id"), Text: c.IDPEntityID, Mono: true}, ui.Pair{Key: v.say.T("setup.sso_url"), Text: c.SSOURL, Mono: true})
	}
	if !c.MetadataAt.IsZero() && c.MetadataURL != "" {
		out.Pairs = append(out.Pairs, ui.Pair{Key: v.say.T("setup.metadata_read"), Value: ui.Time(ui.TimeProps{At: c.MetadataAt})})
	}
	if c.MetadataError != "" {
		out.Verdict, out.Text = failed, c.MetadataError
	}
	if p := c.Pending; p != nil {
		out.Verdict, out.Approve = waiting, w.at("approve")
		var why []string
		for _, reason := range p.Reasons {
			why = append(why, pendingReason(v, reason))
		}
		out.Text = v.say.T("setup.pending", "why", strings.Join(why, " "))
		out.Pairs = []ui.Pair{{Key: v.say.T("setup.entity_id"), Text: p.IDPEntityID, Mono: true}, {Key: v.say.T("setup.sso_url"), Text: p.SSOURL, Mono: true}}
		for _, fingerprint := range p.Certificates {
			out.Pairs = append(out.Pairs, ui.Pair{Key: v.say.T("setup.fingerprint"), Text: fingerprint, Mono: true})
		}
	}
}

func pendingReason(v *walk, reason string) string {
	if key := "setup.pending_" + reason; v.say.Has(key) {
		return v.say.T(key)
	}
	return reason
}

// soon is how long before its end a certificate is worth a word.
const soon = 30 * 24 * time.Hour

func (s *steps) checkCertificate(v *walk, w way, out *checkView) {
	out.Text = v.say.T("setup.waiting_certificate")
	now, living := s.o.Now(), false
	for _, c := range w.connection.Certificates {
		line := lineView{Title: c.Subject, Got: v.say.T("setup.certificate_dates", "from", c.NotBefore.Format(time.DateOnly), "until", c.NotAfter.Format(time.DateOnly)), Verdict: passed}
		switch {
		case now.After(c.NotAfter):
			line.Verdict, line.Advice = failed, v.say.T("setup.certificate_ended")
		case now.Before(c.NotBefore):
			line.Verdict, line.Advice = failed, v.say.T("setup.certificate_early")
		case c.NotAfter.Sub(now) < soon:
			line.Verdict, line.Advice, living = waiting, v.say.T("setup.certificate_soon"), true
		default:
			living = true
		}
		out.Lines = append(out.Lines, line)
	}
	if len(out.Lines) > 0 {
		out.Text = ""
		if !living { // sign-ins go on, but somebody should know
			out.Verdict = failed
		}
	}
}

// checkClient: an OpenID provider says whether it takes id and secret only when a code is exchanged.
func checkClient(v *walk, w way, last *sso.Attempt, out *checkView) {
	switch {
	case out.Verdict == passed:
	case last != nil && last.Refused != nil && last.Refused.Code == sso.IDPTokenError:
		out.Verdict, out.Text = failed, last.Refused.Message
		out.Lines = []lineView{lineOfRefusal(v, last.Refused)}
	case w.connection.HasSecret && w.connection.ClientID != "":
		out.Text = v.say.T("setup.client_later")
	default:
		out.Text = v.say.T("setup.waiting_client")
	}
}

func lineOfRefusal(v *walk, r *sso.Refused) lineView {
	return lineView{Verdict: failed, Title: r.Message, Wanted: r.Wanted, Got: r.Got, Advice: unmarked(r.Advice), Who: web.SayFixer(v.say, string(r.Fixer))}
}

// unmarked takes the marks of code away that sentences for documents have.
func unmarked(text string) string { return strings.ReplaceAll(text, "`", "") }

func checkTest(v *walk, w way, last *sso.Attempt, out *checkView) {
	if lacks := w.connection.Lacks(); len(lacks) > 0 {
		var names []string
		for _, l := range lacks {
			names = append(names, v.say.T("setup.lacks_"+l))
		}
		out.Lacks = v.say.T("setup.test_lacks", "what", strings.Join(names, ", "))
		return
	}
	out.Test = w.at("test")
	if last == nil {
		out.Text = v.say.T("setup.test_none")
		return
	}
	out.At, out.AtText = last.CreatedAt, v.say.T("setup.test_begun")
	out.Lines = linesOfTest(v, *last)
	switch last.State {
	case sso.AtProvider:
		out.Text = v.say.T("setup.test_waiting")
	case sso.Succeeded:
		out.Text = v.say.T("setup.test_succeeded", "email", last.Email)
	case sso.Failed, sso.TimedOut:
		out.Text = v.say.T("setup.test_failed")
		if out.Verdict != passed {
			out.Verdict = failed
		}
	}
}

// linesOfTest are its green and red lists: what is wrong first. A test that a refusal ended has no list of its own.
func linesOfTest(v *walk, a sso.Attempt) (out []lineView) {
	var green []lineView
	told := false
	for _, c := range a.Checks {
		line := lineView{Title: web.SayCheck(v.say, c.Name), Got: c.Got, Verdict: passed}
		if c.Passed {
			green = append(green, line)
			continue
		}
		e := sso.Explain(c.Code)
		line.Verdict, line.Wanted, line.Advice, line.Who = failed, c.Wanted, unmarked(e.Advice), web.SayFixer(v.say, string(e.Fixer))
		out, told = append(out, line), true
	}
	if a.Refused != nil && !told {
		out = append(out, lineOfRefusal(v, a.Refused))
	}
	return append(out, green...)
}

// shownPeople is how many of those who arrive are listed.
const shownPeople = 8

// shownExchanges is how many requests are looked at for what the provider is doing.
const shownExchanges = 100

// checksOfDirectory looks at what a step waits for.
func (s *steps) checksOfDirectory(v *walk, f feed, i int) (checksView, error) {
	out := checksView{Address: f.step(i) + "/checks", Page: f.step(i)}
	came, err := s.came(v, f)
	if err != nil {
		return out, err
	}
	for _, c := range checksOf(f.guide.Steps[i]) {
		one, err := s.checkOfDirectory(v, f, c, came)
		if err != nil {
			return out, err
		}
		out.Checks = append(out.Checks, one)
	}
	if f.directory.State == directory.Linked {
		if stages, ok := s.stages(v, f, came); ok {
			out.Checks = append(out.Checks, stages)
		}
	}
	out.Wait = len(out.Checks) > 0 && !f.directory.Live()
	out.Next = s.afterDirectory(v, f, i)
	return out, nil
}

func (s *steps) checkOfDirectory(v *walk, f feed, c idp.Check, came []request) (checkView, error) {
	out := checkView{Title: v.say.T("setup.check_" + string(c)), Verdict: verdictOf(f.evident(c))}
	switch c {
	case idp.CheckFirstRequest:
		checkRequest(v, f, came, &out)
		return out, nil
	case idp.CheckFirstUser:
		return s.checkPeople(v, f, out)
	case idp.CheckFirstGroup:
		return s.checkGroups(v, f, out)
	case idp.CheckMetadata, idp.CheckCertificate, idp.CheckDiscovery, idp.CheckClient, idp.CheckTestSignIn: // of connections
	}
	return out, nil
}

// request is a recorded request in an IT admin's words.
type request struct {
	from    string // the provider that its traffic shows; "" where it shows none
	at      time.Time
	write   bool
	refused bool
	summary string
	advice  string
	who     string
}

// came are the newest requests to a directory.
func (s *steps) came(v *walk, f feed) ([]request, error) {
	found, err := s.o.Directories.Exchanges(v.ctx, f.directory.ID, "", shownExchanges)
	if err != nil {
		return nil, err
	}
	out := make([]request, len(found))
	for i, x := range found {
		out[i] = s.request(v, x)
	}
	return out, nil
}

func (s *steps) request(v *walk, x directory.Exchange) request {
	var effect struct {
		Summary string `json:"summary"`
		Refusal *struct {
			Reason string `json:"reason"`
			FixBy  string `json:"fix_by"`
			Advice string `json:"advice"`
		} `json:"refusal"`
	}
	if err := json.Unmarshal(x.Effect, &effect); err != nil { // kept as it is; the request itself can still be told
		effect.Summary = x.Method + " " + x.Path
	}
	const ok = 400
	out := request{at: x.At, write: x.Method != "GET" && x.Method != "HEAD", refused: x.Refused || x.Status >= ok, summary: effect.Summary}
	if r := effect.Refusal; r != nil {
		out.summary, out.advice, out.who = r.Reason, r.Advice, web.SayFixer(v.say, r.FixBy)
	}
	_, query, _ := strings.Cut(x.Path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		values = nil
	}
	if slug, known := s.o.Catalog.Recognise(x.UserAgent, values, nil); known {
		provider, _ := s.o.Catalog.Provider(slug)
		out.from = provider.Name
	}
	return out
}

func checkRequest(v *walk, f feed, came []request, out *checkView) {
	out.Text = v.say.T("setup.waiting_request", "provider", f.provider.Name)
	for i, r := range came {
		if i == 0 {
			out.At, out.AtText = r.at, v.say.T("setup.request_received", "provider", orName(r.from, v.say.T("setup.some_program")))
			if out.Verdict != passed && r.refused {
				out.Verdict = failed
			}
			if out.Verdict == passed {
				out.Text = ""
			}
		}
		if i < shownPeople {
			out.Lines = append(out.Lines, lineOfRequest(r))
		}
	}
}

func orName(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

func lineOfRequest(r request) lineView {
	out := lineView{Verdict: passed, Title: r.summary, At: r.at}
	if r.refused {
		out.Verdict, out.Advice, out.Who = failed, r.advice, r.who
	}
	return out
}

func (s *steps) checkPeople(v *walk, f feed, out checkView) (checkView, error) {
	if out.Verdict != passed {
		out.Text = v.say.T("setup.waiting_user", "provider", f.provider.Name)
		return out, nil
	}
	var err error
	out.People, err = s.newest(v, f.directory, shownPeople)
	n := int(f.counts.Active + f.counts.Inactive)
	out.Text = v.say.N("setup.people", n)
	if err == nil {
		err = s.checkMissing(v, f, &out)
	}
	if more := n - len(out.People); more > 0 && len(out.People) > 0 {
		out.More = v.say.N("setup.more", more)
	}
	return out, err
}

// checkMissing names those who signed in and did not arrive, with what makes the provider send them.
func (s *steps) checkMissing(v *walk, f feed, out *checkView) error {
	missing, _, err := s.o.Healths.NotArrived(v.ctx, f.directory.OrganizationID, shownPeople)
	for _, n := range missing {
		out.Lines = append(out.Lines, lineView{Verdict: waiting, Title: v.say.T("setup.not_arrived", "name", n.Name()), Advice: f.provider.SendAgain, At: n.At})
	}
	return err
}

func (s *steps) checkGroups(v *walk, f feed, out checkView) (checkView, error) {
	if out.Verdict != passed {
		out.Text = v.say.T("setup.waiting_group", "provider", f.provider.Name)
		return out, nil
	}
	found, _, _, err := s.o.Directories.APIGroups(v.ctx, directory.APIQuery{Directory: f.directory.ID, Limit: shownPeople})
	if err != nil {
		return out, err
	}
	for _, g := range found {
		out.Groups = append(out.Groups, g.Name)
	}
	n := int(f.counts.Groups)
	out.Text = v.say.N("setup.groups", n)
	if more := n - len(out.Groups); more > 0 && len(out.Groups) > 0 {
		out.More = v.say.N("setup.more", more)
	}
	return out, nil
}

// stages tells how far a provider is that sends in rounds: connection tested, started, first person, next round. All of it is read from
// the requests that came; those who send at once have no rounds to wait for.
func (s *steps) stages(v *walk, f feed, came []request) (checkView, bool) {
	if f.provider.RoundMinutes == 0 || len(came) == 0 {
		return checkView{}, false
	}
	out := checkView{Title: v.say.T("setup.stages", "provider", f.provider.Name), Verdict: waiting}
	at := make([]time.Time, len(came))
	for i, r := range came {
		at[i] = r.at
	}
	people, rounds := f.evident(idp.CheckFirstUser), directory.RoundsOf(at, time.Duration(f.provider.RoundMinutes)*time.Minute)
	stage := func(key string, there bool) {
		out.Lines = append(out.Lines, lineView{Verdict: verdictOf(there), Title: v.say.T("setup.stage_"+key, "provider", f.provider.Name)})
	}
	stage("tested", true)
	stage("started", people || rounds.Seen > 1 || wrote(came))
	stage("person", people)
	stage("round", people && rounds.Seen > 1)
	if people && rounds.Seen > 1 {
		out.Verdict = passed
	}
	minutes, next := v.say.Number(int(rounds.Gap.Minutes())), rounds.Next()
	switch {
	case !next.After(s.o.Now()):
		out.Text = v.say.T("setup.round_late", "minutes", minutes)
	case rounds.Measured:
		out.Text = v.say.T("setup.round_seen", "minutes", minutes, "at", next.UTC().Format("15:04"))
	default:
		out.Text = v.say.T("setup.round_next", "minutes", minutes, "at", next.UTC().Format("15:04"))
	}
	return out, true
}

func wrote(came []request) bool {
	for _, r := range came {
		if r.write && !r.refused {
			return true
		}
	}
	return false
}
