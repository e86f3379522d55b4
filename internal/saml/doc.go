// Package saml is the grammar of SAML 2.0 (OASIS, March 2005, with Errata 05) as a service provider needs it: it reads metadata,
// makes requests and consumes responses. It takes bytes, keys and the time, returns values or an *Error, and knows no database, no
// network and no organization.
//
// # Words
//
// A Response is the message that a browser posts; an Assertion in it says who signed in. Either or both are signed; what is not
// covered by a signature that was verified here is a claim and decides nothing. Unsolicited means that the assertion names no
// request that it answers.
//
// # How a response is consumed
//
//	bytes → gate → tree → shape → verify → verified bytes → decode → conditions → Assertion
//	                        └── EncryptedAssertion: decrypt → gate → shape → verify ──┘
//
// Each step only sees what the one before let through:
//
//   - gate.go reads the bytes once, builds the tree from the very tokens that it judged, and refuses everything that two XML
//     parsers could read in two ways: document types, comments, CDATA, processing instructions, encodings other than UTF-8, a
//     second root, doubled or foreign IDs, prefixes that change their meaning among the SAML namespaces, relative namespaces.
//   - shape.go holds the tree to one layout: one assertion at one place, signatures only as children of what they sign, with one
//     reference, to their parent, by its ID, with the two transforms that SAML needs.
//   - verify.go has goxmldsig check the arithmetic, once for each certificate that the connection trusts. What a message says about
//     its own key (KeyInfo) is taken out before; it serves the text of an error and nothing else.
//   - decode.go reads the element that goxmldsig parsed from the bytes it had digested, never the document that came in. The type
//     verified can be made by verify.go only, so that nothing else can be decoded.
//   - conditions.go checks who made it, for whom, for which address, when and how.
//
// # Decisions
//
//   - Every signature that is there has to hold, also that of an Assertion inside a signed Response.
//   - Signatures: RSA PKCS#1 v1.5 from 2,048 bits and ECDSA on P-256, P-384, P-521, with SHA-256, SHA-384, SHA-512. No RSA-PSS: the
//     library cannot, and no identity provider was seen to use it. No HMAC. SHA-1 only until a date that the connection carries.
//   - Canonicalization: exclusive, without comments, for the reference and for SignedInfo; nothing else.
//   - An ECDSA value is r and s side by side (RFC 9231 section 2.3.6), as all of XML has it; ASN.1 is refused.
//   - A certificate is a trusted key, its dates are not trusted: past its end it still verifies and the Assertion says Expired, since
//     no customer should be locked out at midnight by a date. Before its beginning it verifies too.
//   - Bearer confirmation only, with Recipient and NotOnOrAfter and without NotBefore (profiles 4.1.4.2).
//   - No clock is compared more loosely than ClockSkew, between one and three minutes, two by default.
//
// # Limits
//
// 256 KiB a document, 20,000 tokens, 32 levels, 32 namespace prefixes in scope, 64 attributes an element, NameID and ID 1,024 bytes.
// Beyond is malformed.
//
// # The other messages
//
// An AuthnRequest asks for a sign-in, a LogoutRequest and its LogoutResponse end one. They are built as trees and never by pasting text, and
// travel by Redirect (compressed, the signature over the octets of the query) or POST (the signature inside). A received logout message
// passes the same gate, shape and verification as a response; by Redirect the signature is checked over the query as it came, before the
// message is read. Only Redirect is ever inflated, to 256 KiB at most.
//
// Metadata of an identity provider is no message: it is believed for where it was got, so its signature is not verified. It may hold
// comments, but not inside what is read, and it is read from fixed places only, at most 2 MiB.
package saml
