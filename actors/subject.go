package actors

import (
	"bytes"
	"cmp"
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// subject says which conversation an activation runs, and in which term. It never changes, so all
// parts of the activation and everything that runs beside it may read it.
type subject struct {
	runtime *Runtime
	table   *table
	id      conversation.ID
	channel *served
	term    uint64
	mailbox Mailbox
}

// logName names the conversation in logs.
func (s *subject) logName() string { return s.runtime.options.LogName(s.id) }

func (s *subject) store() Store { return s.runtime.options.Store }

// errLooked ends a scan that has seen what it looked for.
var errLooked = errors.New("actors: looked")

// letter reads a dead letter; nil where there is none of that number.
func (s *subject) letter(seq uint64) (*wactorv1.DeadLetter, error) {
	var found *wactorv1.DeadLetter
	from := record.Number(seq)
	err := s.store().ScanFrom(s.table.shard, s.id.String(), wactorv1.RecordKind_RECORD_KIND_DEAD, from,
		func(suffix, value []byte) error {
			if !bytes.Equal(suffix, from) {
				return errLooked
			}
			found = &wactorv1.DeadLetter{}
			return cmp.Or(proto.Unmarshal(value, found), errLooked)
		})
	if errors.Is(err, errLooked) {
		return found, nil
	}
	return nil, err
}

// sent reads a reply that the provider took from the journal; nil where it is not there any more.
func (s *subject) sent(replyID string) (found *wactorv1.OutboxReply, err error) {
	err = s.store().ScanFrom(s.table.shard, s.id.String(), wactorv1.RecordKind_RECORD_KIND_JOURNAL, nil,
		func(_, value []byte) error {
			journal := &wactorv1.Journal{}
			if err := proto.Unmarshal(value, journal); err != nil {
				return err
			}
			var err error
			if found, err = conversation.SentReply(journal, replyID); found != nil {
				return errLooked
			}
			return err
		})
	if errors.Is(err, errLooked) {
		return found, nil
	}
	return nil, err
}

// request sends another conversation a request. Its answer becomes an event of this one; without an
// answer the machine asks again.
func (s *subject) request(to conversation.ID, body delivery.Body,
	event func(*delivery.Answer) conversation.Event) {
	mailbox := s.mailbox
	s.runtime.options.Elsewhere(delivery.Envelope{To: to, Body: body}, func(o delivery.Outcome) {
		if o.Answer != nil {
			mailbox.Post(result{event: event(o.Answer)})
		}
	})
}
