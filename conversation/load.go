package conversation

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Loader rebuilds a conversation from its records: head, state, inbox, outbox and timers, each kind
// in the order of its suffixes. A conversation of which there are no records is new.
type Loader struct{ c *Conversation }

// NewLoader begins to load a conversation.
func NewLoader(id ID, cfg *Config) *Loader { return &Loader{c: New(id, cfg)} }

// Record takes one record. The value is copied where it is kept.
func (l *Loader) Record(kind wactorv1.RecordKind, suffix, value []byte) error {
	var err error
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_HEAD:
		l.c.head = &wactorv1.Head{}
		err = proto.Unmarshal(value, l.c.head)
		l.c.clean = l.c.head.Clean
	case wactorv1.RecordKind_RECORD_KIND_STATE:
		l.c.state = append([]byte{}, value...)
	case wactorv1.RecordKind_RECORD_KIND_INBOX:
		message := &wactorv1.Message{}
		err = proto.Unmarshal(value, message)
		l.c.queue(waiting{message: message, written: true})
	case wactorv1.RecordKind_RECORD_KIND_OUTBOX:
		reply := &wactorv1.OutboxReply{}
		err = proto.Unmarshal(value, reply)
		l.c.outbox = append(l.c.outbox, outgoing{reply: reply})
	case wactorv1.RecordKind_RECORD_KIND_TIMER:
		timer := &wactorv1.Timer{}
		err = proto.Unmarshal(value, timer)
		l.c.timers = append(l.c.timers, timer)
	}
	if err != nil {
		return fmt.Errorf("conversation: load %v record: %w", kind, err)
	}
	return nil
}

// Done returns the conversation at the revision at which its records were read.
func (l *Loader) Done(revision uint64) *Conversation {
	l.c.revision, l.c.applied = revision, revision
	sortTimers(l.c.timers)
	l.c.working = l.c.Unfinished()
	return l.c
}
