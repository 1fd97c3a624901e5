package cloudapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"net/url"
	"strings"
	"sync"
)

// SignatureHeader is the header in which Meta signs a webhook: "sha256=" and the hex HMAC-SHA256 of
// the body under the app secret. It holds no time and no nonce: a captured body can be replayed,
// and only deduplication helps against that. Source: Meta, "Create a webhook endpoint".
const SignatureHeader = "X-Hub-Signature-256"

const signaturePrefix = "sha256="

// signature checks one body against every secret of a channel while it arrives. The bytes must be
// those of the wire: Meta signs them with their \uXXXX escapes, so a body that was parsed and
// written again, or decompressed by a proxy, does not verify.
type signature struct {
	given [sha256.Size]byte
	first hash.Hash // almost every channel has one secret
	more  []hash.Hash
	home  *sync.Pool
}

// newSignature makes the check for these secrets; nil where none can sign. Several are for
// rotation, and for several apps that share a callback. An empty secret signs nothing: a channel
// that has none configured must not accept what anyone can sign.
func newSignature(secrets []string) *signature {
	s := &signature{}
	for _, secret := range secrets {
		switch {
		case secret == "":
		case s.first == nil:
			s.first = hmac.New(sha256.New, []byte(secret))
		default:
			s.more = append(s.more, hmac.New(sha256.New, []byte(secret)))
		}
	}
	if s.first == nil {
		return nil
	}
	return s
}

// begin makes it ready for another body.
func (s *signature) begin(given [sha256.Size]byte) {
	s.given = given
	s.first.Reset()
	for _, one := range s.more {
		one.Reset()
	}
}

// Write implements provider.Signature.
func (s *signature) Write(part []byte) (int, error) {
	s.first.Write(part)
	for _, one := range s.more {
		one.Write(part)
	}
	return len(part), nil
}

// Authentic implements provider.Signature. Every secret is compared, in constant time. It ends the
// check: the keys, which cost more to set up than a webhook to hash, are taken for another one.
func (s *signature) Authentic() bool {
	matched := s.matches(s.first)
	for _, one := range s.more {
		matched |= s.matches(one)
	}
	s.home.Put(s)
	return matched == 1
}

func (s *signature) matches(one hash.Hash) int {
	var sum [sha256.Size]byte
	return subtle.ConstantTimeCompare(one.Sum(sum[:0]), s.given[:])
}

// Sign makes the header value with which Meta would sign this body.
func Sign(secret string, body []byte) string {
	return signaturePrefix + hex.EncodeToString(mac(secret, body))
}

func parseSignature(header string) (sum [sha256.Size]byte, ok bool) {
	digits, found := strings.CutPrefix(header, signaturePrefix)
	if !found || len(digits) != hex.EncodedLen(len(sum)) {
		return sum, false
	}
	_, err := hex.Decode(sum[:], []byte(digits))
	return sum, err == nil
}

func mac(secret string, body []byte) []byte {
	hash := hmac.New(sha256.New, []byte(secret))
	hash.Write(body)
	return hash.Sum(nil)
}

// handshake answers the GET with which Meta verifies a callback whenever its address or token is
// saved: the challenge is the body of a 200 (text/plain), where ok; anything else leaves the
// callback unverified. An empty verifyToken accepts nothing. Source: Meta, "Create a webhook
// endpoint".
func handshake(query url.Values, verifyToken string) (challenge string, ok bool) {
	challenge = query.Get("hub.challenge")
	if query.Get("hub.mode") != "subscribe" || challenge == "" || verifyToken == "" {
		return "", false
	}
	if subtle.ConstantTimeCompare([]byte(query.Get("hub.verify_token")), []byte(verifyToken)) != 1 {
		return "", false
	}
	return challenge, true
}
