//go:build interop

package interop_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const emailFormat = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

func TestSimpleSAMLphp_signs_people_in_in_every_layout(t *testing.T) {
	apps, key := standIns(t)
	ours := grammars(t)
	idp := startSimpleSAMLphp(t, append(apps, appsOf(ours)...))
	idp.provesItself(t, key, apps)
	idp.understands(t, ours)
}

// startSimpleSAMLphp runs Debian's SimpleSAMLphp in PHP's own web server, with everything it writes in a folder of the test.
func startSimpleSAMLphp(t *testing.T, apps []samlApp) samlProvider {
	t.Helper()
	version := needDebian(t, "simplesamlphp", "php-cli", "php-xml", "php-mbstring")
	dir, address := t.TempDir(), freeAddress(t)
	key, certificate := keyPair(t, "simplesamlphp")
	write(t, filepath.Join(dir, "cert", "idp.key"), privatePEM(t, key))
	write(t, filepath.Join(dir, "cert", "idp.crt"), pemOf("CERTIFICATE", certificate.Raw))
	for _, folder := range []string{"log", "data", "tmp"} {
		must(t, os.Mkdir(filepath.Join(dir, folder), 0o755))
	}
	write(t, filepath.Join(dir, "config", "config.php"), fmt.Sprintf(`<?php
require '/etc/simplesamlphp/config.php';
$config['baseurlpath'] = 'http://%s/';
$config['secretsalt'] = 'interop';
$config['auth.adminpassword'] = 'interop-admin';
$config['enable.saml20-idp'] = true;
$config['session.cookie.secure'] = false;
$config['session.phpsession.savepath'] = null;
$config['module.enable'] = ['exampleauth' => true, 'core' => true, 'saml' => true];
$config['logging.handler'] = 'errorlog';
$config['logging.level'] = SimpleSAML\Logger::INFO;
foreach (['certdir' => 'cert', 'loggingdir' => 'log', 'datadir' => 'data', 'tempdir' => 'tmp'] as $setting => $folder) {
    $config[$setting] = '%s/' . $folder . '/';
}
$config['metadata.sources'] = [['type' => 'flatfile', 'directory' => '%[2]s/metadata']];
`, address, dir))
	write(t, filepath.Join(dir, "config", "authsources.php"), `<?php
$config = ['example-userpass' => ['exampleauth:UserPass', 'alice:alicepass' => [
    'uid' => ['alice'], 'mail' => ['alice@acme.example'], 'givenName' => ['Alice'], 'sn' => ['Ångström'],
    'eduPersonAffiliation' => ['staff', 'engineers'],
]]];
`)
	write(t, filepath.Join(dir, "metadata", "saml20-idp-hosted.php"), fmt.Sprintf(`<?php
$metadata['http://%s/idp'] = ['host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt',
    'auth' => 'example-userpass',
    'SingleSignOnServiceBinding' => ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
     'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'];
`, address))
	write(t, filepath.Join(dir, "metadata", "saml20-sp-remote.php"), simpleSAMLphpApps(apps))

	cmd := exec.CommandContext(t.Context(), "php", "-d", "session.save_path="+filepath.Join(dir, "tmp"), "-S", address)
	cmd.Dir = "/usr/share/simplesamlphp/www"
	cmd.Env = append(os.Environ(), "SIMPLESAMLPHP_CONFIG_DIR="+filepath.Join(dir, "config"))
	metadata := "http://" + address + "/saml2/idp/metadata.php"
	serve(t, cmd, metadata, 30*time.Second)
	return samlProvider{
		Name: "simplesamlphp", Version: version, Metadata: metadata, CBC: true,
		SignIn: map[string]string{"username": "alice", "password": "alicepass"},
		Who: person{NameID: "alice@acme.example", Attributes: map[string]string{
			"uid": "alice", "mail": "alice@acme.example", "givenName": "Alice", "sn": "Ångström", "eduPersonAffiliation": "staff",
		}},
	}
}

func simpleSAMLphpApps(apps []samlApp) string {
	var text strings.Builder
	text.WriteString("<?php\n")
	for _, app := range apps {
		fmt.Fprintf(&text, `$metadata['%s'] = ['AssertionConsumerService' => '%s', 'NameIDFormat' => '%s', 'simplesaml.nameidattribute' => 'mail',
    'saml20.sign.response' => %t, 'saml20.sign.assertion' => %t`, app.EntityID, app.ACS, emailFormat, app.SignResponse, app.SignAssertion)
		var keys []string
		if app.Encrypt {
			text.WriteString(",\n    'assertion.encryption' => true")
			keys = append(keys, fmt.Sprintf("['type' => 'X509Certificate', 'signing' => false, 'encryption' => true, 'X509Certificate' => '%s']", base64DER(app.Certificate)))
		}
		if app.Signing != nil {
			text.WriteString(",\n    'validate.authnrequest' => true, 'validate.logout' => true, 'sign.logout' => true")
			keys = append(keys, fmt.Sprintf("['type' => 'X509Certificate', 'signing' => true, 'encryption' => false, 'X509Certificate' => '%s']", base64DER(app.Signing)))
		}
		if app.SLO != "" {
			fmt.Fprintf(&text, ",\n    'SingleLogoutService' => '%s'", app.SLO)
		}
		fmt.Fprintf(&text, ",\n    'keys' => [%s]", strings.Join(keys, ", "))
		text.WriteString("];\n")
	}
	return text.String()
}
