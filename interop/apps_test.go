//go:build interop

package interop_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// relyingParty is a running application of somebody else that signs people in at an OpenID provider.
type relyingParty struct {
	start  string // where a person begins
	claims string // where it tells what it learned; empty: in the answer to the callback
}

// starter runs an application at the provider as this client, with these parameters besides in its authorization request.
type starter func(t *testing.T, issuer string, client oidcApp, parameters map[string]string) relyingParty

// localClient is a client with a redirect URI on a free port, which its application will listen on.
func localClient(t *testing.T) oidcApp {
	t.Helper()
	client := standInClient()
	client.RedirectURI = "http://" + freeAddress(t) + "/callback"
	return client
}

// Each application first signs in at oidc-provider, which Rollcall has no part in.

func TestOpenidClient_works_with_another_provider(t *testing.T) {
	worksElsewhere(t, startOpenidClient, "client_secret_basic")
}

func TestAuthlib_works_with_another_provider(t *testing.T) {
	worksElsewhere(t, startAuthlib, "client_secret_post")
}

func TestModAuthOpenidc_works_with_another_provider(t *testing.T) {
	worksElsewhere(t, startModAuthOpenidc, "client_secret_basic")
}

func worksElsewhere(t *testing.T, start starter, method string) {
	t.Helper()
	client := localClient(t)
	client.Method = method
	provider := startOidcProvider(t, client)
	app := start(t, provider.Issuer, client, nil)
	claims := app.signsIn(t, newBrowser(t, provider.SignIn), client)
	for name, want := range provider.Who {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %q", name, claims[name], want)
		}
	}
}

// signsIn goes through the application's front door and gives the claims it learned.
func (a relyingParty) signsIn(t *testing.T, b *browser, client oidcApp) map[string]any {
	t.Helper()
	return a.learned(t, b, client)["claims"].(map[string]any)
}

// learned is signsIn with all that the application answers.
func (a relyingParty) learned(t *testing.T, b *browser, client oidcApp) map[string]any {
	t.Helper()
	callback := b.walk(t, a.start, client.RedirectURI+"?")
	if refusal := callback.URL.Query().Get("error"); refusal != "" {
		t.Fatalf("the provider refuses: %s\n%s", callback.URL.RawQuery, b.story())
	}
	shown := b.page(t, callback.URL.String())
	if a.claims != "" {
		shown = b.page(t, a.claims)
	}
	answer := map[string]any{}
	if err := json.Unmarshal([]byte(shown.body), &answer); err != nil || shown.status != 200 {
		t.Fatalf("the application answers %d: %.3000s\n%s", shown.status, shown.body, b.story())
	}
	if a.claims != "" { // mod_auth_openidc has two groups of claims
		all := map[string]any{}
		for _, part := range []string{"id_token", "userinfo"} {
			if claims, ok := answer[part].(map[string]any); ok {
				maps.Copy(all, claims)
			}
		}
		answer["claims"] = all
	}
	return answer
}

func startOpenidClient(t *testing.T, issuer string, client oidcApp, parameters map[string]string) relyingParty {
	t.Helper()
	return serveApp(t, client, node(t), appEnvironment(t, issuer, client, parameters, "PEER_MODULES="+modules(t)), "peers/openid-client.mjs")
}

func startWorkOS(t *testing.T, issuer string, client oidcApp, parameters map[string]string) relyingParty {
	t.Helper()
	return serveApp(t, client, node(t), appEnvironment(t, issuer, client, parameters, "PEER_MODULES="+modules(t)), "peers/workos.mjs")
}

func startAuthlib(t *testing.T, issuer string, client oidcApp, parameters map[string]string) relyingParty {
	t.Helper()
	return serveApp(t, client, python(t), appEnvironment(t, issuer, client, parameters, "AUTHLIB_INSECURE_TRANSPORT=1"), "peers/authlib_app.py")
}

func appEnvironment(t *testing.T, issuer string, client oidcApp, parameters map[string]string, more ...string) []string {
	t.Helper()
	settings, err := json.Marshal(client)
	must(t, err)
	extra := []byte("{}")
	if parameters != nil {
		extra, err = json.Marshal(parameters)
		must(t, err)
	}
	return append(append(os.Environ(), "PEER_ISSUER="+issuer, "PEER_CLIENT="+string(settings), "PEER_PARAMETERS="+string(extra)), more...)
}

func serveApp(t *testing.T, client oidcApp, program string, environment []string, script string) relyingParty {
	t.Helper()
	base := strings.TrimSuffix(client.RedirectURI, "/callback")
	cmd := exec.CommandContext(t.Context(), program, script)
	cmd.Env = environment
	serve(t, cmd, base+"/ready", 30*time.Second)
	return relyingParty{start: base + "/"}
}

// startModAuthOpenidc runs Debian's Apache with nothing in its configuration but the module and one protected folder.
func startModAuthOpenidc(t *testing.T, issuer string, client oidcApp, parameters map[string]string) relyingParty {
	t.Helper()
	needDebian(t, "libapache2-mod-auth-openidc", "apache2")
	dir, err := os.MkdirTemp("", "rollcall-apache-") // not t.TempDir: started by root, Apache reads it as www-data
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	must(t, os.Chmod(dir, 0o755))
	base := strings.TrimSuffix(client.RedirectURI, "/callback")
	write(t, filepath.Join(dir, "www", "index.html"), "Signed in.")
	var extra []string
	for name, value := range parameters {
		extra = append(extra, name+"="+value)
	}
	authorization := ""
	if len(extra) > 0 {
		authorization = fmt.Sprintf("OIDCAuthRequestParams %q", strings.Join(extra, "&"))
	}
	write(t, filepath.Join(dir, "apache.conf"), fmt.Sprintf(`ServerRoot %[1]s
ServerName 127.0.0.1
Listen %[2]s
PidFile %[1]s/apache.pid
DefaultRuntimeDir %[1]s
ErrorLog /dev/stderr
LogLevel warn auth_openidc:info
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authn_core_module /usr/lib/apache2/modules/mod_authn_core.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule authz_user_module /usr/lib/apache2/modules/mod_authz_user.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule auth_openidc_module /usr/lib/apache2/modules/mod_auth_openidc.so
User www-data
Group www-data
StartServers 2
DocumentRoot %[1]s/www
DirectoryIndex index.html
OIDCProviderMetadataURL %[3]s/.well-known/openid-configuration
OIDCClientID %[4]s
OIDCClientSecret %[5]s
OIDCRedirectURI %[6]s
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCCryptoPassphrase interop-passphrase
OIDCInfoHook userinfo id_token session
OIDCCacheShmEntrySizeMax 66065
%[7]s
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
<Location /ready>
  AuthType openid-connect
  OIDCUnAuthAction pass
  Require all granted
</Location>
`, dir, strings.TrimPrefix(base, "http://"), strings.TrimSuffix(issuer, "/"), client.ID, client.Secret, client.RedirectURI, authorization))
	cmd := exec.CommandContext(t.Context(), "/usr/sbin/apache2", "-f", filepath.Join(dir, "apache.conf"), "-D", "FOREGROUND")
	serve(t, cmd, base+"/ready", 30*time.Second)
	return relyingParty{start: base + "/", claims: client.RedirectURI + "?info=json"}
}
