package trust

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"
)

// minSecret is the length of the shortest text that is taken for a secret, in characters. A client
// that can open a connection to a node gets a certificate that its CA signed, and may try texts on
// it for as long as it likes: the text should be a random one, such as that of "openssl rand -hex
// 32". This bound only stops words.
const minSecret = 16

// ErrSecret is what NewSecrets returns for texts that can't be secrets.
var ErrSecret = errors.New("trust: unfit secret")

// What is derived from a text. Other strings would yield other keys: a node with them would not
// find its cluster.
const (
	gossipPurpose    = "wactor gossip key"
	authorityPurpose = "wactor cluster authority"
)

// Secrets are what makes nodes trust each other. The first one makes what this node shows, all of
// them are accepted of others. So a secret is replaced without downtime, one node after the other:
// add the new one as the second everywhere, make it the first everywhere, remove the old one.
type Secrets struct {
	derived []derived
}

// derived is what one text yields.
type derived struct {
	gossip    []byte
	authority ed25519.PrivateKey
}

// NewSecrets derives keys from texts of at least 16 characters, at least one text; white space
// around a text does not count, and a text that is there twice counts once. Equal texts yield equal
// keys on every node and in every version. The error is an ErrSecret and does not repeat the text.
func NewSecrets(texts []string) (*Secrets, error) {
	if len(texts) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrSecret)
	}
	s := &Secrets{}
	for i, text := range texts {
		text = strings.TrimSpace(text)
		if length := utf8.RuneCountInString(text); length < minSecret {
			return nil, fmt.Errorf("%w: number %d has %d characters, less than %d", ErrSecret, i+1, length, minSecret)
		}
		if err := s.add(text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Secrets) add(text string) error {
	gossip, err := derive(text, gossipPurpose)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.derived, func(d derived) bool { return bytes.Equal(d.gossip, gossip) }) {
		return nil
	}
	seed, err := derive(text, authorityPurpose)
	if err != nil {
		return err
	}
	s.derived = append(s.derived, derived{gossip: gossip, authority: ed25519.NewKeyFromSeed(seed)})
	return nil
}

// derive makes 32 bytes of a text, for an AES-256 key or an ed25519 seed. There is no salt: all
// nodes must come to the same.
func derive(text, purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(text), nil, purpose, ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("trust: derive the %s: %w", purpose, err)
	}
	return key, nil
}

// GossipKeys returns an AES-256 key for each secret. The first one encrypts, all of them decrypt.
func (s *Secrets) GossipKeys() [][]byte {
	keys := make([][]byte, len(s.derived))
	for i, d := range s.derived {
		keys[i] = bytes.Clone(d.gossip)
	}
	return keys
}

// Format keeps the keys out of whatever prints a Secrets.
func (s *Secrets) Format(out fmt.State, _ rune) { fmt.Fprintf(out, "%d secrets", len(s.derived)) }

// LogValue keeps the keys out of logs.
func (s *Secrets) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }
