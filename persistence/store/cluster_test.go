package store

import (
	"testing"

	"github.com/wactor/wactor/persistence/record"
)

// putCluster replaces the cluster's state of a revision.
func (r *rig) putCluster(base uint64, state string) error {
	out := make(chan error, 1)
	r.ProposeCluster(r.term(0), base, []byte(state), func(_ uint64, err error) { out <- err })
	return <-out
}

// wantCluster compares the cluster's state with what it should be.
func (r *rig) wantCluster(state string, revision uint64) {
	r.t.Helper()
	got, at, err := r.ReadCluster()
	if err != nil || string(got) != state || at != revision {
		r.t.Fatalf("the cluster's state is %q at revision %d, %v; want %q at %d", got, at, err, state, revision)
	}
}

// TestTheClustersStateMovesToItsOwnPlace: it stays a conversation's head while an older version may
// read it, and is one record of its own from the first write that all nodes can apply.
func TestTheClustersStateMovesToItsOwnPlace(t *testing.T) {
	for name, keepLog := range map[string]bool{"alone": false, "with a log": true} {
		t.Run(name, func(t *testing.T) {
			r := open(t, setup{KeepLog: keepLog})
			r.wantCluster("", 0)
			must(t, r.putCluster(0, "one"))
			r.wantCluster("one", 1)
			if revision, _ := r.load(0, oldCluster); revision != 1 {
				t.Fatalf("before the format is allowed, an older version reads revision %d", revision)
			}
			r.AllowFormat(formatCluster)
			wantErr(t, r.putCluster(0, "stale"), ErrStale)
			must(t, r.putCluster(1, "two"))
			r.wantCluster("two", 2)
			if exists, err := r.exists(0, oldCluster); exists || err != nil {
				t.Fatalf("the old place is not cleared: %v", err)
			}
			r = r.restart()
			r.wantCluster("two", 2)
			// A leader that was not notified of the format writes to the old place.
			wantErr(t, r.putCluster(2, "old place"), ErrStale)
			r.AllowFormat(formatCluster)
			wantErr(t, r.putCluster(1, "stale"), ErrStale)
			must(t, r.putCluster(2, "three"))
			r.wantCluster("three", 3)
		})
	}
}

// TestWritesOfTheClustersStateInOneBatchFollowEachOther: the second one sees the first.
func TestWritesOfTheClustersStateInOneBatchFollowEachOther(t *testing.T) {
	r := open(t, setup{})
	m := r.newMachine(0).(*machine)
	batch := r.db.NewBatch()
	defer batch.Close()
	for base := range uint64(3) {
		entry := clusterCommand(base, []byte("state"))
		if revision, err := m.apply(batch, entry); err != nil || revision != base+1 {
			t.Fatalf("revision %d and %v after a write on revision %d", revision, err, base)
		}
		_, err := m.apply(batch, entry)
		wantErr(t, err, ErrStale)
	}
	_, err := r.newMachine(1).(*machine).apply(batch, clusterCommand(0, nil))
	if err == nil {
		t.Error("a shard of conversations takes the cluster's state")
	}
	if has, err := r.db.Has(record.Key(0, record.ClassCluster)); has || err != nil {
		t.Fatal(has, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
