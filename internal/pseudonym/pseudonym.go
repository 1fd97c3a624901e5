// Package pseudonym names conversations in logs by what does not show whose they are.
package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// Length is the number of characters of a name: lower-case hexadecimal digits.
const Length = 16

// Namer makes the names. With its key one could try phone numbers until one fits, so the key is a
// secret of the cluster.
type Namer struct{ key [sha256.Size]byte }

// New derives a Namer of a secret. Nodes of one secret give a conversation the same name, at every
// start.
func New(secret string) Namer {
	return Namer{key: sha256.Sum256([]byte("wactor log names\x00" + secret))}
}

// Name names a conversation.
func (n Namer) Name(conversation string) string {
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write([]byte(conversation))
	return hex.EncodeToString(mac.Sum(nil)[:Length/2])
}

// Is reports whether a text looks like a name.
func Is(text string) bool {
	if len(text) != Length {
		return false
	}
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
