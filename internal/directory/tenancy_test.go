package directory_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// What no statement may lack: every table of people, groups, tokens or exchanges it reads or changes is bound to a directory or an
// organization. Ids are unique over all tenants, so most of these conditions are a second lock on a door that is locked already;
// this test is what notices when one is taken off.
func TestEvery_statement_names_the_tenant_it_may_touch(t *testing.T) {
	because := map[string]string{
		"selectByToken":      "the token's hash decides which directory it is",
		"selectAnyUser":      "the API's management key may see every organization",
		"selectAnyGroup":     "the API's management key may see every organization",
		"selectParkedUsers":  "the sweep settles all directories, joining within each",
		"takePending":        "the tally is folded for all directories, each by itself",
		"selectFormerUser":   "bound to the organization through the removed directory",
		"selectFormerGroup":  "bound to the organization through the removed directory",
		"selectDirectoryIDs": "house-keeping visits every directory",
		"selectPulses":       "the alerts look at every directory that is linked; each inner statement is bound to the directory of its row",
		"countKinds":         "bound to the ids of one page of directories",
		"countInactive":      "bound to the ids of one page of directories",
	}
	tables := regexp.MustCompile(`(?:FROM|JOIN|UPDATE)\s+(?:directory_\w+|exchanges)\b`)
	bound := regexp.MustCompile(`\b(?:directory_id|organization_id) = (?:\$1|\w+\.directory_id)`)
	checked := 0
	look := func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		name := spec.Names[0].Name
		var text strings.Builder
		ast.Inspect(spec, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok {
				text.WriteString(literal.Value)
			}
			return true
		})
		refs, conditions := len(tables.FindAllString(text.String(), -1)), len(bound.FindAllString(text.String(), -1))
		if refs > 0 && because[name] == "" {
			checked++
			if conditions < refs {
				t.Errorf("%s touches %d tables and is bound in %d places only", name, refs, conditions)
			}
		}
		return true
	}
	for _, name := range []string{"sql.go", "sql_health.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	if checked < 40 {
		t.Errorf("only %d statements were checked: does this test still read sql.go rightly?", checked)
	}
}

// two are two organizations on one database, each with its directory.
func two(h *house) (a, b *house) { return h, newHouse(h.t, h.db, directory.New{}) }

func TestParked_values_wait_for_people_of_their_own_directory_only(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		g := a.group("Staff", "ada")
		b.news()
		b.person("ada") // must neither join nor be held up
		b.wantNews("user.created")
		if found, _ := a.s.GetGroup(ctx, a.a, string(g.ID), true); found.Members[0].Kind != directory.MemberParked {
			a.t.Error("somebody of another organization became a member")
		}
		later := a.group("Later")
		a.members(later, scim.MembersAdd, "ada") // b's ada is nobody here
		if found, _ := a.s.GetGroup(ctx, a.a, string(later.ID), true); found.Members[0].Kind != directory.MemberParked {
			a.t.Error("somebody of another organization became a member")
		}
	})
}

func TestLarge_pushes_resolve_ids_of_their_own_directory_only(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		stranger, strangers := b.person("eve"), b.group("Strangers")
		values := []string{string(stranger.ID), string(strangers.ID), string(a.person("ada").ID)}
		for i := range 600 {
			values = append(values, fmt.Sprintf("nobody-%d", i))
		}
		g := a.group("Staff", values...)
		found, err := a.s.GetGroup(ctx, a.a, string(g.ID), true)
		a.ok(err)
		kinds := map[directory.MemberKind]int{}
		for _, m := range found.Members {
			kinds[m.Kind]++
		}
		if kinds[directory.MemberUser] != 1 || kinds[directory.MemberGroup] != 0 || kinds[directory.MemberParked] != 602 {
			a.t.Errorf("%v", kinds)
		}
	})
}

func TestOld_ids_heal_within_their_organization_only(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		old := a.person("ada")
		a.ok(a.s.DeleteUser(ctx, a.a, string(old.ID), directory.Condition{}, record))
		b.person("ada")
		_, err := b.s.GetUser(ctx, b.a, string(old.ID), false)
		b.wantFault(err, fault.NotFound, "")
	})
}

func TestTokens_and_exchanges_are_those_of_one_directory(t *testing.T) {
	each(t, func(h *house) {
		a, b := two(h)
		a.person("ada")
		exchanges, err := b.s.Exchanges(ctx, b.dir.ID, "", 100)
		b.ok(err)
		if len(exchanges) != 0 {
			b.t.Errorf("%d exchanges of another directory", len(exchanges))
		}
		mine, err := a.s.Tokens(ctx, a.dir.ID)
		a.ok(err)
		theirs, err := b.s.Tokens(ctx, b.dir.ID)
		b.ok(err)
		if len(mine) != 1 || len(theirs) != 1 {
			a.t.Fatalf("%d and %d tokens", len(mine), len(theirs))
		}
		a.wantFault(a.s.RevokeToken(ctx, actor(), a.dir.ID, theirs[0].ID), fault.NotFound, "entity_not_found")
		b.open(b.token)
	})
}
