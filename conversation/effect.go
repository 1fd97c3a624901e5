package conversation

import (
	"fmt"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Effect is something that the caller must do, in the order in which Step returned it.
type Effect interface{ effect() }

// Commit must be proposed to the shard's log. The answer comes back as Committed; anything else
// ends the activation.
type Commit struct {
	// Revision is what the conversation's revision will be.
	Revision uint64
	// Command is to be completed by the name of the activation's chain.
	Command *wactorv1.Commit
	// Journal is what the commit tells, for metrics; it is in Command already.
	Journal []*wactorv1.JournalEntry
	// Lazy: nothing waits for it, nor will it, until something else happens here. It may take a few
	// milliseconds longer.
	Lazy bool
}

// Respond ends a delivery: the gateway may answer.
type Respond struct {
	Ref     uint64
	Verdict Verdict
}

// CallBot runs the bot. The answer comes back as Answered, Failed or (inline only) Deferred.
type CallBot struct {
	Turn *Turn
	// Inline asks for an answer before any other event: the commit of the message's acceptance
	// waits for it.
	Inline bool
}

// CancelBot cancels the bot call of a turn; what it answers all the same is ignored. A CallBot that
// follows must not begin before that call has returned.
type CancelBot struct{ Turn *Turn }

// Send posts a reply to the provider; the result comes back as SendDone.
type Send struct {
	Seq      uint64
	Try      uint32
	Outgoing *provider.Outgoing
}

// Forward delivers a message that arrived here to the conversation that this identity belongs to.
// Its delivery is answered from there.
type Forward struct {
	Ref uint64
	To  ID
}

// RequestResolve sends another identity a ResolveRequest; the answer comes back as ResolveReply.
// Where none comes the request is repeated.
type RequestResolve struct {
	To        ID
	By        string
	CreatedMs int64
}

// ReplyPeer answers a ResolveRequest or a MergeOffer: to whom the identity belongs, and which of
// the offered messages it has.
type ReplyPeer struct {
	Ref   uint64
	Owner string
	Taken []uint64
}

// OfferMerge sends what waits here to an older conversation of the same user as a MergeOffer; the
// answer comes back as MergeResult. Messages are to be copied before they are changed.
type OfferMerge struct {
	To   ID
	From string
	User *wactorv1.User
	// ToldMs is the provider's time of the webhook that told who the user is.
	ToldMs int64
	// Names belong to this conversation, Claims are those of which that is not known yet.
	Names, Claims []string
	Messages      []*wactorv1.Message
}

// Alarm asks for a Ticked at this time (Unix milliseconds); it replaces the alarm before. 0 cancels
// it.
type Alarm struct{ AtMs int64 }

func (Commit) effect()         {}
func (Respond) effect()        {}
func (CallBot) effect()        {}
func (CancelBot) effect()      {}
func (Forward) effect()        {}
func (RequestResolve) effect() {}
func (ReplyPeer) effect()      {}
func (OfferMerge) effect()     {}
func (Send) effect()           {}
func (Alarm) effect()          {}

// Verdict is the answer to a delivery.
type Verdict int

const (
	// Accepted: the message is on stable storage.
	Accepted Verdict = iota + 1
	// Duplicate: the message was accepted before, and is on stable storage.
	Duplicate
	// Overloaded: a limit of this conversation is reached; nothing was kept, the provider shall
	// send again.
	Overloaded
	// Unretryable: a dead letter holds nothing that could be tried again; nothing was changed.
	Unretryable
)

func (v Verdict) String() string {
	switch v {
	case Accepted:
		return "accepted"
	case Duplicate:
		return "duplicate"
	case Overloaded:
		return "overloaded"
	case Unretryable:
		return "unretryable"
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}
