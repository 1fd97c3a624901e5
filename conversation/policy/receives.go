package policy

import (
	"slices"

	"github.com/wactor/wactor/provider"
)

// Receives names the types of messages that start a turn; nil names all. Others are kept, and given
// to the next turn as its events.
type Receives []string

// UnsupportedFirst stands for a message of type unsupported that begins a session: the first
// message after a tap on an ad may come so.
const UnsupportedFirst = "unsupported_first"

// DefaultReceives are what a person sends to be answered.
var DefaultReceives = append(slices.Clone(Receives(provider.Said)), "request_welcome", UnsupportedFirst)

// Passive are the further types that may be named: what tells of a person, and asks for no answer.
var Passive = []string{"reaction", "edit", "revoke", "system", "unsupported"}

// Failed is the type of what the conversation itself has to say: that a reply failed after the
// provider had taken it. A bot receives it only where it is named.
const Failed = "failed"

// Failed reports whether replies that fail later start a turn.
func (r Receives) Failed() bool { return slices.Contains(r, Failed) }

// Starts reports whether a message of this type starts a turn. First says that it begins a session.
func (r Receives) Starts(kind string, first bool) bool {
	return r == nil || slices.Contains(r, kind) ||
		kind == "unsupported" && first && slices.Contains(r, UnsupportedFirst)
}
