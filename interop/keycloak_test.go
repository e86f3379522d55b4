//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const keycloakVersion = "26.4.0"

// Keycloak takes half a minute to start, so both protocols share one.
func TestKeycloak_signs_people_in(t *testing.T) {
	apps, key := standIns(t)
	ours := grammars(t)
	client := standInClient()
	saml, openid := startKeycloak(t, append(apps, appsOf(ours)...), client)
	t.Run("SAML", func(t *testing.T) {
		saml.provesItself(t, key, apps)
		saml.understands(t, ours)
	})
	t.Run("OpenID_Connect", func(t *testing.T) {
		openid.provesItself(t, client)
		openid.understands(t, client)
	})
}

// startKeycloak runs a copy of the distribution, which writes into its own folder, with a realm that is imported at the start.
func startKeycloak(t *testing.T, apps []samlApp, client oidcApp) (samlProvider, oidcProvider) {
	t.Helper()
	need(t, "java", "mvn", "unzip")
	dist := once(t, "keycloak-"+keycloakVersion, func(ctx context.Context, dir string) error {
		archive, err := mavenFile(ctx, "org.keycloak:keycloak-quarkus-dist:"+keycloakVersion+":zip", dir)
		if err != nil {
			return err
		}
		if _, err := output(ctx, dir, "unzip", "-q", archive); err != nil {
			return broken{err}
		}
		if err := os.Remove(archive); err != nil {
			return err
		}
		// Augmented once for development with its own database; starts are quick from then on.
		_, err = output(ctx, dir, filepath.Join(dir, "keycloak-"+keycloakVersion, "bin", "kc.sh"), "build", "--db=dev-mem", "--health-enabled=false")
		if err != nil {
			return broken{err}
		}
		return nil
	})
	home, address := filepath.Join(t.TempDir(), "keycloak"), freeAddress(t)
	_, err := output(t.Context(), "", "cp", "-r", filepath.Join(dist, "keycloak-"+keycloakVersion), home)
	must(t, err)
	realm, err := json.Marshal(keycloakRealm(apps, client))
	must(t, err)
	write(t, filepath.Join(home, "data", "import", "realm.json"), string(realm))
	base := "http://" + address
	cmd := exec.CommandContext(t.Context(), filepath.Join(home, "bin", "kc.sh"), "start", "--optimized", "--import-realm", "--http-enabled=true",
		"--http-host=127.0.0.1", "--http-port="+parsed(t, base).Port(), "--hostname="+base, "--cache=local")
	cmd.Env = append(os.Environ(), "JAVA_OPTS_APPEND=-Xms64m -Xmx512m")
	issuer := base + "/realms/acme"
	serve(t, cmd, issuer+"/.well-known/openid-configuration", 6*time.Minute) // half a minute on two idle cores

	signIn := map[string]string{"username": "ada", "password": "ada-secret"}
	return samlProvider{
		Name: "keycloak", Version: keycloakVersion, Metadata: issuer + "/protocol/saml/descriptor", SignIn: signIn,
		Who: person{NameID: "ada@acme.example", Attributes: map[string]string{
			"email": "ada@acme.example", "urn:oid:2.5.4.42": "Ada", "urn:oid:2.5.4.4": "Lovelace", "groups": "engineers",
		}},
	}, oidcProvider{
		Name: "keycloak", Version: keycloakVersion, Issuer: issuer, SignIn: signIn, Scopes: []string{"profile", "email"},
		Who: map[string]string{"email": "ada@acme.example", "given_name": "Ada", "family_name": "Lovelace", "name": "Ada Lovelace"},
	}
}

func keycloakRealm(apps []samlApp, client oidcApp) map[string]any {
	clients := []any{map[string]any{
		"clientId": client.ID, "secret": client.Secret, "redirectUris": []string{client.RedirectURI}, "protocol": "openid-connect",
		"publicClient": false, "standardFlowEnabled": true, "directAccessGrantsEnabled": false,
		"attributes": map[string]any{"pkce.code.challenge.method": "S256"},
	}}
	for _, app := range apps {
		clients = append(clients, keycloakSAML(app))
	}
	return map[string]any{
		"realm": "acme", "enabled": true, "sslRequired": "none", "groups": []any{map[string]any{"name": "engineers"}},
		"users": []any{map[string]any{
			"username": "ada", "enabled": true, "email": "ada@acme.example", "emailVerified": true, "firstName": "Ada", "lastName": "Lovelace",
			"groups":      []string{"/engineers"},
			"credentials": []any{map[string]any{"type": "password", "value": "ada-secret", "temporary": false}},
		}},
		"clients": clients,
	}
}

func keycloakSAML(app samlApp) map[string]any {
	property := func(user, name string) map[string]any {
		return map[string]any{
			"name": name, "protocol": "saml", "protocolMapper": "saml-user-property-mapper",
			"config": map[string]any{"user.attribute": user, "attribute.name": name, "attribute.nameformat": "Basic"},
		}
	}
	attributes := map[string]any{
		"saml.server.signature": fmt.Sprint(app.SignResponse), "saml.assertion.signature": fmt.Sprint(app.SignAssertion),
		"saml.encrypt": fmt.Sprint(app.Encrypt), "saml.signature.algorithm": "RSA_SHA256", "saml.client.signature": "false",
		"saml.force.post.binding": "true", "saml_name_id_format": "email", "saml_force_name_id_format": "true", "saml.authnstatement": "true",
		"saml_assertion_consumer_url_post": app.ACS,
	}
	if app.Signing != nil {
		attributes["saml.client.signature"], attributes["saml.signing.certificate"] = "true", base64DER(app.Signing)
	}
	if app.SLO != "" {
		attributes["saml_single_logout_service_url_redirect"] = app.SLO
	}
	if app.Certificate != nil {
		attributes["saml.encryption.certificate"] = base64DER(app.Certificate)
	}
	return map[string]any{
		"clientId": app.EntityID, "protocol": "saml", "enabled": true, "frontchannelLogout": true,
		"redirectUris": []string{app.ACS}, "attributes": attributes, "defaultClientScopes": []string{},
		"protocolMappers": []any{
			property("email", "email"), property("firstName", "urn:oid:2.5.4.42"), property("lastName", "urn:oid:2.5.4.4"), property("id", "id"),
			map[string]any{
				"name": "groups", "protocol": "saml", "protocolMapper": "saml-group-membership-mapper",
				"config": map[string]any{"attribute.name": "groups", "attribute.nameformat": "Basic", "single": "true", "full.path": "false"},
			},
		},
	}
}
