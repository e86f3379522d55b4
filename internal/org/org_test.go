package org_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// awkward holds what writers of JSON like to escape and JSON.stringify leaves alone, and what both escape.
const (
	awkward   = "R&D <EU> \u2028\u2029 \x7f \"é\" \\ \t\x01"
	stringify = `"R&D <EU> ` + "\u2028\u2029 \x7f" + ` \"é\" \\ \t\u0001"`
)

func TestPayloads_are_what_JSON_stringify_writes(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	o := org.Organization{
		ID: "org_1", Name: awkward, Metadata: map[string]string{"b": awkward, "a": "\xff"}, CreatedAt: at, UpdatedAt: at,
		Domains: []org.Domain{{
			ID: "org_domain_1", OrganizationID: "org_1", Domain: "example.com", State: org.Verified, Strategy: org.Manual,
			VerificationToken: "t", CreatedAt: at, UpdatedAt: at,
		}},
	}
	const times = `"created_at":"2026-03-01T12:00:00.123Z","updated_at":"2026-03-01T12:00:00.123Z"}`
	domain := `{"object":"organization_domain","id":"org_domain_1","organization_id":"org_1","domain":"example.com","state":"verified",` +
		`"verification_prefix":"rollcall-domain-verification","verification_token":"t","verification_strategy":"manual",` + times
	want := `{"object":"organization","id":"org_1","name":` + stringify + `,"allow_profiles_outside_organization":false,"domains":[` + domain +
		`],"metadata":{"a":"` + "\uFFFD" + `","b":` + stringify + `},"external_id":null,` + times
	if got := string(o.Payload()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(o.Domains[0].Payload()); got != domain {
		t.Errorf("got  %s\nwant %s", got, domain)
	}
	bare := string(org.Organization{ID: "org_2", Name: "Acme", CreatedAt: at, UpdatedAt: at}.Payload())
	if want := `{"object":"organization","id":"org_2","name":"Acme","allow_profiles_outside_organization":false,"domains":[],"metadata":{},"external_id":null,` + times; bare != want {
		t.Errorf("got  %s\nwant %s", bare, want)
	}
}

func TestAwkward_names_come_back_as_they_were_given_and_their_events_show_them(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d, ids := open(), token.NewSource(time.Now)
		events := event.NewLog(d, ids)
		s := org.NewService(d, events, ids, time.Now)
		made, err := s.Create(t.Context(), event.Actor{ID: "test", Source: event.API}, org.New{Name: awkward, Metadata: map[string]string{"k": awkward}})
		if err != nil {
			t.Fatal(err)
		}
		read, err := s.Get(t.Context(), made.ID)
		if err != nil || read.Name != awkward || read.Metadata["k"] != awkward {
			t.Errorf("%+v %v", read, err)
		}
		told, err := events.List(t.Context(), event.Query{Limit: 10})
		if err != nil || len(told) != 1 || !bytes.Equal(told[0].Data, made.Payload()) {
			t.Errorf("%+v %v", told, err)
		}
	})
}
