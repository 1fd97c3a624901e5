package replication

import (
	"testing"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

func entriesOf(first, n uint64, bytes int) (out []*raftpb.Entry) {
	for i := range n {
		out = append(out, &raftpb.Entry{Index: proto.Uint64(first + i), Term: proto.Uint64(1), Data: make([]byte,
			bytes)})
	}
	return out
}

func TestEntryCacheIsBounded(t *testing.T) {
	var c entryCache
	for i := range uint64(100) {
		c.append(entriesOf(1+i*10, 10, 10_000), maxCacheBytes)
	}
	if c.bytes > maxCacheBytes {
		t.Fatalf("%d bytes", c.bytes)
	}
	if _, ok := c.slice(1, 5, 1<<20); ok {
		t.Fatal("an entry of long ago is there")
	}
	c.append(entriesOf(1001, 1, 2*maxCacheBytes), maxCacheBytes)
	if entries, ok := c.slice(1001, 1002, 1); !ok || len(entries) != 1 {
		t.Fatal("an entry larger than the cache is not there right after it was appended")
	}
}

// TestEntryCacheLendsCopies: what raft holds stays whole when the cache lets go.
func TestEntryCacheLendsCopies(t *testing.T) {
	var c entryCache
	c.append(entriesOf(1, 10, 10), maxCacheBytes)
	lent, ok := c.slice(3, 9, 1<<20)
	c.drop(10)
	if !ok || len(lent) != 6 {
		t.Fatalf("%d entries", len(lent))
	}
	for i, entry := range lent {
		if entry.GetIndex() != uint64(3+i) {
			t.Fatalf("entry %d at the place of %d", entry.GetIndex(), 3+i)
		}
	}
}

func TestEntryCacheForgetsWhatIsReplaced(t *testing.T) {
	var c entryCache
	c.append(entriesOf(1, 10, 10), maxCacheBytes)
	c.append(entriesOf(5, 2, 20), maxCacheBytes) // another leader's
	if _, ok := c.slice(4, 6, 1<<20); ok {
		t.Fatal("an entry before the replaced ones is still there")
	}
	entries, ok := c.slice(5, 7, 1<<20)
	if !ok || len(entries) != 2 || len(entries[0].Data) != 20 {
		t.Fatal("the new entries are not there")
	}
	if one, _ := c.slice(5, 7, 1); len(one) != 1 {
		t.Fatalf("%d entries within a byte, want the one that is always given", len(one))
	}
}
