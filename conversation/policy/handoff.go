package policy

import "time"

// Held says what becomes of the messages that came while the bot did not own the conversation, once
// it gets it back.
type Held int

const (
	// Context gives them to the bot's next turn as history: they start no turn.
	Context Held = iota
	// Run gives each a turn, as if it came now.
	Run
	// Forget absorbs them.
	Forget
)

// Words returns context, run and drop.
func (Held) Words() []string { return []string{"context", "run", "drop"} }

func (h Held) String() string { return write(h, h.Words()) }

// MarshalText returns the word.
func (h Held) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads a word; an *ErrWord where it is unknown.
func (h *Held) UnmarshalText(text []byte) error { return read(h, text, h.Words()) }

// Handoff governs conversations that a person answers for a time.
type Handoff struct {
	// Hold is how many messages are held, and how many the bot receives as history; the oldest are
	// absorbed first. Default 200; 1 to 1000.
	Hold int `yaml:"hold"`
	// Held is context, run or drop: what becomes of them where the one who gives the conversation
	// back names nothing else, and where its time is over. Default context.
	Held Held `yaml:"held"`
	// For is how long a person has a conversation that the bot gave away without a time. Default
	// 24h; up to 8760h. 0: until a person gives it back.
	For time.Duration `yaml:"for"`
	// OnEcho is how long a person has a conversation after words from the business's phone. Default
	// 1h; up to 8760h. 0: such words change nothing.
	OnEcho time.Duration `yaml:"on_echo"`
}
