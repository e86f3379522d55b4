// Package second asks another implementation, gosaml2, about a response that was accepted already: does it find the signature good, and
// does it read the same person out of it. Two parsers and two readers that were written apart seldom make the same mistake, and the
// bypasses of the last years were mistakes of one.
//
// It shares goxmldsig with the first one, so it is no second opinion about the arithmetic of a signature; the tests ask xmlsec1 about that.
//
// It may be asked ahead, while the first verifier is at work on a document; what it says then counts only if the first accepts the document
// by the same certificate, and is compared as always. It inflates nothing.
//
//	accepted document → gosaml2 as it is ─accepts→ compare → nil or verifiers_disagree
//	                        └ refuses → once more with what nobody signed made as gosaml2 likes it ─accepts→ compare
//	                                        └ refuses → a Gap that the document shows, or verifiers_disagree
//
// # Gaps
//
// The list is closed. What shows a gap lies in what the identity provider signed, or in how the connection is set up, and so is out of
// a stranger's reach; the one exception says so.
//
//   - GapResponseIssuer: gosaml2 demands an Issuer of the Response. It is put into an unsigned Response; a signed one without is the gap.
//   - GapConfirmations: of several SubjectConfirmations gosaml2 reads a mixture.
//   - GapAddresses: it knows one address of ours, and Destination and Recipient of a signed Response differ.
//   - GapECDSA: it takes ECDSA values in ASN.1, which XML does not have.
//   - GapKeyInfo: it reads KeyInfo, and the one of an Assertion in a signed Response holds no certificate that is trusted, or none.
//   - GapSize: it may give up from 450 signed elements on, as a person in many groups has.
//   - GapEncryption: it could not open what we opened: AES-192-CBC, a mask or digest other than SHA-1 and SHA-256, a RetrievalMethod. The
//     form of the encryption is a stranger's to choose where only the Assertion is signed.
//
// What would be gaps and is none, since gosaml2 is asked in a way that avoids it: a certificate past its end (it gets a copy with other
// dates), two certificates without KeyInfo (it gets the one that verified), clocks that differ (its clock is set back by the skew), and
// warnings instead of errors about audience and conditions (ours were checked; only signature and identity are compared).
package second
