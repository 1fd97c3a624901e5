// Package secret keeps values that nothing may show: tokens, passwords and the like.
package secret

import "fmt"

// Secret is a value that nothing shows: fmt (every verb), slog, JSON and YAML write *** in its
// place. Reveal returns it.
type Secret struct {
	value string
	// file is where the whole value was read from; empty where it came from elsewhere.
	file string
}

// New makes a secret of a text.
func New(value string) Secret { return Secret{value: value} }

// FromFile makes a secret of what a file holds, and nothing beside it.
func FromFile(value, file string) Secret { return Secret{value, file} }

// File names the file whose whole content the secret is; empty where there is none.
func (s Secret) File() string { return s.file }

// Reveal returns the text. Its callers are all places where a secret leaves.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.value == "" }

// String returns ***, or nothing where there is no secret.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return "***"
}

// Format hides the secret from every verb: %#v and %x would look inside.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(s.String())) }

// MarshalText hides the secret from slog, JSON, YAML and what else knows encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Secrets is one secret, or several of which any fits.
type Secrets []Secret

// Reveal returns the texts.
func (s Secrets) Reveal() []string {
	out := make([]string, len(s))
	for i, secret := range s {
		out[i] = secret.Reveal()
	}
	return out
}
