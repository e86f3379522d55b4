package dashboard_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/web/words"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

func keys[T ~string](prefix string, values ...T) (out []string) {
	for _, v := range values {
		out = append(out, prefix+string(v))
	}
	return out
}

// stages are the kinds of alerts, and the stages of those that have some.
func stages() (out []string) {
	for _, k := range alert.Kinds() {
		out = append(out, string(k))
	}
	return append(out, string(alert.WebhookFailing)+"_2", string(alert.CertificateEnding)+"_2", string(alert.SecretEnding)+"_2", string(alert.SecretEnding)+"_3", string(alert.LicenceFull)+"_2")
}

// A value without a word would be shown as the name of the word.
func TestEvery_value_of_an_enumeration_has_its_words(t *testing.T) {
	all, err := words.Load()
	if err != nil {
		t.Fatal(err)
	}
	w := all.Source()
	for _, asked := range [][]string{
		keys("people.why_", member.Whys()...), keys("directories.why_", member.Whys()...), keys("directories.outcome_", member.Outcomes()...),
		keys("switches.state_", switching.Preparing, switching.CutOver, switching.Reverted, switching.Cancelled, switching.Finished),
		keys("switches.text_", switching.Preparing, switching.CutOver, switching.Reverted, switching.Cancelled, switching.Finished),
		keys("switches.match_", switching.Matched, switching.Unmatched, switching.Ambiguous, switching.OnlyNew),
		keys("switches.by_", switching.ByHand, switching.ByExternalID, switching.ByUserName, switching.ByName, switching.ByEmail, switching.ByDirectory),
		keys("brake.state_", directory.HoldWaits, directory.HoldReleased, directory.HoldUndone), keys("brake.says_", member.SaysInactive, member.SaysRemoved),
		keys("brake.reason_", directory.EndedByHand, directory.EndedByTime, directory.EndedBySwitch, directory.EndedByDirectory),
		keys("brake.person_", directory.HeldWaits, directory.HeldKept, directory.HeldApplied, directory.HeldReturned),
		keys("people.role_by_", member.ByHand, member.ByInvitation, member.ByMapping, member.ByConnection, member.ByBeingLast),
		keys("people.put_by_", access.ByHand, access.ByInvitation, access.ByMapping, access.ByConnection),
		keys("hooks.state_", webhook.States()...), keys("organizations.sso_", org.AllSSOPolicies()...), keys("organizations.feature_", org.AllFeatures()...), keys("alerts.", stages()...), keys("alerts.mend_", stages()...),
		keys("dashboard.role_", operator.Roles()...),
	} {
		for _, key := range asked {
			if !w.Has(key) {
				t.Errorf("no words for %s", key)
			}
		}
	}
}
