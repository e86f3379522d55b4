package saml

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // the digest inside OAEP, where collisions do not matter; nearly every identity provider sends it
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"errors"

	"github.com/beevik/etree"
)

const (
	// maxCipherText is as much as one encrypted assertion may hold, in bytes of base64; a response is smaller anyway.
	maxCipherText = 512 << 10
	// maxWrappedKey is the output of RSA with the longest key that is used, 8,192 bits.
	maxWrappedKey = 1 << 10

	oaepMGF1SHA1 = nsEncryption + "rsa-oaep-mgf1p"
	oaepAnyMGF   = nsEncryption11 + "rsa-oaep"
	typeElement  = nsEncryption + "Element"
	typeKey      = nsEncryption + "EncryptedKey"

	gcmNonce, gcmTag = 12, 16
)

// contentCipher is an algorithm for the content: how long its key is, and whether it proves that nobody touched the ciphertext.
type contentCipher struct {
	keyBytes int
	cbc      bool
}

// contentCiphers are all that are opened (XML Encryption 1.1, 5.2). Triple DES is not.
var contentCiphers = map[string]contentCipher{
	nsEncryption11 + "aes128-gcm": {16, false},
	nsEncryption11 + "aes192-gcm": {24, false},
	nsEncryption11 + "aes256-gcm": {32, false},
	nsEncryption + "aes128-cbc":   {16, true},
	nsEncryption + "aes192-cbc":   {24, true},
	nsEncryption + "aes256-cbc":   {32, true},
}

// oaepDigests and maskDigests are the hashes inside OAEP (XML Encryption 1.1, 5.5.2).
var oaepDigests = map[string]crypto.Hash{
	"":                      crypto.SHA1,
	nsSignature + "sha1":    crypto.SHA1,
	nsEncryption + "sha256": crypto.SHA256,
	"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
	nsEncryption + "sha512":                         crypto.SHA512,
}

var maskDigests = map[string]crypto.Hash{
	"":                            crypto.SHA1,
	nsEncryption11 + "mgf1sha1":   crypto.SHA1,
	nsEncryption11 + "mgf1sha224": crypto.SHA224,
	nsEncryption11 + "mgf1sha256": crypto.SHA256,
	nsEncryption11 + "mgf1sha384": crypto.SHA384,
	nsEncryption11 + "mgf1sha512": crypto.SHA512,
}

// sealed is an EncryptedData that has been read and not yet opened.
type sealed struct {
	cipher  contentCipher
	oaep    rsa.OAEPOptions
	wrapped []byte // the content key under our public key
	content []byte
}

// decrypt opens the one EncryptedData in el (EncryptedAssertion, EncryptedID) and returns its plaintext, which nobody has verified yet: it goes
// through every gate like a message from a stranger. Each key is tried, so that a rotation loses nothing.
//
// What is wrong with the form is said openly (malformed, algorithm_not_allowed): the sender knows it anyway. What depends on a private key
// is answered by the one error of cannotDecrypt, reached by the same path whether the key, the padding or the tag was wrong.
//
// AES-CBC proves nothing about its plaintext. Its allowance is for identity providers that cannot do better, and whoever allows it must also
// answer cannotDecrypt for all that goes wrong between here and a verified signature (usesCBC tells): any difference is the oracle that
// reads the assertion (Jager and Somorovsky, How to Break XML Encryption, 2011).
func decrypt(el *etree.Element, keys []*rsa.PrivateKey, allowCBC bool) ([]byte, error) {
	s, err := readSealed(el)
	if err != nil {
		return nil, err
	}
	if s.cipher.cbc && !allowCBC {
		return nil, refuse(CodeAlgorithmNotAllowed, "AES-128-GCM or AES-256-GCM", "AES-CBC",
			"The assertion is encrypted with AES-CBC, which does not show tampering. Choose AES-GCM at the identity provider; if it has none, set the connection's option allow_cbc to true (options.allow_cbc).")
	}
	plain, err := s.open(s.unwrap(keys))
	if err != nil {
		return nil, cannotDecrypt()
	}
	return plain, nil
}

// cannotDecrypt is the one answer for everything that depends on a private key.
func cannotDecrypt() *Error {
	e := refuse(CodeMalformed, "encrypted to the certificate in the connection's service provider metadata", "",
		"The encrypted assertion could not be opened with any key of this connection. The identity provider has to encrypt to the certificate in this connection's service provider metadata.")
	e.Detail = "decryption_failed"
	return e
}

// usesCBC reports whether the EncryptedData in el names a cipher without authentication.
func usesCBC(el *etree.Element) bool {
	s, err := readSealed(el)
	return err == nil && s.cipher.cbc
}

func unreadable(format string, args ...any) *Error {
	e := refuse(CodeMalformed, "", "", "The encrypted assertion is malformed: "+format+".", args...)
	e.Detail = "encryption_malformed"
	return e
}

func unsupported(what, got, wanted string) *Error {
	return refuse(CodeAlgorithmNotAllowed, wanted, got, "The assertion is encrypted with %s that is not allowed.", what)
}

func readSealed(el *etree.Element) (*sealed, error) {
	data, err := onlyChild(el, "EncryptedData")
	if err != nil {
		return nil, err
	}
	if t := data.SelectAttrValue("Type", typeElement); t != typeElement {
		return nil, unreadable("EncryptedData has another type than an element")
	}
	key, err := findKey(el, data)
	if err != nil {
		return nil, err
	}
	s := &sealed{}
	if s.cipher, err = readCipher(data); err != nil {
		return nil, err
	}
	if s.oaep, err = readTransport(key); err != nil {
		return nil, err
	}
	if s.wrapped, err = readValue(key, maxWrappedKey*2); err != nil {
		return nil, err
	}
	s.content, err = readValue(data, maxCipherText)
	return s, err
}

// findKey gives the one EncryptedKey: inside the KeyInfo of data, or beside data, where a RetrievalMethod may point to it. With a second one
// somebody could choose which of two contents is read.
func findKey(el, data *etree.Element) (*etree.Element, error) {
	keys := childrenNamed(el, nsEncryption, "EncryptedKey")
	var retrievals []*etree.Element
	for _, info := range childrenNamed(data, nsSignature, "KeyInfo") {
		keys = append(keys, childrenNamed(info, nsEncryption, "EncryptedKey")...)
		retrievals = append(retrievals, childrenNamed(info, nsSignature, "RetrievalMethod")...)
	}
	if len(keys) != 1 {
		return nil, unreadable("it must hold exactly one EncryptedKey")
	}
	key := keys[0]
	for _, r := range retrievals {
		id := key.SelectAttrValue("Id", "")
		if id == "" || r.SelectAttrValue("URI", "") != "#"+id || r.SelectAttrValue("Type", typeKey) != typeKey || len(r.ChildElements()) > 0 {
			return nil, unreadable("its RetrievalMethod does not point to its EncryptedKey")
		}
	}
	return key, nil
}

func readCipher(data *etree.Element) (contentCipher, error) {
	method, err := onlyChild(data, "EncryptionMethod")
	if err != nil {
		return contentCipher{}, err
	}
	algorithm := method.SelectAttrValue("Algorithm", "")
	c, ok := contentCiphers[algorithm]
	if !ok {
		return c, unsupported("a cipher", algorithm, "AES-128-GCM, AES-192-GCM or AES-256-GCM")
	}
	return c, nil
}

// readTransport reads how the content key is wrapped. RSA PKCS #1 v1.5 is refused: its padding is an oracle (Bleichenbacher, 1998).
func readTransport(key *etree.Element) (rsa.OAEPOptions, error) {
	method, err := onlyChild(key, "EncryptionMethod")
	if err != nil {
		return rsa.OAEPOptions{}, err
	}
	options := rsa.OAEPOptions{MGFHash: crypto.SHA1}
	algorithm := method.SelectAttrValue("Algorithm", "")
	if algorithm != oaepMGF1SHA1 && algorithm != oaepAnyMGF {
		return options, unsupported("a key transport", algorithm, "RSA-OAEP")
	}
	digest, err := algorithmOf(method, nsSignature, "DigestMethod")
	if err != nil {
		return options, err
	}
	mask, err := algorithmOf(method, nsEncryption11, "MGF")
	if err != nil {
		return options, err
	}
	if algorithm == oaepMGF1SHA1 && mask != "" {
		return options, unreadable("rsa-oaep-mgf1p names a mask function of its own")
	}
	for _, params := range childrenNamed(method, nsEncryption, "OAEPparams") {
		if text, ok := plainText(params); !ok || text != "" {
			return options, unreadable("OAEP parameters are not supported")
		}
	}
	var known [2]bool
	options.Hash, known[0] = oaepDigests[digest]
	options.MGFHash, known[1] = maskDigests[mask]
	if !known[0] || !known[1] {
		return options, unsupported("a digest inside RSA-OAEP", digest+" "+mask, "SHA-1, SHA-256, SHA-384 or SHA-512")
	}
	return options, nil
}

// algorithmOf gives the Algorithm of the child of that name, "" if there is none.
func algorithmOf(el *etree.Element, namespace, tag string) (string, error) {
	found := childrenNamed(el, namespace, tag)
	if len(found) == 0 {
		return "", nil
	}
	algorithm := found[0].SelectAttrValue("Algorithm", "")
	if len(found) > 1 || algorithm == "" {
		return "", unreadable("its %s must name one algorithm", tag)
	}
	return algorithm, nil
}

// readValue reads CipherData/CipherValue. A CipherReference would have us fetch something, so it is nothing we know.
func readValue(el *etree.Element, most int) ([]byte, error) {
	data, err := onlyChild(el, "CipherData")
	if err != nil {
		return nil, err
	}
	value, err := onlyChild(data, "CipherValue")
	if err != nil {
		return nil, err
	}
	text, ok := plainText(value)
	if !ok || len(text) > most {
		return nil, unreadable("a CipherValue is too long or holds more than text")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(withoutSpace(text))
	if err != nil {
		return nil, unreadable("a CipherValue is not base64")
	}
	return raw, nil
}

// unwrap recovers the content key. Where no key fits it goes on with a random one, so that what follows is the same work with the same end.
func (s *sealed) unwrap(keys []*rsa.PrivateKey) []byte {
	content := make([]byte, s.cipher.keyBytes)
	rand.Read(content)
	for _, key := range keys {
		if opened, err := key.Decrypt(nil, s.wrapped, &s.oaep); err == nil && len(opened) == s.cipher.keyBytes {
			content = opened
		}
	}
	return content
}

var errSealed = errors.New("the content does not open")

func (s *sealed) open(key []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errSealed
	}
	if s.cipher.cbc {
		return openCBC(block, s.content)
	}
	if len(s.content) < gcmNonce+gcmTag {
		return nil, errSealed
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, errSealed
	}
	return gcm.Open(nil, s.content[:gcmNonce], s.content[gcmNonce:], nil)
}

// openCBC undoes AES-CBC with the padding of XML Encryption 5.2.1: the last byte says how many bytes were added, the others are arbitrary.
func openCBC(block cipher.Block, content []byte) ([]byte, error) {
	if len(content) < 2*aes.BlockSize || len(content)%aes.BlockSize != 0 {
		return nil, errSealed
	}
	plain := make([]byte, len(content)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, content[:aes.BlockSize]).CryptBlocks(plain, content[aes.BlockSize:])
	added := int(plain[len(plain)-1])
	if added < 1 || added > aes.BlockSize {
		return nil, errSealed
	}
	return plain[:len(plain)-added], nil
}

// onlyChild gives the one child of XML Encryption with that name.
func onlyChild(el *etree.Element, tag string) (*etree.Element, error) {
	found := childrenNamed(el, nsEncryption, tag)
	if len(found) != 1 {
		return nil, unreadable("%s must hold exactly one %s", shown(el.Tag), tag)
	}
	return found[0], nil
}
