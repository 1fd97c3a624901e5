package replication

import (
	"slices"

	"go.etcd.io/raft/v3/raftpb"
)

// entryCache keeps the most recent entries, without a gap up to the last one. Entries are shared
// and never changed; the slice of them is the cache's own.
type entryCache struct {
	entries []*raftpb.Entry
	bytes   int
}

// maxCacheBytes bounds one group's cache; what was just appended and is about to be applied lies in
// it.
const maxCacheBytes = 1 << 20

// weight is about what an entry takes in memory, and no less than it takes in a message.
func weight(entry *raftpb.Entry) int { return len(entry.Data) + 64 }

// append adds entries, and forgets the oldest past maxBytes.
func (c *entryCache) append(entries []*raftpb.Entry, maxBytes int) {
	if n := len(c.entries); n > 0 && c.entries[n-1].GetIndex()+1 != entries[0].GetIndex() {
		c.entries, c.bytes = nil, 0 // a new leader's entries replace old ones: rare, and the store has them all
	}
	for _, entry := range entries {
		c.bytes += weight(entry)
	}
	c.entries = append(c.entries, entries...)
	for len(c.entries) > 1 && c.bytes > maxBytes {
		c.shift()
	}
}

func (c *entryCache) shift() {
	c.bytes -= weight(c.entries[0])
	c.entries[0] = nil
	c.entries = c.entries[1:]
}

// drop forgets the entries up to an index.
func (c *entryCache) drop(index uint64) {
	for len(c.entries) > 0 && c.entries[0].GetIndex() <= index {
		c.shift()
	}
}

func (c *entryCache) slice(lo, hi, maxSize uint64) ([]*raftpb.Entry, bool) {
	if len(c.entries) == 0 || lo < c.entries[0].GetIndex() {
		return nil, false
	}
	first := c.entries[0].GetIndex()
	entries := c.entries[lo-first : hi-first]
	var size uint64
	for i, entry := range entries {
		if size += uint64(weight(entry)); i > 0 && size > maxSize {
			entries = entries[:i]
			break
		}
	}
	// A copy: raft holds on to it until Advance, and the cache may let go of entries before.
	return slices.Clone(entries), true
}
