package saml

// Namespaces of the documents read and written here, with the prefix each is written with.
const (
	nsAssertion    = "urn:oasis:names:tc:SAML:2.0:assertion" // saml
	nsProtocol     = "urn:oasis:names:tc:SAML:2.0:protocol"  // samlp
	nsMetadata     = "urn:oasis:names:tc:SAML:2.0:metadata"  // md
	nsSignature    = "http://www.w3.org/2000/09/xmldsig#"    // ds
	nsEncryption   = "http://www.w3.org/2001/04/xmlenc#"     // xenc
	nsEncryption11 = "http://www.w3.org/2009/xmlenc11#"      // xenc11
	nsLogoutAsync  = "urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo"
	algRSASHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algRSASHA384   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	algRSASHA512   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	algECDSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	algECDSASHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	algECDSASHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
	algRSASHA1     = nsSignature + "rsa-sha1"
)

// Binding is how a message travels (SAML 2.0 bindings, 3.4 and 3.5). Others (SOAP, Artifact, PAOS) are not offered.
type Binding string

// The two bindings that travel through the browser.
const (
	BindingRedirect Binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	BindingPost     Binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

// Status codes of a logout (core 3.2.2.2).
const (
	StatusSuccess       = "urn:oasis:names:tc:SAML:2.0:status:Success"
	StatusRequester     = "urn:oasis:names:tc:SAML:2.0:status:Requester"     // the request was wrong
	StatusResponder     = "urn:oasis:names:tc:SAML:2.0:status:Responder"     // the request was right and was not carried out
	StatusPartialLogout = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout" // second code, below Responder or Success
)
