package conversation

import (
	"time"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Event is something that happened to a conversation. Times come with Step, in Unix milliseconds.
type Event interface{ event() }

// Started is the first event after Load: unfinished work goes on.
type Started struct{}

// Arrived is a message from a gateway.
type Arrived struct {
	// Ref is the caller's name for this delivery; it comes back in exactly one Respond, unless the
	// activation ends before.
	Ref     uint64
	Message *wactorv1.Message
	// User is what the webhook says of the sender.
	User *wactorv1.User
	// Known says that the store holds this message id in one of the generations that Generations
	// named.
	Known bool
	// Node is the gateway that took the webhook.
	Node string
}

// IdentityChanged is the provider's report that the user has other ids from now on, which User
// names. The user has not written; the bot reads it in Message, of type system. Its fields are
// those of Arrived.
type IdentityChanged Arrived

// StatusArrived is a delivery status of a reply, from a gateway.
type StatusArrived struct {
	Ref uint64
	// ReplyID is the reply's biz_opaque_callback_data.
	ReplyID string
	// Status is the provider's word: sent, delivered, read, played, failed.
	Status string
	// ProviderID is the provider's id of the sent message.
	ProviderID string
	// Code is the provider's error code where the status is failed, and Reason what it says about
	// it, without anything of a user.
	Code   int
	Reason string
	// AtMs is the provider's time of the status.
	AtMs int64
	// WindowClosed: it failed since the provider takes the customer service window for closed.
	WindowClosed bool
	// Reply, where the status is failed, is the reply as the journal has it, by SentReply; nil
	// where it has not.
	Reply *wactorv1.OutboxReply
	// Known says that the store holds one of StatusKeys.
	Known bool
}

// Committed says that all commits up to this revision were applied.
type Committed struct{ Revision uint64 }

// Answered is the bot's answer to a turn. Like Deferred and Failed it names the Turn of the CallBot
// itself: the same turn may have been cancelled and begun again meanwhile.
type Answered struct {
	Turn   *Turn
	Answer *Answer
	// BotMicros is how long the bot took.
	BotMicros int64
}

// Deferred says that the bot could not answer inline: it needs an outside call, and its message is
// accepted first.
type Deferred struct{ Turn *Turn }

// Failed says that a bot call failed.
type Failed struct {
	Turn *Turn
	// Retryable says whether the same call may succeed later.
	Retryable bool
	// NotCalled says that the bot was not called at all, since it fails for everybody: no attempt
	// is counted, nothing is noted, and the turn is tried again after RetryAfter.
	NotCalled  bool
	RetryAfter time.Duration
	// NotReached says that no connection to the bot was established: for Retry.Unreachable such
	// attempts are not counted. Retryable is true beside it.
	NotReached bool
	// Reason names the cause for the journal; never a text of the user.
	Reason    string
	BotMicros int64
}

// SendDone is the result of a Send.
type SendDone struct {
	Seq    uint64
	Try    uint32
	Result provider.Result
}

// Ticked says that the time of the last Alarm has come (or that time went on; it is never wrong to
// send one).
type Ticked struct {
	// StatusMs is when the last status of any reply came on this channel, as far as is known here;
	// 0 where none did.
	StatusMs int64
}

// ResolveRequest asks to whom this identity belongs: the conversation of user By, created at
// CreatedMs, has seen it with its user. The answer is a ReplyPeer.
type ResolveRequest struct {
	Ref       uint64
	By        string
	CreatedMs int64
}

// ResolveReply is the answer to a RequestResolve: the identity Name belongs to Owner.
type ResolveReply struct{ Name, Owner string }

// MergeOffer offers this conversation what waits in a younger one of the same user. The answer is a
// ReplyPeer: Owner is this conversation's user where all was taken, else the one to offer it to.
type MergeOffer struct {
	Ref  uint64
	From string
	User *wactorv1.User
	// UserMs is the provider's time of the webhook that named the user.
	UserMs int64
	// Names belong to it, Claims are those of which that is not known yet.
	Names, Claims []string
	Messages      []*wactorv1.Message
	// Known says of each message whether the store holds its id.
	Known []bool
	// Ownership is who answers the user there; nil where that has ever been the bot.
	Ownership *wactorv1.Ownership
}

// MergeResult is the answer to an OfferMerge. Offers are repeated, and so may be their answers:
// each names what it is about.
type MergeResult struct {
	// By is who answered. Owner is the same where all was taken, and else the one to offer it to.
	By, Owner string
	// Taken are the messages that By has, by their numbers here; Claims is the number of claims
	// that the offer held.
	Taken  []uint64
	Claims int
}

// Retried takes a dead letter up again, as an operator wants it. It is answered by a Respond:
// Accepted, Duplicate where the letter is gone, or Unretryable where it holds nothing to try.
type Retried struct {
	Ref uint64
	// By is the name of the principal that asked for it.
	By string
	// Letter is what the store holds; nil where it holds none of that number.
	Letter *wactorv1.DeadLetter
	// Text, where set, replaces what a reply said.
	Text string
}

// Skipped drops a dead letter. It is answered by Accepted, or Duplicate where the letter is gone.
type Skipped struct {
	Ref    uint64
	By     string
	Letter *wactorv1.DeadLetter
}

// Paused gives the conversation to a person, as a principal wants it. It is answered by Accepted,
// by Owned where it is another principal's, or by Overloaded. The conversation need not exist.
type Paused struct {
	Ref uint64
	// By is the principal's name, and Reason what it says of the cause.
	By, Reason string
	// UntilMs is when the bot gets it back by itself (Unix milliseconds), at most MaxPause ahead; 0
	// where it does not.
	UntilMs int64
	// Take takes it from another principal.
	Take bool
}

// Resumed gives the conversation back to the bot. It is answered by Accepted, by NotOwned where
// the bot owns it, or by Overloaded.
type Resumed struct {
	Ref uint64
	By  string
	// Held says what becomes of the messages that came meanwhile; nil: as configured.
	Held *policy.Held
}

// Echoed is what a person of the business wrote to the user on a device of its own. It is answered
// by Accepted or Duplicate.
type Echoed struct {
	Ref     uint64
	Message *wactorv1.Message
	// User is the one who was written to, as far as the webhook says.
	User *wactorv1.User
	// Known is as for Arrived.
	Known bool
}

// Restored is the only event of a conversation that was read from a backup, before it is used: its
// cluster went on after the backup, and did what nothing here knows of. What was unfinished and may
// have been done is dead-lettered, and numbers that may have been given are given to nothing else.
type Restored struct {
	// Hold dead-letters messages that wait for a turn, replies that wait for the provider and
	// timers that are due. Without it they go on: the cluster of the backup did not.
	Hold bool
	// TakenMs is when the backup was made.
	TakenMs int64
}

// Posted is what a principal posts: a message to the user, or an event for the bot. It is answered
// by Accepted; by Duplicate where the same was posted under the key before, KeyInFlight where it is
// being posted, KeyReused where it was something else; by WindowClosed or Overloaded. The
// conversation need not exist.
type Posted struct {
	Ref uint64
	By  string
	// Key names it, and Sum is a checksum of what it is.
	Key string
	Sum []byte
	// One of the two is set.
	Reply *wactorv1.Reply
	Event *wactorv1.Event
	// Known is what the store holds under PostedID of the key; nil where it holds nothing.
	Known *wactorv1.PostedKey
}

// Stopping asks for a graceful end: no turn and no send starts any more; those under way are
// awaited or cancelled by the caller. When Settled reports true, all is on disk and the next
// activation holds no reply in doubt.
type Stopping struct{}

func (Started) event()         {}
func (Arrived) event()         {}
func (IdentityChanged) event() {}
func (StatusArrived) event()   {}
func (Committed) event()       {}
func (Answered) event()        {}
func (Deferred) event()        {}
func (Failed) event()          {}
func (SendDone) event()        {}
func (Ticked) event()          {}
func (ResolveRequest) event()  {}
func (ResolveReply) event()    {}
func (MergeOffer) event()      {}
func (MergeResult) event()     {}
func (Retried) event()         {}
func (Skipped) event()         {}
func (Paused) event()          {}
func (Resumed) event()         {}
func (Echoed) event()          {}
func (Restored) event()        {}
func (Posted) event()          {}
func (Stopping) event()        {}

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
	// Format is the format of a log entry that every node must know to whom the commit may come; 0
	// for most.
	Format uint32
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
	Seq uint64
	Try uint32
	// ReceivedMs is when the message was received that the reply answers first; 0 for others.
	ReceivedMs int64
	Outgoing   *provider.Outgoing
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
	// UserMs is the provider's time of the webhook that named the user.
	UserMs int64
	// Names belong to this conversation, Claims are those of which that is not known yet.
	Names, Claims []string
	Messages      []*wactorv1.Message
	// Ownership is who answers the user here; nil where that has ever been the bot.
	Ownership *wactorv1.Ownership
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
