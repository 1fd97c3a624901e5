// Package delivery is the vocabulary of what travels to a conversation: an envelope with its body,
// and the outcome that comes back.
//
// Both are values. An envelope is passed on with a Done beside it; nothing is changed in an
// envelope that another part of the program holds. The gateway, operators and other conversations
// make envelopes, cluster/routing takes them to the leader of the conversation's shard, and actors
// receives them there. wire.go is their form between nodes, in both directions.
package delivery

import (
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Envelope is one delivery to a conversation.
type Envelope struct {
	To conversation.ID
	// Origin is the name of the node whose gateway took the webhook, for the journal; empty where
	// no webhook brought it.
	Origin string
	// Hops counts how often a conversation that is an alias has forwarded it.
	Hops int
	// Place is where a message stands among others, as the router says that takes it.
	Place Place
	Body  Body
}

// Body is what an envelope holds: an Inbound, an Identity, a Status, a ResolveRequest, a
// MergeOffer, or an Operation.
type Body interface {
	// repeatable: a second delivery changes nothing that the first has changed.
	repeatable() bool
}

// Inbound is a message of the user. The message becomes the conversation's, which changes it.
type Inbound struct {
	Message *wactorv1.Message
	User    *wactorv1.User
}

// Identity is the provider's report that a user has other ids from now on: User has the id of
// before as Id, and the new ones. The user has not written. Message is of type system: it becomes
// the conversation's, and the bot reads it.
type Identity struct {
	Message *wactorv1.Message
	User    *wactorv1.User
}

// Status is what the provider reports of a reply.
type Status struct {
	ReplyID string
	// Status is the provider's word, such as delivered.
	Status string
	// ProviderID is the provider's id of the sent message.
	ProviderID string
	// Code is the provider's error code where the status is failed, and Reason what it says about
	// it, without anything of a user.
	Code   int
	Reason string
	// AtMs is the provider's time of the status, in Unix milliseconds.
	AtMs int64
	// WindowClosed: it failed since the provider takes the customer service window for closed.
	WindowClosed bool
}

// ResolveRequest asks an identity to whom it belongs. By is the user of the conversation that
// claims it, and CreatedMs its age, which decides between two conversations.
type ResolveRequest struct {
	By        string
	CreatedMs int64
}

// MergeOffer offers an older conversation what waits in a younger one of the same user. Its
// messages are shared with its sender: copy them before they are changed.
type MergeOffer struct {
	From string
	User *wactorv1.User
	// AtMs is the provider's time of the webhook that named the user's identities.
	AtMs int64
	// Names belong to the younger conversation; Claims are those of which that is not known yet.
	Names, Claims []string
	Messages      []*wactorv1.Message
	// Ownership is who answers the user there; nil where that has ever been the bot.
	Ownership *wactorv1.Ownership
}

// Operation is a change that a principal of the admin API asks for: Request is one of that API's
// requests, such as a *wactorv1.SkipRequest, and By the principal's name.
type Operation struct {
	By      string
	Request proto.Message
}

func (Inbound) repeatable() bool        { return true }
func (Identity) repeatable() bool       { return true }
func (Status) repeatable() bool         { return true }
func (ResolveRequest) repeatable() bool { return true }
func (MergeOffer) repeatable() bool     { return true }
func (Operation) repeatable() bool      { return false }

// Repeatable reports whether an envelope may be delivered again when the fate of an attempt is
// unknown. Messages are recognised by their ids, statuses and requests of other conversations
// change nothing the second time. An operator's wish would be answered as if another operator had
// been first.
func (e Envelope) Repeatable() bool { return e.Body.repeatable() }

// Message returns what a bot is to read of an Inbound or an Identity; nil where the body is another
// one.
func (e Envelope) Message() *wactorv1.Message {
	switch b := e.Body.(type) {
	case Inbound:
		return b.Message
	case Identity:
		return b.Message
	}
	return nil
}

// Ordered reports whether the envelopes to one conversation must arrive in their order.
func (e Envelope) Ordered() bool {
	switch e.Body.(type) {
	case Inbound, Identity:
		return true
	}
	return false
}

// Fresh returns the envelope for another attempt, with a message of its own: the one before may
// have changed it, and may still hold it.
func (e Envelope) Fresh() Envelope {
	switch b := e.Body.(type) {
	case Inbound:
		b.Message = fresh(b.Message)
		e.Body = b
	case Identity:
		b.Message = fresh(b.Message)
		e.Body = b
	}
	return e
}

func fresh(message *wactorv1.Message) *wactorv1.Message {
	message = proto.CloneOf(message)
	message.Seq, message.Late = 0, false
	return message
}

// Done receives the outcome of a delivery, exactly once, on any goroutine. It must not block.
type Done func(Outcome)

// Outcome is what became of a delivery. Without an error it is on stable storage, unless the
// verdict is Overloaded.
type Outcome struct {
	Verdict conversation.Verdict
	// Err is the class of the failure, one of this package's errors, or another one where the
	// conversation can't be read.
	Err error
	// Leader, where Err is ErrNotLeader, is another node that may be the shard's leader; 0 where
	// none is known.
	Leader uint64
	// Answer is that to a ResolveRequest or a MergeOffer; nil where there is none.
	Answer *Answer
}

// Answer tells to whom an identity belongs, and which of the messages that it was offered it has.
type Answer struct {
	Owner string
	Taken []uint64
}
