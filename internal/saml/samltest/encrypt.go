package samltest

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // the digests of OAEP
	_ "crypto/sha256" // likewise
	_ "crypto/sha512" // likewise
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"

	"github.com/beevik/etree"
)

// The algorithms that Encrypt knows (XML Encryption 1.1, 5).
const (
	AES128GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	AES192GCM = "http://www.w3.org/2009/xmlenc11#aes192-gcm"
	AES256GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	AES128CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	AES192CBC = "http://www.w3.org/2001/04/xmlenc#aes192-cbc"
	AES256CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"

	OAEP    = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	OAEP11  = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	PKCS1v1 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"

	DigestSHA1   = "http://www.w3.org/2000/09/xmldsig#sha1"
	DigestSHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
	DigestSHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	DigestSHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
	MaskSHA1     = "http://www.w3.org/2009/xmlenc11#mgf1sha1"
	MaskSHA224   = "http://www.w3.org/2009/xmlenc11#mgf1sha224"
	MaskSHA256   = "http://www.w3.org/2009/xmlenc11#mgf1sha256"
	MaskSHA384   = "http://www.w3.org/2009/xmlenc11#mgf1sha384"
	MaskSHA512   = "http://www.w3.org/2009/xmlenc11#mgf1sha512"
)

// KeyPlace is where the EncryptedKey stands.
type KeyPlace int

// The places that are seen in the wild.
const (
	KeyInside      KeyPlace = iota // in EncryptedData/KeyInfo: nearly everybody
	KeyBeside                      // behind EncryptedData, with nothing that points to it
	KeyByRetrieval                 // behind EncryptedData, and a RetrievalMethod points to it: Shibboleth 2, OpenSAML
)

// Sealing says how to encrypt. The zero value is AES-256-GCM and RSA-OAEP with SHA-1, the key inside: what a present identity provider sends.
type Sealing struct {
	Cipher    string // AES256GCM if empty
	Transport string // OAEP if empty
	Digest    string // none is written if empty, which means SHA-1
	Mask      string // likewise; only OAEP11 has one
	Place     KeyPlace
	Key       []byte                    // the content key; random if empty
	Pad       func(plain []byte) []byte // for CBC: instead of the padding of the standard
}

// Encrypt makes an EncryptedAssertion of plaintext for the holder of the key. What is wrong with it is put in afterwards, by changing the tree.
func Encrypt(plaintext []byte, to *rsa.PublicKey, s Sealing) (*etree.Element, error) {
	s.Cipher, s.Transport = or(s.Cipher, AES256GCM), or(s.Transport, OAEP)
	if len(s.Key) == 0 {
		s.Key = make([]byte, map[string]int{AES128GCM: 16, AES128CBC: 16, AES192GCM: 24, AES192CBC: 24}[s.Cipher])
		if len(s.Key) == 0 {
			s.Key = make([]byte, 32)
		}
		rand.Read(s.Key)
	}
	content, err := s.content(plaintext)
	if err != nil {
		return nil, err
	}
	wrapped, err := s.wrap(to)
	if err != nil {
		return nil, err
	}
	return s.element(content, wrapped), nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func (s Sealing) content(plaintext []byte) ([]byte, error) {
	block, err := aes.NewCipher(s.Key)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(s.Cipher, "-cbc") {
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, gcm.NonceSize())
		rand.Read(nonce)
		return gcm.Seal(nonce, nonce, plaintext, nil), nil
	}
	pad := s.Pad
	if pad == nil {
		pad = padded
	}
	plain := pad(plaintext)
	if len(plain)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("%d bytes are no whole blocks", len(plain))
	}
	out := make([]byte, aes.BlockSize+len(plain))
	rand.Read(out[:aes.BlockSize])
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(out[aes.BlockSize:], plain)
	return out, nil
}

// padded pads as XML Encryption 5.2.1 says: arbitrary bytes and, last, how many.
func padded(plain []byte) []byte {
	n := aes.BlockSize - len(plain)%aes.BlockSize
	fill := make([]byte, n)
	rand.Read(fill)
	fill[n-1] = byte(n)
	return append(append([]byte{}, plain...), fill...)
}

func (s Sealing) wrap(to *rsa.PublicKey) ([]byte, error) {
	if s.Transport == PKCS1v1 {
		return wrapPKCS1(s.Key, to), nil
	}
	digests := map[string]crypto.Hash{"": crypto.SHA1, DigestSHA1: crypto.SHA1, DigestSHA256: crypto.SHA256, DigestSHA384: crypto.SHA384, DigestSHA512: crypto.SHA512}
	masks := map[string]crypto.Hash{"": crypto.SHA1, MaskSHA1: crypto.SHA1, MaskSHA224: crypto.SHA224, MaskSHA256: crypto.SHA256, MaskSHA384: crypto.SHA384, MaskSHA512: crypto.SHA512}
	return rsa.EncryptOAEPWithOptions(rand.Reader, to, s.Key, &rsa.OAEPOptions{Hash: digests[s.Digest], MGFHash: masks[s.Mask]})
}

// wrapPKCS1 pads as RFC 8017 7.2.1 says; the standard library no longer wants to be asked for it.
func wrapPKCS1(key []byte, to *rsa.PublicKey) []byte {
	block := make([]byte, to.Size())
	block[1] = 2
	fill := block[2 : len(block)-len(key)-1]
	rand.Read(fill)
	for i := range fill {
		fill[i] |= 1 // not zero, which would end the padding
	}
	copy(block[len(block)-len(key):], key)
	c := new(big.Int).Exp(new(big.Int).SetBytes(block), big.NewInt(int64(to.E)), to.N)
	return c.FillBytes(make([]byte, to.Size()))
}

func (s Sealing) element(content, wrapped []byte) *etree.Element {
	outer := etree.NewElement("saml:EncryptedAssertion")
	outer.CreateAttr("xmlns:saml", "urn:oasis:names:tc:SAML:2.0:assertion")
	data := outer.CreateElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#")
	data.CreateAttr("Type", "http://www.w3.org/2001/04/xmlenc#Element")
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", s.Cipher)
	info := data.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	value(data, content)
	place := info
	if s.Place != KeyInside {
		place = outer
	}
	key := place.CreateElement("xenc:EncryptedKey")
	key.CreateAttr("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#")
	key.CreateAttr("Id", "_key")
	method := key.CreateElement("xenc:EncryptionMethod")
	method.CreateAttr("Algorithm", s.Transport)
	if s.Digest != "" {
		digest := method.CreateElement("ds:DigestMethod")
		digest.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
		digest.CreateAttr("Algorithm", s.Digest)
	}
	if s.Mask != "" {
		mask := method.CreateElement("xenc11:MGF")
		mask.CreateAttr("xmlns:xenc11", "http://www.w3.org/2009/xmlenc11#")
		mask.CreateAttr("Algorithm", s.Mask)
	}
	value(key, wrapped)
	switch s.Place {
	case KeyByRetrieval:
		pointer := info.CreateElement("ds:RetrievalMethod")
		pointer.CreateAttr("Type", "http://www.w3.org/2001/04/xmlenc#EncryptedKey")
		pointer.CreateAttr("URI", "#_key")
	case KeyBeside:
		data.RemoveChild(info)
	case KeyInside:
	}
	return outer
}

func value(el *etree.Element, raw []byte) {
	el.CreateElement("xenc:CipherData").CreateElement("xenc:CipherValue").SetText(base64.StdEncoding.EncodeToString(raw))
}
