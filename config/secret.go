package config

import (
	"fmt"
	"log/slog"
)

// Secret is a value that nothing shows: fmt (every verb), slog, JSON and YAML write *** in its
// place. Reveal returns it.
type Secret struct {
	value string
	// file is where the whole value was read from; empty where it came from elsewhere.
	file string
}

// NewSecret makes a secret of a text.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reread returns the secret as its file has it now. A secret that is not the whole content of a
// file (${file:path} or ${credential:NAME}, and nothing beside it) stays as it is. The error names
// the file, never its content; the secret is then the one before.
func (s Secret) Reread() (Secret, error) {
	if s.file == "" {
		return s, nil
	}
	content, err := readFile(s.file, maxReferenceBytes)
	if err != nil {
		return s, fmt.Errorf("config: read %s: %w", s.file, reason(err))
	}
	text := withoutLineBreak(content)
	if text == "" {
		return s, fmt.Errorf("config: %s is empty", s.file)
	}
	return Secret{value: text, file: s.file}, nil
}

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

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from JSON, YAML and what else knows encoding.TextMarshaler.
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
