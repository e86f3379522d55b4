package sdk_test

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// areas are what the script of each SDK plays, by the name that is its argument.
var areas = []string{"organizations", "domains", "directories", "events", "webhooks", "api_keys", "sign_in", "accounts", "applications", "errors", "limits"}

// everySDK drives these routes.
var everySDK = []string{
	"GET /organizations", "POST /organizations",
	"GET /organizations/{id}", "PUT /organizations/{id}", "DELETE /organizations/{id}",
	"GET /organizations/external_id/{external_id}",
	"POST /organization_domains", "GET /organization_domains/{id}", "DELETE /organization_domains/{id}",
	"POST /organization_domains/{id}/verify",
	"GET /directories", "GET /directories/{id}", "DELETE /directories/{id}",
	"GET /directory_users", "GET /directory_users/{id}",
	"GET /directory_groups", "GET /directory_groups/{id}",
	"GET /events",
	"GET /organizations/{organizationId}/api_keys", "POST /organizations/{organizationId}/api_keys",
	"POST /api_keys/validations", "DELETE /api_keys/{id}",
	"GET /sso/authorize", "POST /sso/token", "GET /sso/profile", "GET /sso/jwks/{clientId}",
	"GET /connections", "GET /connections/{id}", "DELETE /connections/{id}",
	"GET /user_management/authorize", "POST /user_management/authenticate", "GET /user_management/sessions/logout", "POST /user_management/sessions/revoke",
	"GET /user_management/users", "POST /user_management/users",
	"GET /user_management/users/{id}", "PUT /user_management/users/{id}", "DELETE /user_management/users/{id}",
	"GET /user_management/users/external_id/{external_id}", "GET /user_management/users/{id}/sessions", "GET /user_management/users/{id}/identities",
	"GET /user_management/organization_memberships", "POST /user_management/organization_memberships",
	"GET /user_management/organization_memberships/{id}", "PUT /user_management/organization_memberships/{id}", "DELETE /user_management/organization_memberships/{id}",
	"PUT /user_management/organization_memberships/{id}/deactivate", "PUT /user_management/organization_memberships/{id}/reactivate",
	"webhook",
}

// applicationRoutes are not in the oldest SDK.
var applicationRoutes = []string{
	"GET /connect/applications", "POST /connect/applications",
	"GET /connect/applications/{id}", "PUT /connect/applications/{id}", "DELETE /connect/applications/{id}",
	"GET /connect/applications/{id}/client_secrets", "POST /connect/applications/{id}/client_secrets", "DELETE /connect/client_secrets/{id}",
}

// addressRoutes are in the SDK for Python alone; the others register redirect URIs by hand.
var addressRoutes = []string{
	"GET /user_management/redirect_uris", "POST /user_management/redirect_uris", "DELETE /user_management/redirect_uris/{id}",
	"POST /sso/logout/authorize", "GET /sso/logout",
}

var webhookRoutes = []string{"GET /webhook_endpoints", "POST /webhook_endpoints", "PATCH /webhook_endpoints/{id}", "DELETE /webhook_endpoints/{id}"}

func TestWorkOS_SDK_for_Node_8_works_by_its_base_URL(t *testing.T) {
	playEach(t, everySDK, func(box toolbox) []string { return []string{"node8", box.node, "sdk.test.mjs"} })
}

func TestWorkOS_SDK_for_Node_works_by_its_base_URL(t *testing.T) {
	playEach(t, slices.Concat(everySDK, webhookRoutes, applicationRoutes), func(box toolbox) []string { return []string{"node", box.node, "sdk.test.mjs"} })
}

func TestWorkOS_SDK_for_Python_works_by_its_base_URL(t *testing.T) {
	playEach(t, slices.Concat(everySDK, webhookRoutes, applicationRoutes, addressRoutes, []string{"POST /api_keys/{id}/expire"}),
		func(box toolbox) []string { return []string{"python", box.python, "-B", "sdk_test.py"} })
}

// playEach runs a script, given as folder, program and arguments, on both engines.
func playEach(t *testing.T, routes []string, script func(toolbox) []string) {
	t.Helper()
	command := script(tools(t))
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		w := newWire(t, slices.Concat(routes, webhookRoutes, applicationRoutes, addressRoutes))
		// Two requests a second are what the script of the area "limits" runs into.
		whole, limited := serve(t, engine, "ROLLCALL_DNS_SERVER="+emptyDNS(t)), serve(t, engine, "ROLLCALL_API_RATE_LIMIT=2")
		env := []string{
			"ROLLCALL_URL=" + w.to(t, whole.url), "LIMITED_URL=" + w.to(t, limited.url), "HOOKS_URL=" + w.hooks(t),
			"API_KEY=" + managementKey, "CLIENT_ID=" + whole.client, "BROWSER_URL=" + browsers(t),
		}
		env = append(env, identityProvider(t)...)
		for _, area := range areas {
			t.Run(area, func(t *testing.T) {
				play(t, env, command[0], command[1], append(slices.Clone(command[2:]), area)...)
				w.report(t)
			})
		}
		t.Run("every_route", func(t *testing.T) { w.saw(t, routes) })
	})
}

// play runs a script to its end.
func play(t *testing.T, env []string, dir, name string, args ...string) *process {
	t.Helper()
	p := launch(t, dir, env, name, args...)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	select {
	case <-p.ended:
	case <-ctx.Done():
		t.Fatalf("%s does not end:\n%s%s", p.cmd, p.out, p.log)
	}
	if !p.cmd.ProcessState.Success() {
		t.Errorf("%s: %s\n%s%s", exec.Command(name, args...), p.cmd.ProcessState, p.out, p.log)
	}
	if p.out.String() == "" {
		t.Error(fmt.Sprint(p.cmd, " printed nothing: has it played anything?"))
	}
	return p
}
