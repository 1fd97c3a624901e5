package cloudapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/url"
	"strings"
)

// SignatureHeader is the header in which Meta signs a webhook: "sha256=" and the hex HMAC-SHA256 of
// the body under the app secret. It holds no time and no nonce: a captured body can be replayed,
// and only deduplication helps against that. Source: Meta, "Create a webhook endpoint".
const SignatureHeader = "X-Hub-Signature-256"

const signaturePrefix = "sha256="

// Verify says whether one of the secrets signed this body. The body must be the bytes from the
// wire: Meta signs them with their \uXXXX escapes, so a body that was parsed and written again, or
// decompressed by a proxy, does not verify.
//
// Several secrets are for rotation, and for several apps that share a callback. Every secret is
// tried, and compared in constant time. An empty secret signs nothing: a channel that has none
// configured must not accept what anybody can sign.
func Verify(secrets []string, header string, body []byte) bool {
	given, ok := parseSignature(header)
	if !ok {
		return false
	}
	matched := 0
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		matched |= subtle.ConstantTimeCompare(mac(secret, body), given[:])
	}
	return matched == 1
}

// Sign makes the header value with which Meta would sign this body.
func Sign(secret string, body []byte) string {
	return signaturePrefix + hex.EncodeToString(mac(secret, body))
}

// MalformedSignature says that no body can match this header: it can be refused before the body is
// read.
func MalformedSignature(header string) bool {
	_, ok := parseSignature(header)
	return !ok
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

// Handshake answers the GET with which Meta verifies a callback whenever its address or token is
// saved: the challenge is the body of a 200 (text/plain), where ok; anything else leaves the
// callback unverified. An empty verifyToken accepts nothing. Source: Meta, "Create a webhook
// endpoint".
func Handshake(query url.Values, verifyToken string) (challenge string, ok bool) {
	challenge = query.Get("hub.challenge")
	if query.Get("hub.mode") != "subscribe" || challenge == "" || verifyToken == "" {
		return "", false
	}
	if subtle.ConstantTimeCompare([]byte(query.Get("hub.verify_token")), []byte(verifyToken)) != 1 {
		return "", false
	}
	return challenge, true
}
