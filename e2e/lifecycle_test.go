package e2e_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rows are what the product promises about members, by the numbers of its table, each with the stories that show it through public doors alone:
// the provider's SCIM requests, a browser, the REST API, mails, webhooks and logouts. Numbers that are missing here are no promises about members.
//
// What a row shows on pages is the business of the pages' own tests; here is what they are made from.
func rows() map[int][]string {
	return map[int][]string{
		4:  {"TestRow_04_everyone_has_to_use_the_identity_provider_once_it_is_set_up_and_settings_say_otherwise"},
		10: {"TestRow_10_who_is_unknown_becomes_an_invited_primary_member_and_who_has_an_account_a_guest"},
		11: {"TestRow_11_adding_a_person_sends_the_invitation_and_the_state_is_invited_until_the_first_sign_in"},
		12: {"TestRow_12_signing_in_creates_those_whom_the_directory_knows_and_a_setting_says_who_else"},
		13: {"TestRow_13_an_invitation_carries_role_teams_and_licence_and_leads_to_single_sign_on"},
		14: {"TestRow_14_access_removed_ends_a_primary_members_account_and_a_guests_membership_only"},
		15: {"TestRow_15_access_restored_gives_the_same_account_role_and_teams_back_without_an_invitation"},
		16: {
			"TestRow_16_deactivation_leaves_no_gap_and_a_kill_after_the_answer_changes_nothing",
			"TestBrowser_of_somebody_who_leaves_is_signed_out_by_itself",
		},
		17: {"TestRow_17_attribute_changes_flow_through_a_mapping_that_is_previewed_and_edited"},
		18: {"TestRow_18_groups_come_one_to_one_and_each_switch_lets_them_drive_one_thing"},
		19: {"TestRow_19_teams_can_follow_groups_and_are_then_nobody_elses_to_edit"},
		20: {"TestRow_20_invited_people_are_in_their_groups_and_teams_and_marked_pending"},
		21: {"TestRow_21_active_false_and_true_disable_and_enable_and_who_arrives_inactive_gets_no_invitation_or_seat"},
		22: {"TestRow_22_stale_ids_lead_to_the_living_person_of_the_directory_that_is_called"},
		23: {
			"TestRow_23_every_change_is_an_event_and_the_same_webhook_and_people_and_groups_can_be_read",
			"TestKill_in_the_middle_of_deliveries_loses_none",
		},
		24: {"TestRow_24_removals_that_Okta_never_sends_are_derived_when_somebody_leaves_and_undone_when_they_return"},
		25: {"TestRow_25_suspended_in_Okta_stays_active_and_deactivated_or_deleted_does_not"},
		26: {"TestRow_26_people_and_groups_that_are_synced_can_be_seen_with_what_the_provider_sent"},
		27: {"TestRow_27_directory_sync_waits_until_single_sign_on_is_set_up_and_tested"},
		28: {"TestRow_28_the_portal_leads_from_sign_on_to_its_test_to_directory_sync_to_its_start"},
		29: {"TestRow_29_deleting_the_identity_provider_names_who_would_be_left_out_and_removes_both_halves"},
		30: {"TestRow_30_what_the_identity_provider_manages_is_read_only_elsewhere_and_the_refusal_names_it"},
		31: {"TestRow_31_the_audit_trail_leads_from_the_providers_request_to_the_apps_acknowledgement"},
	}
}

var rowTest = regexp.MustCompile(`^TestRow_(\d\d)_`)

func TestEvery_row_about_members_has_its_story(t *testing.T) {
	there := testsHere(t)
	listed := map[string]bool{}
	for row, stories := range rows() {
		own := false
		for _, name := range stories {
			listed[name] = true
			if !there[name] {
				t.Errorf("row %d: there is no %s", row, name)
			}
			if found := rowTest.FindStringSubmatch(name); found != nil {
				number, err := strconv.Atoi(found[1])
				own = err == nil && number == row
			}
		}
		if !own {
			t.Errorf("row %d has no story of its own", row)
		}
	}
	for name := range there {
		if rowTest.MatchString(name) && !listed[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
	want := []int{4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}
	if got := slices.Sorted(maps.Keys(rows())); !slices.Equal(got, want) {
		t.Errorf("the table has rows %v, want %v", got, want)
	}
}

// testsHere are the names of the tests of this package.
func testsHere(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	must(t, err)
	out := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		must(t, err)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				out[f.Name.Name] = true
			}
		}
	}
	return out
}
