package admin

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/audit"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// view reads a conversation from its records to show it, without activating it.
type view struct {
	id    conversation.ID
	head  *wactorv1.Head
	trace *wactorv1.ConversationTrace

	inbox, outbox, dead pile
	firstReply          uint64 // number of the oldest reply in the outbox
	deadReason          string // of the first dead letter
}

// newView begins to read a conversation.
func newView(id conversation.ID) *view {
	return &view{id: id, head: &wactorv1.Head{}, trace: &wactorv1.ConversationTrace{Channel: id.Channel}}
}

// Record takes one record: head, inbox and outbox are looked at.
func (v *view) Record(kind wactorv1.RecordKind, _, value []byte) error {
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_HEAD:
		if err := proto.Unmarshal(value, v.head); err != nil {
			return fmt.Errorf("admin: view head: %w", err)
		}
	case wactorv1.RecordKind_RECORD_KIND_INBOX:
		message := &wactorv1.Message{}
		if err := proto.Unmarshal(value, message); err != nil {
			return fmt.Errorf("admin: view message: %w", err)
		}
		if !message.History {
			v.inbox.add(message.ReceivedMs)
		}
	case wactorv1.RecordKind_RECORD_KIND_OUTBOX:
		reply := &wactorv1.OutboxReply{}
		if err := proto.Unmarshal(value, reply); err != nil {
			return fmt.Errorf("admin: view reply: %w", err)
		}
		if v.outbox.count == 0 || reply.Seq < v.firstReply {
			v.firstReply = reply.Seq
		}
		v.outbox.add(reply.CreatedMs)
	}
	return nil
}

// Dead takes a dead letter, oldest first.
func (v *view) Dead(_, value []byte) error {
	letter := &wactorv1.DeadLetter{}
	if err := proto.Unmarshal(value, letter); err != nil {
		return fmt.Errorf("admin: view dead letter: %w", err)
	}
	v.dead.add(letter.AtMs)
	v.deadReason = letter.Reason
	return errPageFull // the first one is enough
}

// Journal takes one journal record, oldest first.
func (v *view) Journal(_, value []byte) error {
	var journal wactorv1.Journal
	if err := proto.Unmarshal(value, &journal); err != nil {
		return fmt.Errorf("admin: view journal: %w", err)
	}
	for _, e := range journal.Entries {
		e.Reply = nil // what was said is not the trace's to tell
	}
	v.trace.Entries = append(v.trace.Entries, journal.Entries...)
	return nil
}

// AliasOf is the user whose conversation this identity belongs to; empty where it is a conversation
// itself.
func (v *view) AliasOf() string { return v.head.AliasOf }

// Trace returns what was read, with the verdict of audit.Journal. Shard and revision are the
// caller's to fill in.
func (v *view) Trace() *wactorv1.ConversationTrace {
	v.trace.User, v.trace.Ownership = v.head.User, v.head.Ownership
	v.trace.Inbox, v.trace.Outbox = uint32(v.inbox.count), uint32(v.outbox.count)
	v.trace.Version = v.head.Version
	v.trace.DeadLetters = v.head.DeadLetters
	v.trace.Trimmed = v.head.FirstJournal > 1
	v.trace.Violations = audit.Journal(v.trace.Entries, v.trace.Trimmed)
	return v.trace
}
