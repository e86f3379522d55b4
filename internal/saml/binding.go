package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"

	"github.com/rollcallhq/rollcall/internal/fault"
)

const (
	// maxRelayState is what others have to keep and give back unchanged (bindings 3.4.3 and 3.5.3), in bytes.
	maxRelayState = 80
	// maxReturnedState is what we give back: SimpleSAMLphp and others do not keep to the 80 bytes themselves.
	maxReturnedState = 2 << 10
	// maxRedirectQuery is far beyond what browsers and proxies carry in an address.
	maxRedirectQuery = 64 << 10
	// maxInflated caps what a message may grow to: a kilobyte of deflate can hold a megabyte of blanks.
	maxInflated = 256 << 10

	encodingDeflate = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"

	paramRequest  = "SAMLRequest"
	paramResponse = "SAMLResponse"
)

// Form is a page's form that carries a message by POST: whoever shows it escapes action and values as HTML wants, they are plain text here.
type Form struct {
	Action string
	Fields [][2]string // name and value, in order
}

// instant writes a time as SAML wants it (core 1.3.3): UTC.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// envelope starts a message with what all of them have (core 3.2.1 and 3.2.2).
func envelope(tag, id, issuer, destination string, at time.Time) *etree.Element {
	el := etree.NewElement("samlp:" + tag)
	el.CreateAttr("xmlns:samlp", nsProtocol)
	el.CreateAttr("xmlns:saml", nsAssertion)
	el.CreateAttr("ID", id)
	el.CreateAttr("Version", "2.0")
	el.CreateAttr("IssueInstant", instant(at))
	el.CreateAttr("Destination", destination)
	el.CreateElement("saml:Issuer").SetText(issuer)
	return el
}

// redirect gives the address that carries the message (bindings 3.4.4). With a key the signature covers the very octets of the query that is
// sent, in the order that the standard fixes; without one the message is not signed.
func redirect(param string, el *etree.Element, destination, relayState string, key *rsa.PrivateKey) (string, error) {
	if err := sendable(param, destination, relayState); err != nil {
		return "", err
	}
	message, err := serialize(el)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", el.Tag, err)
	}
	packed, err := deflate(message)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", el.Tag, err)
	}
	query := param + "=" + escape(base64.StdEncoding.EncodeToString(packed))
	if relayState != "" {
		query += "&RelayState=" + escape(relayState)
	}
	if key != nil {
		query += "&SigAlg=" + escape(algRSASHA256)
		sum := sha256.Sum256([]byte(query))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			return "", fmt.Errorf("sign %s: %w", el.Tag, err)
		}
		query += "&Signature=" + escape(base64.StdEncoding.EncodeToString(signature))
	}
	switch {
	case !strings.Contains(destination, "?"):
		return destination + "?" + query, nil
	case strings.HasSuffix(destination, "?"), strings.HasSuffix(destination, "&"):
		return destination + query, nil
	default:
		return destination + "&" + query, nil
	}
}

// escape writes a blank as %20 and not as a plus sign, which not everybody reads back as a blank.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// post gives the form that carries the message (bindings 3.5.4), signed inside itself if there is a key.
func post(param string, el *etree.Element, destination, relayState string, key *rsa.PrivateKey, cert *x509.Certificate) (Form, error) {
	if err := sendable(param, destination, relayState); err != nil {
		return Form{}, err
	}
	if key != nil {
		if err := SignElement(el, key, cert, "Issuer"); err != nil {
			return Form{}, err
		}
	}
	message, err := serialize(el)
	if err != nil {
		return Form{}, fmt.Errorf("write %s: %w", el.Tag, err)
	}
	form := Form{Action: destination, Fields: [][2]string{{param, base64.StdEncoding.EncodeToString(message)}}}
	if relayState != "" {
		form.Fields = append(form.Fields, [2]string{"RelayState", relayState})
	}
	return form, nil
}

func sendable(param, destination, relayState string) error {
	if !isAddress(destination) {
		return fault.New(fault.Unprocessable, "invalid_destination", "The identity provider's address cannot be used: it must be an absolute http or https address without fragment.").
			On("destination").Compared("https://…", shown(destination))
	}
	most := maxRelayState
	if param == paramResponse {
		most = maxReturnedState
	}
	if len(relayState) > most {
		return fault.New(fault.Invalid, "relay_state_too_long", "RelayState may have %d bytes here.", most).
			On("RelayState").Compared(fmt.Sprintf("at most %d bytes", most), fmt.Sprintf("%d bytes", len(relayState)))
	}
	return nil
}

// isAddress reports whether a browser may be sent there: http or https, absolute, without fragment or name and password, in characters that
// break out of no header.
func isAddress(s string) bool {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && !strings.Contains(s, "#")
}

// deflaters are kept: a new one is close to a megabyte, for a message of some hundred bytes.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(io.Discard, flate.BestCompression)
	if err != nil { // only a level that does not exist
		panic(err)
	}
	return w
}}

func deflate(message []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&packed)
	_, err := w.Write(message)
	if err == nil {
		err = w.Close()
	}
	return packed.Bytes(), err
}

// inflate undoes deflate. It stops at maxInflated and refuses what stands behind the end of the stream, which another reader might read.
func inflate(packed []byte) ([]byte, error) {
	rest := bytes.NewReader(packed)
	message, err := io.ReadAll(io.LimitReader(flate.NewReader(rest), maxInflated+1))
	switch {
	case len(message) > maxInflated:
		return nil, refuse(CodeMalformed, fmt.Sprintf("at most %d bytes", maxInflated), "more", "The message is too large.")
	case err != nil:
		return nil, refuse(CodeMalformed, "raw DEFLATE (RFC 1951) in base64", "", "The message in the address is not compressed as the redirect binding says.")
	case rest.Len() > 0:
		return nil, refuse(CodeMalformed, "", "", "Something follows the compressed message.")
	}
	return message, nil
}

// redirected is a message taken from a query. Nothing of it is verified.
type redirected struct {
	param      string // SAMLRequest or SAMLResponse
	message    []byte // inflated XML
	relayState string
	algorithm  string
	signature  []byte
	octets     string // what the signature covers, as it was received
}

// parseRedirect reads a query as it was received (bindings 3.4.4.1). Its octets are never decoded and encoded again before the signature is
// checked: others encode in other ways, and what is signed is their way. Each parameter may stand there once and under its plain name.
func parseRedirect(raw string) (*redirected, error) {
	if len(raw) > maxRedirectQuery {
		return nil, refuse(CodeMalformed, fmt.Sprintf("at most %d bytes", maxRedirectQuery), fmt.Sprintf("%d bytes", len(raw)), "The address is too long.")
	}
	pairs, err := redirectPairs(raw)
	if err != nil {
		return nil, err
	}
	q := &redirected{param: paramRequest}
	_, asks := pairs[paramRequest]
	if _, answers := pairs[paramResponse]; answers {
		q.param = paramResponse
		if asks {
			return nil, refuse(CodeMalformed, "SAMLRequest or SAMLResponse", "both", "The address carries a request and a response at once.")
		}
	} else if !asks {
		return nil, refuse(CodeMalformed, "SAMLRequest or SAMLResponse", "neither", "The address carries no SAML message.")
	}
	if encoding, ok := pairs["SAMLEncoding"]; ok && encoding.value != encodingDeflate {
		return nil, refuse(CodeMalformed, encodingDeflate, encoding.value, "The message is encoded in a way that is not known.")
	}
	return q, q.fill(pairs)
}

type queryPair struct{ raw, value string }

// redirectPairs gives the parameters of the binding; any others are nobody's business.
func redirectPairs(raw string) (map[string]queryPair, error) {
	pairs := map[string]queryPair{}
	for piece := range strings.SplitSeq(raw, "&") {
		rawName, rawValue, _ := strings.Cut(piece, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return nil, refuse(CodeMalformed, "", rawName, "The address is not encoded as addresses are.")
		}
		switch name {
		case paramRequest, paramResponse, "RelayState", "SigAlg", "Signature", "SAMLEncoding":
		default:
			continue
		}
		value, err := url.QueryUnescape(rawValue)
		_, twice := pairs[name]
		if err != nil || twice || rawName != name {
			return nil, refuse(CodeMalformed, "once, under its plain name, percent-encoded", "", "The parameter %s is there twice, or encoded in an odd way.", name)
		}
		pairs[name] = queryPair{piece, value}
	}
	return pairs, nil
}

func (q *redirected) fill(pairs map[string]queryPair) error {
	packed, err := base64.StdEncoding.Strict().DecodeString(pairs[q.param].value)
	if err != nil {
		return refuse(CodeMalformed, "base64", "", "The message in the address is not base64.")
	}
	if q.message, err = inflate(packed); err != nil {
		return err
	}
	q.octets = pairs[q.param].raw
	if state, ok := pairs["RelayState"]; ok {
		q.relayState = state.value
		q.octets += "&" + state.raw
	}
	// Where either is missing verify refuses before it looks at the octets.
	q.algorithm = pairs["SigAlg"].value
	q.octets += "&" + pairs["SigAlg"].raw
	if q.signature, err = base64.StdEncoding.Strict().DecodeString(pairs["Signature"].value); err != nil {
		return refuse(CodeMalformed, "base64", "", "The signature in the address is not base64.")
	}
	return nil
}

// octetAlgorithm is a signature over octets.
type octetAlgorithm struct {
	hash  crypto.Hash
	ecdsa bool
}

// octetAlgorithms are those that are verified (RFC 9231, 2.3). SHA-1 is there for connections that still allow it.
var octetAlgorithms = map[string]octetAlgorithm{
	algRSASHA256:   {crypto.SHA256, false},
	algRSASHA384:   {crypto.SHA384, false},
	algRSASHA512:   {crypto.SHA512, false},
	algECDSASHA256: {crypto.SHA256, true},
	algECDSASHA384: {crypto.SHA384, true},
	algECDSASHA512: {crypto.SHA512, true},
	algRSASHA1:     {crypto.SHA1, false},
}

// verify checks the signature with each certificate and gives the one that fits.
func (q *redirected) verify(certificates []*x509.Certificate, allowSHA1 bool) (*x509.Certificate, error) {
	if q.algorithm == "" || len(q.signature) == 0 {
		return nil, refuse(CodeUnsigned, "SigAlg and Signature in the address", "neither, or one", "The message in the address is not signed.")
	}
	algorithm, known := octetAlgorithms[q.algorithm]
	if !known || algorithm.hash == crypto.SHA1 && !allowSHA1 {
		return nil, refuse(CodeAlgorithmNotAllowed, algRSASHA256, q.algorithm, "The message is signed with an algorithm that is not allowed.")
	}
	if len(certificates) == 0 {
		return nil, refuse(CodeCertificateUnknown, "a certificate of the identity provider", "none is configured", "The connection has no certificate to check signatures with.")
	}
	h := algorithm.hash.New()
	h.Write([]byte(q.octets))
	sum := h.Sum(nil)
	for _, cert := range certificates {
		if algorithm.holds(cert, sum, q.signature) {
			return cert, nil
		}
	}
	return nil, refuse(CodeSignatureInvalid, "a signature by a certificate of the connection", "", "The signature in the address fits none of the connection's certificates.")
}

// holds does the arithmetic. An ECDSA value is r and s side by side, each as long as the curve's order (RFC 9231 2.3.6).
func (a octetAlgorithm) holds(cert *x509.Certificate, sum, signature []byte) bool {
	if _, strong := strength(cert); !strong {
		return false
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return !a.ecdsa && rsa.VerifyPKCS1v15(key, a.hash, sum, signature) == nil
	case *ecdsa.PublicKey:
		size := (key.Curve.Params().N.BitLen() + 7) / 8
		if !a.ecdsa || len(signature) != 2*size {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(key, sum, r, s)
	}
	return false
}
