package fit

import "fmt"

// Mode says what becomes of a bot's reply that is past a limit. The zero Mode is Cut.
type Mode int

const (
	// ModeCut makes it fit, as package doc says.
	ModeCut Mode = iota
	// ModeRefuse fails the turn.
	ModeRefuse
)

// modes are the words of the configuration.
var modes = [...]string{"cut", "refuse"}

// String returns the word of the configuration.
func (m Mode) String() string { return modes[m] }

// MarshalText returns the word of the configuration.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Words returns the words of the configuration.
func (m Mode) Words() []string { return modes[:] }

// UnmarshalText reads the word of the configuration; the error lists those that there are.
func (m *Mode) UnmarshalText(text []byte) error {
	for i, word := range modes {
		if word == string(text) {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("must be cut or refuse, not %q", text)
}
