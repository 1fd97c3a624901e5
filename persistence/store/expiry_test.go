package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

const day = 24 * time.Hour

func (r *rig) knows(shard uint32, name string, g uint32, id string) bool {
	r.t.Helper()
	known, err := r.Seen(shard, name, g, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return known
}

// TestMessageIDsAreForgottenAfterTheWindow lets a month pass while one message a day is accepted.
func TestMessageIDsAreForgottenAfterTheWindow(t *testing.T) {
	now, window := time.UnixMilli(1_700_000_000_000), 9*day
	r := open(t, setup{Shards: 2, DedupWindow: window, Now: func() time.Time { return now }})
	r.expiry.close() // the test sweeps itself, at times of its own
	began := now
	for n := range 30 {
		now = began.Add(time.Duration(n) * day)
		if err := r.expiry.sweep(); err != nil {
			t.Fatal(err)
		}
		g := conversation.Generation(now.UnixMilli())
		r.mustCommit(1, commitOf("shop/1", uint64(n), put(seen, generation(g)+fmt.Sprint("id", n), "")))
		for past := range n + 1 {
			at := began.Add(time.Duration(past) * day)
			known, age := r.knows(1, "shop/1", conversation.Generation(at.UnixMilli()), fmt.Sprint("id", past)),
				now.Sub(at)
			if age <= window && !known {
				t.Fatalf("day %d: a message of day %d is forgotten", n, past)
			}
			// A generation is kept until its last message is too old.
			if age > window+conversation.GenerationMs*time.Millisecond && known {
				t.Fatalf("day %d: a message of day %d is still known", n, past)
			}
		}
	}
}

// TestExpiryLooksAtTheStartAndEveryHour: and when there is nothing to forget, the log does not
// grow.
func TestExpiryLooksAtTheStartAndEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now atomic.Int64
		now.Store(100 * conversation.GenerationMs)
		options := setup{FS: vfs.NewMem(), Dir: "store", DedupWindow: 9 * day,
			Now: func() time.Time { return time.UnixMilli(now.Load()) }}
		r := open(t, options)
		r.mustCommit(2, commitOf("shop/1", 0, put(seen, generation(96)+"old", ""), put(seen, generation(97)+"young",
			"")))
		r = r.restart()
		synctest.Wait()
		if r.knows(2, "shop/1", 96, "old") || !r.knows(2, "shop/1", 97, "young") {
			t.Fatal("want generations before 97 forgotten at the start, and no other")
		}
		last := r.last(2)
		time.Sleep(expiryInterval + time.Minute)
		synctest.Wait()
		if now := r.last(2); now != last {
			t.Fatalf("the log went from %v to %v with nothing to forget", last, now)
		}
		now.Add(conversation.GenerationMs)
		time.Sleep(expiryInterval)
		synctest.Wait()
		if r.knows(2, "shop/1", 97, "young") {
			t.Fatal("a generation that grew too old is still known an hour later")
		}
		r.Close()
	})
}

// TestExpiryDoesNotReadWhatItForgets: the cost of forgetting is one entry, whatever is stored.
func TestExpiryDoesNotReadWhatItForgets(t *testing.T) {
	r := open(t, setup{})
	for n := range uint64(300) {
		r.mustCommit(1, commitOf("shop/1", n, put(seen, generation(uint32(n%6))+fmt.Sprint("id", n), "")))
		r.mustCommit(2, commitOf("shop/1", n, put(seen, generation(uint32(n%6))+fmt.Sprint("id", n), "")))
	}
	before := r.last(1)
	out := make(chan error, 1)
	r.Propose(1, r.term(1), &wactorv1.Command{Command: &wactorv1.Command_ExpireSeen{ExpireSeen: &wactorv1.ExpireSeen{
		Before: 4}}},
		func(_ uint64, err error) { out <- err })
	if err := <-out; err != nil {
		t.Fatal(err)
	}
	r.mustCommit(1, commitOf("shop/1", 300)) // the lane has done with the one before
	if after := r.last(1); after != before+2 {
		t.Fatalf("%d entries", after-before)
	}
	for n := range uint64(300) {
		g, id := uint32(n%6), fmt.Sprint("id", n)
		if r.knows(1, "shop/1", g, id) != (g >= 4) || !r.knows(2, "shop/1", g, id) {
			t.Fatalf("generation %d: known %v, in the other shard %v", g, g < 4, r.knows(2, "shop/1", g, id))
		}
	}
	found, err := r.seenBefore(1, 4)
	if err != nil || found {
		t.Fatalf("something is left: %v, %v", found, err)
	}
}
