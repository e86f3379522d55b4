package alert

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/event"
)

// Prefix begins the ids of alerts.
const Prefix = "alert"

// Kind is what is wrong.
type Kind string

// The kinds.
const (
	WrongToken        Kind = "wrong_token"
	RefusedRequests   Kind = "refused_requests"
	MissedCycles      Kind = "missed_cycles"
	WebhookFailing    Kind = "webhook_failing"
	CertificateEnding Kind = "certificate_ending"
	SecretEnding      Kind = "client_secret_ending"
	LicenceFull       Kind = "licence_full"
)

// Kinds lists them.
func Kinds() []Kind {
	return []Kind{WrongToken, RefusedRequests, MissedCycles, WebhookFailing, CertificateEnding, SecretEnding, LicenceFull}
}

// How bad it is. Ended is the last stage of what comes to its end, and of an endpoint that was switched off.
const (
	Wrong = 1
	Worse = 2
	Worst = 3
)

// When something is wrong.
const (
	triedTimes    = 3                   // requests with a wrong token since the last good one
	refusedTimes  = 3                   // requests that are the same
	refusedWithin = 24 * time.Hour      // in which they are counted
	stillTimes    = 2                   // requests that are the same, for it to go on
	mendedAfter   = 3 * 24 * time.Hour  // in which those are counted
	knownWithin   = 30 * 24 * time.Hour // in which the provider must have come with a good token, for a wrong one to count
	forgotten     = 7 * 24 * time.Hour  // nothing was heard any more of a wrong token or a refusal: nobody knows whether it was mended
	EndingWithin  = 30 * 24 * time.Hour // a certificate or a secret
	endingSoon    = 7 * 24 * time.Hour
)

// When somebody is told.
const (
	againAfter  = 24 * time.Hour // a mail that the same is wrong again
	seenEvery   = 10 * time.Minute
	keptClosed  = 90 * 24 * time.Hour
	pulsesAPage = 500
	endingMost  = 1000
)

// patience is how long a kind is open before anybody is told, so that nobody is of what passes: a token that is being exchanged, a server that
// starts again.
func (k Kind) patience() time.Duration {
	switch k {
	case WrongToken, RefusedRequests, LicenceFull:
		return 10 * time.Minute
	case MissedCycles:
		return 90 * time.Minute // after an outage of ours the provider needs a round or two to come back
	case WebhookFailing:
		return time.Hour
	case CertificateEnding, SecretEnding:
	}
	return 0
}

// untold: others tell of it, from the events of its own (package itadmin): certificates at their 30th, 14th, 7th and last day.
func (k Kind) untold() bool { return k == CertificateEnding }

// Alert is one thing that is wrong.
type Alert struct {
	ID             string
	OrganizationID string // "" for a webhook endpoint
	Kind           Kind
	Subject        string // id of the directory, connection, webhook endpoint or licence type
	Name           string // what it is called
	Stage          int
	Facts          Facts
	Since          time.Time // when the trouble began; of what ends, when it ends
	OpenedAt       time.Time
	SeenAt         time.Time // when it was last there, to within ten minutes
	ToldAt         time.Time // when it was last mailed that it is wrong; zero: never
	ClosedAt       time.Time // zero while it is open

	toldStage int
}

// Bad says that something does not work any more, and not only that it will not.
func (a Alert) Bad() bool {
	switch a.Kind {
	case WrongToken:
		return true
	case WebhookFailing, CertificateEnding, LicenceFull:
		return a.Stage > Wrong
	case SecretEnding:
		return a.Stage > Worse
	case RefusedRequests, MissedCycles:
	}
	return false
}

// Told says whether it was mailed since it was opened.
func (a Alert) Told() bool { return a.toldStage > 0 }

// Facts are the particulars of an alert.
type Facts struct {
	Count    int    `json:"count,omitempty"`    // requests, or people who wait for a seat
	Method   string `json:"method,omitempty"`   // of the most frequent one
	Path     string `json:"path,omitempty"`     // of it: the first part
	Status   int    `json:"status,omitempty"`   // of its answer
	Exchange string `json:"exchange,omitempty"` // the last of them
	Others   int    `json:"others,omitempty"`   // further ones of other sorts that are refused again and again
	Minutes  int    `json:"minutes,omitempty"`  // between two rounds of the provider
	Gone     bool   `json:"gone,omitempty"`     // the endpoint answered that it is gone for good
	Licence  string `json:"licence,omitempty"`  // slug of the licence type
	Seats    int64  `json:"seats,omitempty"`    // that it has
}

func (f Facts) text() []byte {
	out, err := json.Marshal(f, json.Deterministic(true))
	if err != nil { // numbers and strings of our own making
		panic(err)
	}
	return out
}

// Actions of the audit. What nobody was told of is not in it.
const (
	Opened event.Action = "alert.opened"
	Healed event.Action = "alert.healed"
	Closed event.Action = "alert.closed" // its subject is gone, or nothing more was heard
)

// state is what a look finds.
type state int

const (
	unsure state = iota // an alert that is open stays, and none is opened
	ill
	well
	lost // nothing more is heard of it
)

// sign is what a look says of one subject.
type sign struct {
	state        state
	organization string
	subject      string
	name         string
	stage        int
	facts        Facts
	since        time.Time
}
