package actors

import (
	"context"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Store is the replicated log and what was applied from it. Its methods are called by many actors
// at once; the reads may take a disk access.
type Store interface {
	// Propose proposes the command of a commit to the shard's log in a term. It never blocks; done
	// is called exactly once and never blocks: nil when the commit was applied, else an error that
	// says nothing about whether it will be. A lazy one, without a caller that waits, may take a
	// little longer, to share another one's way to the disk; those of a shard stay in order.
	Propose(shard uint32, term uint64, command *wactorv1.Command, lazy bool, done func(error))
	// Leased reports whether this node leads a shard in a term, and no other node can before a
	// moment is over.
	Leased(shard uint32, term uint64) bool
	// Load reads head, state, inbox, outbox and timers. A conversation that does not exist has
	// revision 0 and no records.
	Load(shard uint32, conversation string, each func(kind wactorv1.RecordKind, suffix,
		value []byte) error) (revision uint64, err error)
	// ScanFrom reads the records of one kind from a suffix on, in the order of their suffixes,
	// until each returns an error.
	ScanFrom(shard uint32, conversation string, kind wactorv1.RecordKind, from []byte, each func(suffix,
		value []byte) error) error
	// Seen reports whether a message id was accepted in a generation.
	Seen(shard uint32, conversation string, generation uint32, id string) (bool, error)
	// SeenValue returns what is remembered of an id that was accepted in a generation; empty where
	// nothing is.
	SeenValue(shard uint32, conversation string, generation uint32, id string) ([]byte, error)
	// SeenIn passes the message ids that were accepted in a generation. They are valid during the
	// call only.
	SeenIn(shard uint32, conversation string, generation uint32, each func(id []byte) error) error
	// Work names the conversations with unfinished work.
	Work(shard uint32, each func(conversation string) error) error
	// Due names the timers that are due until a time (Unix milliseconds), the earliest first.
	Due(shard uint32, untilMs int64, each func(dueMs int64, conversation, timer string) error) error
}

// Bot answers turns. Turn may block; its context ends when the activation does.
type Bot interface {
	Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error)
}

// Inliner is a Bot that may answer inside the process, without waiting for anything; ok is false
// where it can't.
type Inliner interface {
	Inline(turn *conversation.Turn) (answer *conversation.Answer, ok bool, err error)
}

// Sender posts a reply to the provider. It may block, and must return soon after its context ends.
type Sender interface {
	Send(ctx context.Context, out *provider.Outgoing) provider.Result
}

// Typer is a Sender that can show the user that the bot thinks about a message. What becomes of it
// does not matter.
type Typer interface {
	MarkRead(ctx context.Context, messageID string) error
}

// Channel is what the conversations of one channel share. It is not changed while in use, but
// replaced (Runtime.SetChannels).
type Channel struct {
	Config *conversation.Config
	// Bot is asked inline first where it is an Inliner and Config.Inline is set.
	Bot Bot
	// BotName is its name, for metrics.
	BotName string
	// Sender takes the replies. Where Typing is set and it is a Typer, it shows when the bot is
	// called.
	Sender Sender
	Typing bool
	// Close, where set, is called when the channel was replaced and neither its bot nor its sender
	// is in use any more. It must not block.
	Close func()
}
