//go:build interop

package interop_test

import (
	"crypto/rsa"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	saml2 "github.com/russellhaering/gosaml2"
	"github.com/russellhaering/gosaml2/types"
)

// captured describes one response a peer sent, with all that is needed to check it again later.
type captured struct {
	Peer         string              `json:"peer"`
	Version      string              `json:"version"`
	Layout       string              `json:"layout"`
	Response     string              `json:"response"` // file names from here on
	Metadata     string              `json:"metadata"`
	Key          string              `json:"key,omitempty"` // opens the encrypted assertion
	Clock        time.Time           `json:"clock"`
	Issuer       string              `json:"issuer"`
	Audience     string              `json:"audience"`
	Recipient    string              `json:"recipient"`
	Certificates []string            `json:"certificates"` // base64 of DER
	NameID       string              `json:"name_id"`
	SessionIndex string              `json:"session_index,omitempty"`
	Attributes   map[string][]string `json:"attributes"`
}

// capture keeps a response that gosaml2 accepted, when a folder is named for it.
func capture(t *testing.T, p samlProvider, app samlApp, key *rsa.PrivateKey, metadata []byte, response string, info *saml2.AssertionInfo) {
	t.Helper()
	dir := os.Getenv("ROLLCALL_INTEROP_CAPTURE")
	if dir == "" {
		return
	}
	base := p.Name + "-" + app.Name
	c := captured{
		Peer: p.Name, Version: p.Version, Layout: app.Name, Response: base + ".xml", Metadata: p.Name + "-metadata.xml",
		Clock: time.Now().UTC().Truncate(time.Second), Audience: app.EntityID, Recipient: app.ACS,
		NameID: info.NameID, SessionIndex: info.SessionIndex, Attributes: map[string][]string{},
	}
	var idp types.EntityDescriptor
	must(t, xml.Unmarshal(metadata, &idp))
	c.Issuer = idp.EntityID
	for _, certificate := range certificatesOf(t, idp) {
		c.Certificates = append(c.Certificates, base64DER(certificate))
	}
	for name, attribute := range info.Values {
		for _, value := range attribute.Values {
			c.Attributes[name] = append(c.Attributes[name], value.Value)
		}
	}
	if app.Encrypt {
		c.Key = p.Name + "-" + app.Name + ".key"
		write(t, filepath.Join(dir, c.Key), privatePEM(t, key))
	}
	write(t, filepath.Join(dir, c.Response), response)
	write(t, filepath.Join(dir, c.Metadata), string(metadata))
	addToList(t, filepath.Join(dir, "peers.json"), c)
}

func addToList(t *testing.T, name string, c captured) {
	t.Helper()
	var list []captured
	text, err := os.ReadFile(name)
	if err == nil {
		must(t, json.Unmarshal(text, &list))
	} else if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(old captured) bool { return old.Response == c.Response })
	list = append(list, c)
	slices.SortFunc(list, func(a, b captured) int { return strings.Compare(a.Response, b.Response) })
	text, err = json.MarshalIndent(list, "", "  ")
	must(t, err)
	write(t, name, string(text)+"\n")
}
