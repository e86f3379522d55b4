package scimapi_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

// The catalogue's stories say what each identity provider sends and what it must be answered; here they are told to the real edge.
func TestEvery_identity_provider_is_answered_as_its_traffic_wants(t *testing.T) {
	catalog, err := idp.LoadWithTraffic()
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		for _, provider := range catalog.Providers() {
			for _, story := range provider.Stories {
				played++
				name := strings.TrimSuffix(story.Name, ".traffic")
				t.Run(name, func(t *testing.T) { play(t, h, provider, story) })
			}
		}
	})
	if played == 0 {
		t.Fatal("the catalogue has no stories")
	}
}

// play runs a story in a directory of its own.
func play(t *testing.T, h *scimapitest.House, provider idp.Provider, story idp.Story) {
	t.Helper()
	here := *h
	here.T = t
	f := here.Feed(directory.New{Type: directory.Type(story.Type), Provider: string(provider.Slug), Strict: story.Strict})
	events := func() ([]idp.Event, error) {
		var out []idp.Event
		for _, e := range f.Events() {
			out = append(out, idp.Event{Type: string(e.Type), Data: e.Data, Context: e.Context})
		}
		return out, nil
	}
	for _, failure := range story.Run(t.Context(), idp.Replay{Base: f.Base, Token: f.Token.Reveal(), Do: h.Client.Do, Events: events}) {
		t.Error(failure)
	}
}
