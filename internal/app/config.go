package app

import (
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// Settings are what a person may write: as a flag, as an environment variable (ROLLCALL_ and the flag's name in capitals with
// underscores), or as a line "name = value" of the file. This struct is the whole list; kong makes the flags and the
// help from it. The tags: preset is the default, list allows more than one value, secret keeps the value from being shown,
// env-only keeps it off the command line, where every user of the machine can read it, and out of the file.
type Settings struct {
	Config            Text `help:"File with more settings, one \"name = value\" a line. Flags win over variables, variables over the file." placeholder:"FILE"`
	Listen            Text `help:"Address to listen on." preset:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	PublicURL         Text `name:"public-url" help:"Address under which others reach Rollcall, like https://sync.example.com. Without it addresses are made from the request's Host." placeholder:"URL"`
	CustomDomain      Text `help:"Further public host that SCIM addresses are shown with: HOST for all organizations, or HOST=org_... for one. May be given several times." list:"" placeholder:"HOST[=ORGANIZATION]"`
	DataDir           Text `help:"Folder of the SQLite database and its sealing key." preset:"./rollcall-data" placeholder:"DIR"`
	DatabaseURL       Text `name:"database-url" help:"PostgreSQL instead of SQLite, like postgres://user:password@host/database." placeholder:"URL" hide:"password"`
	APIKey            Text `name:"api-key" help:"Management key accepted from the first start, 32 characters or more. Without it one is made and printed once. Better given as a variable: flags can be read by every user of the machine." placeholder:"KEY" hide:"all"`
	SecretKeyFile     Text `help:"File with the sealing key, base64 of 32 bytes. Give it twice to rotate: the first seals, both open." list:"" placeholder:"FILE"`
	SecretKey         Text `kong:"-" envonly:"" help:"The sealing key itself, base64 of 32 bytes." hide:"all"`
	TLSCert           Text `name:"tls-cert" help:"Certificate chain (PEM) to serve HTTPS with. Read again when it changes." placeholder:"FILE"`
	TLSKey            Text `name:"tls-key" help:"Private key (PEM) of --tls-cert." placeholder:"FILE"`
	TrustedProxies    Text `help:"Networks of reverse proxies whose forwarded headers are believed, like 10.0.0.0/8,::1." list:"" placeholder:"CIDR,..."`
	AllowTarget       Text `help:"Private networks that Rollcall may call out to, like 10.1.0.0/16. Without it only public addresses." list:"" placeholder:"CIDR,..."`
	Accounts          Text `help:"Who keeps the accounts: rollcall (memberships, invitations) or app (directories and profiles only)." preset:"rollcall" placeholder:"rollcall|app"`
	SecondVerifier    Text `help:"Verify SAML responses by a second, independent program too and refuse where the two disagree: on or off." preset:"on" placeholder:"on|off"`
	SessionIdle       Text `help:"How long a session of a person lasts without being used." preset:"12h" placeholder:"DURATION"`
	SessionLife       Text `help:"How long a session of a person lasts at most." preset:"7d" placeholder:"DURATION"`
	SMTPURL           Text `name:"smtp-url" help:"Mail server for sign-in codes and invitations, like smtp://user:password@mail.example.com:587 or smtps://... Without it no mail is sent." placeholder:"URL" hide:"password"`
	MailFrom          Text `help:"Sender of mails, like \"Acme <no-reply@acme.example>\"." placeholder:"ADDRESS"`
	OperatorEmail     Text `help:"Address of yours that is told by mail, as the IT contacts of an organization are, when its identity provider, a certificate or a token changes, and of everything that is wrong." placeholder:"ADDRESS"`
	MailTemplates     Text `help:"Folder with templates of your own for mails, like invitation.txt and invitation.html." placeholder:"DIR"`
	BrandName         Text `help:"Name of your product, shown on pages in place of Rollcall's." placeholder:"NAME"`
	BrandLogo         Text `help:"Logo on pages: an SVG, PNG, WebP or JPEG file of 512 KiB at most that can be seen on light and on dark ground." placeholder:"FILE"`
	BrandColor        Text `help:"Colour of buttons and links on pages, like #1d4ed8. Text on it and in it is darkened or lightened until it can be read." placeholder:"#RRGGBB"`
	LogFormat         Text `help:"Format of the log on stderr: text or json." preset:"text" placeholder:"text|json"`
	LogLevel          Text `help:"Least level that is logged: debug, info, warn or error." preset:"info" placeholder:"LEVEL"`
	RateLimit         Text `help:"SCIM requests a second allowed for each token; 0 for no limit." preset:"1000" placeholder:"N"`
	APIRateLimit      Text `name:"api-rate-limit" help:"REST API requests a second allowed for each management key, and for each address that sends none; 0 for no limit." preset:"200" placeholder:"N"`
	EventRetention    Text `help:"How long events are kept, like 365d; 0 for ever." preset:"0" placeholder:"DURATION"`
	ExchangeRetention Text `help:"How long recorded SCIM requests are kept; 0 for ever." preset:"30d" placeholder:"DURATION"`
	ExchangeMaxBytes  Text `help:"How much room the recorded SCIM requests of one directory may take, like 500MB or 2GiB; 0 for no bound." preset:"1GiB" placeholder:"SIZE"`
	DNSServer         Text `name:"dns-server" help:"DNS server that is asked for the proof of organization domains, like 192.0.2.53:53. Without it those of the system." placeholder:"HOST:PORT"`
	WebhookRetention  Text `help:"How long finished webhook deliveries and their attempts are kept; 0 for ever." preset:"30d" placeholder:"DURATION"`
	ShutdownTimeout   Text `help:"How long a stop waits for requests in flight." preset:"30s" placeholder:"DURATION"`
	CommitDelay       Text `help:"For benchmarks: pretend that every commit's fsync takes so much longer." preset:"0" hidden:"" placeholder:"DURATION"`
}

// Accounts says who keeps the accounts of this installation.
type Accounts string

// The closed list of Accounts.
const (
	AccountsRollcall Accounts = "rollcall"
	AccountsApp      Accounts = "app"
)

// Switch is a setting that is on or off.
type Switch string

// The closed list of Switch.
const (
	On  Switch = "on"
	Off Switch = "off"
)

// LogFormat is the form of a log line.
type LogFormat string

// The closed list of LogFormat.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Config is a configuration without faults. The comments say what the zero value means.
type Config struct {
	Listen            string         // host:port; port 0 picks a free one
	PublicURL         *url.URL       // scheme and host; nil: made from each request
	CustomDomains     []web.Domain   // one for all organizations at most, and one for each
	DataDir           string         // used with SQLite only
	DatabaseURL       string         // empty: SQLite
	APIKey            token.Secret   // empty: one is made at the first start
	SecretKeyFiles    []string       // the first seals, all open
	SecretKey         []byte         // 32 bytes, or nil
	TLSCert, TLSKey   string         // both or neither
	TrustedProxies    []netip.Prefix // empty: forwarded headers are ignored
	AllowTarget       []netip.Prefix // empty: public addresses only
	Accounts          Accounts
	SecondVerifier    Switch
	SessionIdle       time.Duration
	SessionLife       time.Duration
	Mail              *mail.SMTP // nil: no mail is sent
	OperatorEmail     string     // "": the operator is not written to
	MailTemplates     string     // folder; "": the built-in ones
	Brand             web.Brand  // the operator's name, logo and colour on pages
	MailToLog         bool       // of the demo: mails are printed in the log instead
	Simulate          bool       // of the demo: serve test identity providers, which let anybody in as anybody
	LogFormat         LogFormat
	LogLevel          slog.Level
	RateLimit         float64       // requests a second and SCIM token; 0: no limit
	APIRateLimit      float64       // requests a second and management key; 0: no limit
	EventRetention    time.Duration // 0: for ever
	ExchangeRetention time.Duration // 0: for ever
	ExchangeMaxBytes  int64         // 0: no bound
	DNSServer         string        // host:port; empty: those of the system
	WebhookRetention  time.Duration // 0: for ever
	ShutdownTimeout   time.Duration
	CommitDelay       time.Duration

	Shown []Effective // the same, fit to be shown, with where each came from
}

// Load makes a Config of what the command line gave, the environment and the file. On faults the error is a Faults with all
// of them. The settings are completed in place, so that Effective can show them.
func Load(s *Settings, environ []string) (Config, error) {
	l := &loader{}
	l.gather(s, environ)
	c := Config{
		Listen:            l.hostPort(s.Listen),
		PublicURL:         l.publicURL(s.PublicURL),
		CustomDomains:     l.domains(s.CustomDomain),
		DataDir:           l.text(s.DataDir),
		DatabaseURL:       l.databaseURL(s.DatabaseURL),
		APIKey:            l.apiKey(s.APIKey),
		SecretKeyFiles:    l.keyFiles(s.SecretKeyFile),
		SecretKey:         l.secretKey(s.SecretKey),
		TLSCert:           l.text(s.TLSCert),
		TLSKey:            l.text(s.TLSKey),
		TrustedProxies:    l.networks(s.TrustedProxies),
		AllowTarget:       l.networks(s.AllowTarget),
		Accounts:          oneOf(l, s.Accounts, AccountsRollcall, AccountsApp),
		SecondVerifier:    oneOf(l, s.SecondVerifier, On, Off),
		SessionIdle:       l.duration(s.SessionIdle),
		SessionLife:       l.duration(s.SessionLife),
		Mail:              l.mail(s.SMTPURL, s.MailFrom),
		OperatorEmail:     l.address(s.OperatorEmail),
		MailTemplates:     l.mailTemplates(s.MailTemplates),
		Brand:             l.brand(s.BrandName, s.BrandLogo, s.BrandColor),
		LogFormat:         oneOf(l, s.LogFormat, LogText, LogJSON),
		LogLevel:          l.level(s.LogLevel),
		RateLimit:         l.rate(s.RateLimit),
		APIRateLimit:      l.rate(s.APIRateLimit),
		EventRetention:    l.duration(s.EventRetention),
		ExchangeRetention: l.duration(s.ExchangeRetention),
		ExchangeMaxBytes:  l.size(s.ExchangeMaxBytes),
		DNSServer:         l.dnsServer(s.DNSServer),
		WebhookRetention:  l.duration(s.WebhookRetention),
		ShutdownTimeout:   l.duration(s.ShutdownTimeout),
		CommitDelay:       l.duration(s.CommitDelay),
	}
	l.together(s, c)
	if len(l.faults) > 0 {
		return Config{}, l.faults
	}
	c.Shown = s.Effective()
	return c, nil
}

// together looks at what single settings cannot tell.
func (l *loader) together(s *Settings, c Config) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		given, missing := s.TLSCert, "--tls-key (or ROLLCALL_TLS_KEY)"
		if c.TLSCert == "" {
			given, missing = s.TLSKey, "--tls-cert (or ROLLCALL_TLS_CERT)"
		}
		l.fault(given, "needs %s beside it", missing)
	}
	if len(s.SecretKey.values) > 0 && len(c.SecretKeyFiles) > 0 {
		l.fault(s.SecretKey, "is given beside %s; use one of them", s.SecretKeyFile.from)
	}
	if c.DatabaseURL != "" && len(s.SecretKey.values) == 0 && len(s.SecretKeyFile.values) == 0 {
		l.fault(s.DatabaseURL, "chooses PostgreSQL, which needs a sealing key: make one with \"openssl rand -base64 32\" and give it by --secret-key-file or ROLLCALL_SECRET_KEY")
	}
}
