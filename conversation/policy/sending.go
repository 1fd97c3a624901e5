package policy

import "time"

// Then says what happens to an in-doubt reply of which no status came.
type Then int

const (
	// Resend sends it again, which may double it.
	Resend Then = iota
	// Park makes it a dead letter.
	Park
)

// Words returns resend and park.
func (Then) Words() []string { return []string{"resend", "park"} }

func (t Then) String() string { return write(t, t.Words()) }

// MarshalText returns the word.
func (t Then) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a word; an *ErrWord where it is unknown.
func (t *Then) UnmarshalText(text []byte) error { return read(t, text, t.Words()) }

// InDoubt governs replies of which it is unknown whether the provider took them.
type InDoubt struct {
	// Wait is how long a status of such a reply is awaited. Default 15s; 1s to 1h.
	Wait time.Duration `yaml:"wait"`
	// Max bounds the wait while no status of any reply arrives on the channel: then it may be the
	// ingress that is down, and not the reply that was lost. Default 10m; Wait to 24h.
	Max time.Duration `yaml:"max"`
	// Then is resend or park. Default resend.
	Then Then `yaml:"then"`
}

// Await is the status of a reply that the next one to the same user waits for.
type Await int

// The statuses that a reply may wait for.
const (
	AwaitNone Await = iota
	AwaitSent
	AwaitDelivered
)

// Words returns none, sent and delivered.
func (Await) Words() []string { return []string{"none", "sent", "delivered"} }

func (a Await) String() string { return write(a, a.Words()) }

// MarshalText returns the word.
func (a Await) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads a word; an *ErrWord where it is unknown.
func (a *Await) UnmarshalText(text []byte) error { return read(a, text, a.Words()) }

// Sending governs how replies leave.
type Sending struct {
	// PairBurst replies to one user may leave at once, and one in PairEvery from then on: the
	// provider's pair rate. 0 is off.
	PairBurst int
	PairEvery time.Duration
	// Await makes the next reply wait for a status of the one before, at most AwaitMax (default
	// 10 s).
	Await    Await
	AwaitMax time.Duration
	// Window is the customer service window: so long after the user's last message replies other
	// than templates are taken. Later ones become dead letters unsent. 0 is off.
	Window time.Duration
}
