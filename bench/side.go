package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

type engine string

const (
	sqlite      engine = "sqlite"
	postgresSQL engine = "postgres"
)

// side is one of the two servers that take turns: the floor or Rollcall.
type side struct {
	name     string
	floor    bool
	program  string
	args     []string // without the address
	env      []string
	database *postgres // nil with SQLite

	apiKey string
	addr   string
	proc   *process
	serial int // organizations made so far
}

// extras are settings of a side that some rows need.
type extras struct {
	commitDelay time.Duration
	flags       []string // of rollcall serve
}

// newSide prepares an empty store and the command line, and starts nothing.
func (l *lab) newSide(ctx context.Context, floor bool, eng engine, x extras) (*side, error) {
	s := &side{name: "ours", floor: floor || l.opt.standIn, program: l.rollcall}
	if floor {
		s.name = "floor"
	}
	if s.floor {
		s.program = l.floor
	}
	place, err := l.newStore(ctx, s.name, eng)
	if err != nil {
		return nil, err
	}
	if eng == postgresSQL {
		s.database = l.pg
	}
	if s.floor {
		s.args = []string{"-store", string(eng), "-db", place}
	} else {
		s.apiKey = rand.Text() + rand.Text()
		s.configureRollcall(eng, place, l.opt.rollcallFlags)
		s.args = append(s.args, x.flags...)
		s.keepNoAccounts()
	}
	if x.commitDelay > 0 {
		s.args = append(s.args, "-commit-delay", x.commitDelay.String())
		if !s.floor {
			s.args[len(s.args)-2] = "--commit-delay"
		}
	}
	return s, nil
}

// configureRollcall gives secrets by the environment, since everybody on the
// machine can read a command line.
func (s *side) configureRollcall(eng engine, place, moreFlags string) {
	s.args = []string{"serve", "--rate-limit", "0", "--api-rate-limit", "0", "--log-level", "error"}
	s.env = []string{"ROLLCALL_SECRET_KEY=" + newSealingKey(), "ROLLCALL_API_KEY=" + s.apiKey}
	if eng == postgresSQL {
		s.env = append(s.env, "ROLLCALL_DATABASE_URL="+place)
	} else {
		s.args = append(s.args, "--data-dir", place)
	}
	s.args = append(s.args, strings.Fields(moreFlags)...)
}

// keepNoAccounts leaves the accounts to the app, unless a row is about them. The rows measure what a SCIM request costs until it is
// answered, and the floor keeps no accounts: with them, invitations made after the answers would take the processor from later requests.
func (s *side) keepNoAccounts() {
	if !slices.ContainsFunc(s.args, func(a string) bool { return strings.HasPrefix(a, "--accounts") }) {
		s.args = append(s.args, "--accounts", "app")
	}
}

func newSealingKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(key[:])
}

func (l *lab) newStore(ctx context.Context, name string, eng engine) (string, error) {
	if eng == postgresSQL {
		return l.pg.newDatabase(ctx, name)
	}
	dir, err := os.MkdirTemp(l.temp, name+"-")
	if err != nil {
		return "", err
	}
	if name == "floor" || l.opt.standIn {
		return filepath.Join(dir, "floor.db"), nil
	}
	return dir, nil
}

// start runs the server and returns when it is ready. A restarted side keeps
// its address, so that addresses handed out before stay right.
func (s *side) start(ctx context.Context, ps *processes) error {
	if s.addr == "" {
		addr, err := freeAddr()
		if err != nil {
			return err
		}
		s.addr = addr
	}
	listen := "--listen"
	if s.floor {
		listen = "-listen"
	}
	proc, err := ps.start(s.name, syscall.SIGTERM, s.env, nil, s.program, append(s.args[:len(s.args):len(s.args)], listen, s.addr)...)
	if err != nil {
		return err
	}
	s.proc = proc
	return proc.waitReady(ctx, "http://"+s.addr+"/readyz")
}

func (s *side) pids() []int { return append([]int{s.proc.pid()}, s.database.pids()...) }

// newDirectory makes an organization with one directory. The floor has
// neither: there a directory is only a tag that keeps names apart.
func (s *side) newDirectory(ctx context.Context, l *lab, tag string) (*directory, error) {
	d := &directory{addr: s.addr, tag: tag}
	if s.floor {
		return d, nil
	}
	s.serial++
	var org struct {
		ID string `json:"id"`
	}
	if err := s.api(ctx, http.MethodPost, "/organizations", map[string]any{"name": fmt.Sprintf("Bench %s %d", tag, s.serial)}, &org); err != nil {
		return nil, err
	}
	body := map[string]any{"organization_id": org.ID, "name": "Directory " + tag, "type": "generic scim v2.0"}
	if err := json.Unmarshal([]byte(l.opt.directoryExtra), &body); err != nil {
		return nil, fmt.Errorf("-directory %q: %w", l.opt.directoryExtra, err)
	}
	var made struct {
		Endpoint string `json:"scim_endpoint"`
		Token    string `json:"bearer_token"`
	}
	if err := s.api(ctx, http.MethodPost, "/directories", body, &made); err != nil {
		return nil, err
	}
	base, err := pathOf(made.Endpoint)
	if err != nil || made.Token == "" {
		return nil, errors.Join(fmt.Errorf("POST /directories answered a token of %d characters", len(made.Token)), err)
	}
	d.base, d.token, d.organization = base, made.Token, org.ID
	return d, nil
}

// pathOf is where an endpoint's resources are on its server.
func pathOf(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Path == "" {
		return "", fmt.Errorf("a directory's scim_endpoint is %q (%w)", endpoint, err)
	}
	return strings.TrimSuffix(u.Path, "/"), nil
}

// api calls Rollcall's management API.
func (s *side) api(ctx context.Context, method, path string, body, into any) error {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.addr+path, content)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.apiKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := apiClient.Do(req)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, biggestAnswer))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d %.300s", method, path, resp.StatusCode, raw)
	}
	return json.Unmarshal(raw, into)
}

var apiClient = &http.Client{Timeout: 30 * time.Second}

// event is one entry of GET /events, as far as the benchmark reads it.
type event struct {
	ID   string `json:"id"`
	Data struct {
		ID    string `json:"id"`
		IDPID string `json:"idp_id"`
	} `json:"data"`
}

// createdEvents reads every dsync.user.created of an organization.
func (s *side) createdEvents(ctx context.Context, organization string) ([]event, error) {
	var all []event
	after := ""
	for {
		q := url.Values{"limit": {"100"}, "events": {"dsync.user.created"}, "organization_id": {organization}}
		if after != "" {
			q.Set("after", after)
		}
		var page struct {
			Data []event `json:"data"`
			Meta struct {
				After *string `json:"after"`
			} `json:"list_metadata"`
		}
		if err := s.api(ctx, http.MethodGet, "/events?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if len(page.Data) == 0 || page.Meta.After == nil || *page.Meta.After == "" {
			return all, nil
		}
		if *page.Meta.After == after {
			return nil, fmt.Errorf("GET /events gives the cursor %q twice", after)
		}
		after = *page.Meta.After
	}
}
