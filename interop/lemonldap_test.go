//go:build interop

package interop_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// LemonLDAP::NG leaves XML to the lasso library, whose documents look unlike everybody else's.

func TestLemonLDAP_signs_people_in_by_SAML(t *testing.T) {
	apps, key := standIns(t)
	ours := grammars(t)
	saml, _ := startLemonLDAP(t, append(apps, appsOf(ours)...), standInClient())
	saml.provesItself(t, key, apps)
	saml.understands(t, ours)
}

func TestLemonLDAP_signs_people_in_by_OpenID_Connect(t *testing.T) {
	client := standInClient()
	_, openid := startLemonLDAP(t, nil, client)
	openid.provesItself(t, client)
	openid.understands(t, client)
}

func startLemonLDAP(t *testing.T, apps []samlApp, client oidcApp) (samlProvider, oidcProvider) {
	t.Helper()
	version := needDebian(t, "lemonldap-ng", "liblasso-perl", "libplack-perl", "libcrypt-openssl-x509-perl", "libxml-libxml-perl")
	dir, address := t.TempDir(), freeAddress(t)
	base := "http://" + address
	for _, folder := range []string{"cache", "sessions/lock", "psessions/lock", "notifications"} {
		must(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
	}
	key, certificate := keyPair(t, "lemonldap")
	settings, err := json.Marshal(lemonSettings(t, dir, base, key, certificate, apps, client))
	must(t, err)
	write(t, filepath.Join(dir, "conf", "lmConf-1.json"), string(settings))
	write(t, filepath.Join(dir, "lemonldap-ng.ini"), fmt.Sprintf(`[all]
logLevel = notice
checkTime = 1
[configuration]
type = File
dirName = %[1]s/conf
localStorage = Cache::FileCache
localStorageOptions = {'namespace' => 'config', 'default_expires_in' => 600, 'directory_umask' => '007', 'cache_root' => '%[1]s/cache', 'cache_depth' => 3}
[portal]
staticPrefix = /static
templateDir = /usr/share/lemonldap-ng/portal/templates
languages = en
[handler]
`, dir))
	write(t, filepath.Join(dir, "app.psgi"), "use Lemonldap::NG::Portal::Main;\nLemonldap::NG::Portal::Main->run({});\n")
	cmd := exec.CommandContext(t.Context(), "/usr/bin/perl", "/usr/bin/plackup", "-s", "HTTP::Server::PSGI", "--host", "127.0.0.1",
		"--port", parsed(t, base).Port(), filepath.Join(dir, "app.psgi"))
	cmd.Env = append(os.Environ(), "LLNG_DEFAULTCONFFILE="+filepath.Join(dir, "lemonldap-ng.ini"))
	serve(t, cmd, base+"/saml/metadata", 60*time.Second)

	signIn := map[string]string{"user": "dwho", "password": "dwho"}
	return samlProvider{
		Name: "lemonldap", Version: version, Metadata: base + "/saml/metadata", SignIn: signIn, CBC: true,
		Who: person{NameID: "dwho@badwolf.org", Attributes: map[string]string{"uid": "dwho", "mail": "dwho@badwolf.org", "displayName": "Doctor Who"}},
	}, oidcProvider{
		Name: "lemonldap", Version: version, Issuer: base + "/", SignIn: signIn, Scopes: []string{"profile", "email"},
		Who: map[string]string{"sub": "dwho", "email": "dwho@badwolf.org", "name": "Doctor Who"},
	}
}

// lemonSettings are those of the package with everything that is written in dir, keys, the apps and the client.
func lemonSettings(t *testing.T, dir, base string, key *rsa.PrivateKey, certificate *x509.Certificate, apps []samlApp, client oidcApp) map[string]any {
	t.Helper()
	text, err := os.ReadFile("/var/lib/lemonldap-ng/conf/lmConf-1.json")
	must(t, err)
	settings := map[string]any{}
	must(t, json.Unmarshal(text, &settings))
	store := func(folder string) map[string]any {
		return map[string]any{
			"Directory": filepath.Join(dir, folder), "LockDirectory": filepath.Join(dir, folder, "lock"),
			"generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
		}
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(t, err)
	private := pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
	maps.Copy(settings, map[string]any{
		"portal": base + "/", "domain": "127.0.0.1", "securedCookie": 0,
		"globalStorageOptions": store("sessions"), "persistentStorageOptions": store("psessions"),
		"localSessionStorageOptions": map[string]any{
			"cache_depth": 3, "cache_root": filepath.Join(dir, "cache"), "default_expires_in": 600, "directory_umask": "007", "namespace": "sessions",
		},
		"notification": 0, "notificationStorageOptions": map[string]any{"dirName": filepath.Join(dir, "notifications")},
		// Nothing runs behind a handler here.
		"locationRules": map[string]any{"127.0.0.1": map[string]any{"default": "accept"}}, "exportedHeaders": map[string]any{},

		"issuerDBSAMLActivation": 1, "samlEntityID": "#PORTAL#saml/metadata",
		"samlServicePrivateKeySig": private, "samlServicePublicKeySig": pemOf("CERTIFICATE", certificate.Raw),
		"samlServiceUseCertificateInResponse": 1, "samlServiceSignatureMethod": "RSA_SHA256",
		"samlNameIDFormatMapEmail": "mail",

		"issuerDBOpenIDConnectActivation": 1, "oidcServiceMetaDataIssuer": base + "/", "oidcServiceAllowAuthorizationCodeFlow": 1,
		"oidcServicePrivateKeySig": private, "oidcServicePublicKeySig": pemOf("PUBLIC KEY", public), "oidcServiceKeyIdSig": "interop",
		"oidcRPMetaDataOptions": map[string]any{"app": map[string]any{
			"oidcRPMetaDataOptionsClientID": client.ID, "oidcRPMetaDataOptionsClientSecret": client.Secret,
			"oidcRPMetaDataOptionsRedirectUris": client.RedirectURI, "oidcRPMetaDataOptionsIDTokenSignAlg": "RS256",
			"oidcRPMetaDataOptionsRequirePKCE": 1, "oidcRPMetaDataOptionsDisplayName": "App",
			"oidcRPMetaDataOptionsBypassConsent": 1, // its buttons need a script
		}},
		"oidcRPMetaDataExportedVars": map[string]any{"app": map[string]any{"email": "mail", "name": "cn"}},
	})
	samlMetadata, samlOptions, samlAttributes := map[string]any{}, map[string]any{}, map[string]any{}
	for i, app := range apps {
		name := fmt.Sprintf("app%d", i)
		samlMetadata[name] = map[string]any{"samlSPMetaDataXML": spMetadata(app)}
		options := map[string]any{
			"samlSPMetaDataOptionsNameIDFormat": "email", "samlSPMetaDataOptionsSignSSOMessage": 0,
			"samlSPMetaDataOptionsCheckSSOMessageSignature": 0, "samlSPMetaDataOptionsSignatureMethod": "RSA_SHA256",
			"samlSPMetaDataOptionsNotOnOrAfterTimeout": 300,
		}
		if app.SignResponse {
			options["samlSPMetaDataOptionsSignSSOMessage"] = 1
		}
		if app.Signing != nil {
			options["samlSPMetaDataOptionsCheckSSOMessageSignature"], options["samlSPMetaDataOptionsCheckSLOMessageSignature"] = 1, 1
			options["samlSPMetaDataOptionsSignSLOMessage"] = 1
		}
		if app.Encrypt {
			options["samlSPMetaDataOptionsEncryptionMode"] = "assertion"
		}
		samlOptions[name] = options
		// required; name; format; friendly name
		samlAttributes[name] = map[string]any{"uid": "1;uid;;", "mail": "1;mail;;", "cn": "0;displayName;;"}
	}
	settings["samlSPMetaDataXML"], settings["samlSPMetaDataOptions"], settings["samlSPMetaDataExportedAttributes"] = samlMetadata, samlOptions, samlAttributes
	return settings
}
