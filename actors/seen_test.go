package actors

import (
	"fmt"
	"testing"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestNewIDsNeedNoLookUp: after a few messages the store is not asked any more for ids that are
// new, and still is for those that are not, whichever activation accepted them.
func TestNewIDsNeedNoLookUp(t *testing.T) {
	store := newMemoryStore()
	defer store.close()
	first := start(t, store, inlineCounter{}, nil)
	for i := range 5 {
		first.deliver("1", fmt.Sprint("old", i), "hello").want(t, conversation.Accepted, nil)
	}
	store.expectReads(t, 0, 0) // all ids are of this activation
	first.Stop(t.Context())

	second := start(t, store, inlineCounter{}, nil)
	defer second.Stop(t.Context())
	for i := range 10 {
		second.deliver("1", fmt.Sprint("new", i), "hello").want(t, conversation.Accepted, nil)
	}
	store.expectReads(t, readIDsAfter, 1)
	for _, id := range []string{"old0", "old4", "new0", "new9"} {
		second.deliver("1", id, "hello").want(t, conversation.Duplicate, nil)
	}
	store.expectReads(t, 4, 0)
}

// TestTooManyIDs: of a conversation with more ids than are kept each is looked up, and none is
// taken for new that is not.
func TestTooManyIDs(t *testing.T) {
	store := newMemoryStore()
	defer store.close()
	first := start(t, store, inlineCounter{}, nil)
	first.deliver("1", "id0", "hello").want(t, conversation.Accepted, nil)
	first.Stop(t.Context())
	store.set(func() {
		for key := range store.records {
			if prefix := memoryKey("shop/1", wactorv1.RecordKind_RECORD_KIND_SEEN,
				nil); len(key) > len(prefix)+4 && key[:len(prefix)] == prefix {
				generation := key[len(prefix) : len(prefix)+4]
				for i := range maxIDs {
					store.records[prefix+generation+fmt.Sprint("id", i)] = nil
				}
			}
		}
	})
	second := start(t, store, inlineCounter{}, nil)
	defer second.Stop(t.Context())
	for i := range 6 {
		second.deliver("1", fmt.Sprint("new", i), "hello").want(t, conversation.Accepted, nil)
		second.deliver("1", fmt.Sprint("id", i), "hello").want(t, conversation.Duplicate, nil)
		second.deliver("1", fmt.Sprint("new", i), "hello").want(t, conversation.Duplicate, nil)
	}
	store.expectReads(t, 18, 1)
}

// expectReads tells how often ids were looked up, and scanned, since it was asked last.
func (s *memoryStore) expectReads(t *testing.T, lookups, scans int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lookups != lookups || s.scans != scans {
		t.Errorf("%d look-ups and %d scans, not %d and %d", s.lookups, s.scans, lookups, scans)
	}
	s.lookups, s.scans = 0, 0
}
