package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"
)

// Version is the release of this package.
const Version = "0.1.0-dev"

const (
	defaultTimeout   = 30 * time.Second
	defaultRetries   = 4
	defaultMaxAnswer = 64 << 20
)

// Client is safe for use by many goroutines.
type Client struct {
	base      *url.URL
	key       string
	http      *http.Client
	agent     string
	timeout   time.Duration
	retries   int
	maxAnswer int64
}

// Option changes how a client behaves.
type Option func(*Client)

// WithHTTPClient chooses the transport, for proxies, certificates or tests. Its Timeout is not used: see WithTimeout.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) {
		own := *h
		c.http = &own
	}
}

// WithUserAgent puts the app's name before this package's in the User-Agent.
func WithUserAgent(name string) Option {
	return func(c *Client) { c.agent = name + " " + c.agent }
}

// WithTimeout bounds each attempt of a call, and each silence within a stream. The default is 30 seconds.
func WithTimeout(d time.Duration) Option {
	return func(c *Client) { c.timeout = d }
}

// WithRetries says how often a call is tried again after a lost connection or an answer 429, 502, 503 or 504; the default is 4, 0
// turns it off. A POST carries an Idempotency-Key made once per call, so that a repetition does nothing twice.
func WithRetries(n int) Option {
	return func(c *Client) { c.retries = n }
}

// WithMaxAnswer bounds the bytes of one answer, 64 MiB by default, and of one line of a stream.
func WithMaxAnswer(n int64) Option {
	return func(c *Client) { c.maxAnswer = n }
}

// New makes a client of the server at baseURL, such as https://sync.example.com. apiKey is the management key.
func New(baseURL, apiKey string, options ...Option) (*Client, error) {
	base, err := readBase(baseURL)
	if err != nil {
		return nil, err
	}
	if apiKey == "" || strings.ContainsFunc(apiKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the API key is empty or holds characters that no key has")
	}
	c := &Client{
		base: base, key: apiKey, http: &http.Client{}, timeout: defaultTimeout, retries: defaultRetries, maxAnswer: defaultMaxAnswer,
		agent: "rollcall-go/" + Version + " (" + runtime.Version() + "; " + runtime.GOOS + ")",
	}
	for _, o := range options {
		o(c)
	}
	c.http.Timeout = 0 // it would cut off streams
	// A redirect would carry the key somewhere else, or turn a POST into a GET.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

func readBase(text string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSuffix(text, "/"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the server's address cannot be read: %w", err)
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, fmt.Errorf("the server's address is %q; write it like https://sync.example.com", base.Redacted())
	case base.RawQuery != "" || base.Fragment != "" || base.User != nil:
		return nil, fmt.Errorf("the server's address is %q; it has no query, fragment or user", base.Redacted())
	}
	return base, nil
}

// BaseURL is the server's address.
func (c *Client) BaseURL() string { return c.base.String() }
