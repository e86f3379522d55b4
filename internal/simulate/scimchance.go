package simulate

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strings"
)

// What is stable is the same for the same seed and name, whatever was asked before; what is random comes from the seed in order.

func stableBytes(seed uint64, name string) []byte {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), strings.ToLower(name)...))
	return sum[:]
}

func uuidOf(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func stableUUID(seed uint64, name string) string { return uuidOf(stableBytes(seed, name)) }

func (c *SCIMClient) ofStable(s *scene, name string) (any, bool) {
	subject := ""
	switch {
	case s.person != nil:
		subject = s.person.Person.userName()
	case s.group != nil:
		subject = "group " + s.group.Name
	}
	sum := stableBytes(c.seed, subject)
	switch name {
	case "uuid":
		return uuidOf(sum), true
	case "base": // letters and digits, 17 of them
		return lettersOf(sum), true
	case "hex":
		return hex.EncodeToString(sum[:12]), true
	case "number":
		return new(big.Int).SetUint64(uint64(binary.BigEndian.Uint32(sum))).String(), true
	}
	return nil, false
}

func (c *SCIMClient) ofRandom(name string) (any, bool) {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, c.random.Uint64()), c.random.Uint64())
	switch name {
	case "uuid":
		return uuidOf(b), true
	case "password":
		return lettersOf(b)[:12], true
	}
	return nil, false
}

func lettersOf(b []byte) string {
	const length = 17
	text := new(big.Int).SetBytes(b).Text(62)
	return strings.Repeat("0", max(0, length-len(text))) + text[:min(length, len(text))]
}

// known makes a person one whom the server may not know yet, with the provider's own id.
func known(p Person, c *SCIMClient) (*Known, error) {
	k := &Known{Person: p, ExternalID: p.ID}
	if k.ExternalID != "" {
		return k, nil
	}
	var err error
	k.ExternalID, err = c.text(&scene{person: k}, c.dialect.ExternalID, plain)
	return k, err
}
