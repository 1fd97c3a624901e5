package provider

import (
	"fmt"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Outgoing is one reply on its way to a user.
type Outgoing struct {
	// To is what is known of the recipient: a phone, an id of the provider's, or both.
	To *wactorv1.User
	// ReplyID names the reply. A provider that echoes a reference gets it with the message and
	// returns it in the statuses.
	ReplyID string
	Reply   *wactorv1.Reply
	// Answers is the id of the newest message that this reply answers, for read marks; may be
	// empty.
	Answers string
}

// Outcome is what became of one attempt to send.
type Outcome int

// The outcomes. Only Unknown is always safe to report: every other one is a claim about what the
// provider did.
const (
	// Sent: the provider accepted the reply.
	Sent Outcome = iota
	// RetryLater: rejected before processing; the same attempt may succeed later, and can't double.
	RetryLater
	// PairLimited: as RetryLater, since this user got too many replies in a short time.
	PairLimited
	// ChannelLimited: as RetryLater, since the channel sends too fast.
	ChannelLimited
	// ChannelHeld: the channel can't send at all (token, permission, payment) until an operator
	// acts; the reply waits and nothing is lost.
	ChannelHeld
	// Refused: the provider will never send this reply; it becomes a dead letter.
	Refused
	// Unknown: the reply may have been sent; it is in doubt.
	Unknown
)

// Outcomes are all outcomes, in order.
var Outcomes = []Outcome{Sent, RetryLater, PairLimited, ChannelLimited, ChannelHeld, Refused, Unknown}

var outcomeWords = [...]string{
	"sent", "retry_later", "pair_limited", "channel_limited", "channel_held", "refused", "unknown",
}

// String returns the word for metrics and logs, such as pair_limited.
func (o Outcome) String() string {
	if o < 0 || int(o) >= len(outcomeWords) {
		return fmt.Sprintf("Outcome(%d)", int(o))
	}
	return outcomeWords[o]
}

// Result is the report of one attempt to send.
type Result struct {
	Outcome Outcome
	// ProviderID is the provider's id of the message, where it was sent and named.
	ProviderID string
	// Code is the provider's error code, for logs; 0 where there is none. No decision depends on
	// it.
	Code int
	// Reason says what went wrong, up to 500 bytes; never a text of the user.
	Reason string
	// RetryAfter is the least wait before the next attempt, where the provider named one.
	RetryAfter time.Duration
	// FileGone: refused, perhaps since the provider has a file no longer that the reply names by
	// its id. Nothing was sent.
	FileGone bool
	// NotTried: nothing was sent, since the channel is paced or can't send. It is not counted as an
	// attempt and not noted.
	NotTried bool
}
