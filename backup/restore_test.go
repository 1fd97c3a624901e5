package backup

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// restored restores a backup into a map of the records of all shards.
func restored(t *testing.T, options RestoreOptions) (map[string][]byte, Restored) {
	t.Helper()
	target := newMemory()
	m := made(t, target)
	options.Now = func() time.Time { return time.UnixMilli(startMs + 3_600_000) }
	records := map[string][]byte{}
	sums, err := Restore(t.Context(), target, m, options, func(_ uint32, key, value []byte) error {
		if records[string(key)] != nil {
			t.Errorf("%q was put twice", key)
		}
		records[string(key)] = bytes.Clone(value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, sums
}

// loadFrom loads a conversation of records as an activation does.
func loadFrom(t *testing.T, records map[string][]byte, user string) (*conversation.Conversation, *wactorv1.Head,
	[]*wactorv1.DeadLetter) {
	t.Helper()
	id := conversation.ID{Channel: "shop", User: user}
	loader, head := conversation.NewLoader(id, auditConfig), &wactorv1.Head{}
	var letters []*wactorv1.DeadLetter
	var revision uint64
	keys := make([]string, 0, len(records))
	for key := range records {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		name, kind, suffix, ok := cutConversation([]byte(key))
		if !ok || name != id.String() {
			continue
		}
		value := records[key]
		switch kind {
		case wactorv1.RecordKind_RECORD_KIND_HEAD:
			at, rest, err := record.SplitHead(value)
			if err != nil || proto.Unmarshal(rest, head) != nil {
				t.Fatal(err)
			}
			revision, value = at.Revision, rest
		case wactorv1.RecordKind_RECORD_KIND_DEAD:
			letter := &wactorv1.DeadLetter{}
			if err := proto.Unmarshal(value, letter); err != nil {
				t.Fatal(err)
			}
			letters = append(letters, letter)
			continue
		}
		if err := loader.Record(kind, suffix, value); err != nil {
			t.Fatal(err)
		}
	}
	return loader.Done(revision), head, letters
}

func hasWork(records map[string][]byte, user string) bool {
	_, has := records[string(keyOf("shop/"+user, wactorv1.RecordKind_RECORD_KIND_WORK, nil))]
	return has
}

// TestWhatWasUnfinishedIsHeld: a message without an answer and a reply that had not left are dead
// letters, nothing waits, and no number is given again.
func TestWhatWasUnfinishedIsHeld(t *testing.T) {
	records, sums := restored(t, RestoreOptions{})
	if sums.Conversations != 3*testShards || sums.Held != 2*testShards {
		t.Errorf("restored %+v", sums)
	}
	for _, user := range []string{"waiting2", "replying2", "answered2"} {
		c, head, letters := loadFrom(t, records, user)
		if !c.Idle() || hasWork(records, user) {
			t.Errorf("%s: something waits", user)
		}
		if head.NextInbox < afterRestoreTest || head.NextOutbox < afterRestoreTest {
			t.Errorf("%s: goes on at message %d and reply %d", user, head.NextInbox, head.NextOutbox)
		}
		switch user {
		case "waiting2":
			if len(letters) != 1 || letters[0].Messages[0].Id != "wamid.waiting2" || head.DeadLetters != 1 {
				t.Errorf("%s: letters %v", user, letters)
			}
		case "replying2":
			if len(letters) != 1 || letters[0].Reply.GetReply().GetText() != "hello replying2" || c.Version() != 1 {
				t.Errorf("%s: letters %v", user, letters)
			}
		case "answered2":
			if len(letters) != 0 || c.Version() != 1 {
				t.Errorf("%s: letters %v", user, letters)
			}
		}
	}
}

// afterRestoreTest is more numbers than the cluster of a backup can give.
const afterRestoreTest = 1_000_000

// TestWhatWasUnfinishedMayGoOn where the operator says that the cluster had stopped.
func TestWhatWasUnfinishedMayGoOn(t *testing.T) {
	records, sums := restored(t, RestoreOptions{Continue: true})
	if sums.Held != 0 {
		t.Errorf("restored %+v", sums)
	}
	for _, user := range []string{"waiting1", "replying1"} {
		c, _, letters := loadFrom(t, records, user)
		if !c.Unfinished() || !hasWork(records, user) || len(letters) != 0 {
			t.Errorf("%s: unfinished %v, letters %v", user, c.Unfinished(), letters)
		}
	}
}
