package store

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/wactor/wactor/persistence/replication"
)

// TestFeedTellsWhatChangedInOrder: commits that were applied are in the feed of their shard, those
// that were rejected are not, and a reader that is up to date is woken by the next.
func TestFeedTellsWhatChangedInOrder(t *testing.T) {
	r := open(t, setup{})
	f := r.Feed(1)
	at := f.Position()
	changed := f.Changed(at)
	r.mustCommit(1, commitOf("shop/1", 0))
	r.mustCommit(2, commitOf("shop/elsewhere", 0))
	wantErr(t, r.commit(1, commitOf("shop/stale", 7)), ErrStale)
	r.mustCommit(1, commitOf("shop/2", 0))
	r.mustCommit(1, commitOf("shop/1", 1))
	<-changed
	names, now, gap := f.Since(at)
	if want := []string{"shop/1", "shop/2", "shop/1"}; gap || !slices.Equal(names, want) {
		t.Fatalf("changed: %q, gap %v, want %q", names, gap, want)
	}
	if names, again, gap := f.Since(now); len(names) > 0 || gap || again != now {
		t.Errorf("behind the end are %q, gap %v", names, gap)
	}
	select {
	case <-f.Changed(now):
		t.Error("woken with nothing new")
	case <-f.Changed(at):
	}
}

// TestFeedReportsAGap: a reader that comes too late, or from before a restart, is notified that
// changes are missing, and where to go on.
func TestFeedReportsAGap(t *testing.T) {
	options := setup{FS: vfs.NewMem(), Dir: "store"}
	r := open(t, options)
	at := r.Feed(1).Position()
	for i := range uint64(feedLength) {
		r.mustCommit(1, commitOf("shop/1", i))
	}
	if names, _, gap := r.Feed(1).Since(at); gap || len(names) != feedLength {
		t.Fatalf("%d changes, gap %v, want %d", len(names), gap, feedLength)
	}
	r.mustCommit(1, commitOf("shop/2", 0))
	names, now, gap := r.Feed(1).Since(at)
	if !gap || len(names) > 0 {
		t.Fatalf("%d changes, gap %v, after more than are kept", len(names), gap)
	}
	if _, _, gap := r.Feed(1).Since(now); gap {
		t.Fatal("a gap where there is none")
	}
	r = r.restart()
	if _, _, gap := r.Feed(1).Since(now); !gap {
		t.Fatal("no gap after a restart")
	}
	if _, _, gap := r.Feed(1).Since(Position{}); !gap {
		t.Fatal("no gap behind the zero position")
	}
}

// TestViewIsOneMoment: a view shows what was applied up to its entry, and nothing that came later;
// what came later is in the feed behind its position.
func TestViewIsOneMoment(t *testing.T) {
	r := open(t, setup{Shards: 2})
	for i := range 50 {
		r.mustCommit(1, commitOf(fmt.Sprintf("shop/%d", i), 0, put(state, "", "old")))
	}
	v, err := r.View(1)
	if err != nil {
		t.Fatal(err)
	}
	sum, applied, err := r.Checksum(1)
	if err != nil || applied != v.Index {
		t.Fatalf("a sum at %d, a view at %d, %v", applied, v.Index, err)
	}
	for i := range 50 {
		r.mustCommit(1, commitOf(fmt.Sprintf("shop/%d", i), 1, put(state, "", "new")))
	}
	records, fresh := 0, 0
	err = v.Each(func(_, value []byte) error {
		records++
		if string(value) == "new" {
			fresh++
		}
		return nil
	})
	if err != nil || records != 100 || fresh > 0 {
		t.Errorf("%d records, %d of them of later, %v", records, fresh, err)
	}
	if names, _, gap := r.Feed(1).Since(v.At); gap || len(names) != 50 {
		t.Errorf("%d changes behind the view, gap %v", len(names), gap)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if after, _, err := r.Checksum(1); err != nil || after == sum {
		t.Errorf("the sum is the same after 50 changes, %v", err)
	}
	if _, err := r.View(9); err == nil {
		t.Error("a view of a shard that is not there")
	}
	r.Close()
	if _, err := r.View(1); err == nil {
		t.Error("a view of a closed store")
	} else {
		wantErr(t, err, replication.ErrClosed)
	}
}
