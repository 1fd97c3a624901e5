package control

import (
	"sync"

	"github.com/wactor/wactor/cluster/gossip"
)

// leaderships are the shards that this node leads and may use, with their terms.
type leaderships struct {
	mu    sync.Mutex
	terms map[uint32]uint64
}

// term is the one in which this node leads a shard and may use it; 0 where it does not.
func (l *leaderships) term(shard uint32) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.terms[shard]
}

func (l *leaderships) any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.terms) > 0
}

// set notes a term; 0 where this node is not the leader of the shard.
func (l *leaderships) set(shard uint32, term uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.terms == nil {
		l.terms = map[uint32]uint64{}
	}
	if term == 0 {
		delete(l.terms, shard)
	} else {
		l.terms[shard] = term
	}
}

// LeadershipChanged takes who leads a shard in a term, as this node's replica knows it; usable
// where that is this node and it may use the shard. It does not block, and is called after Start.
func (c *Control) LeadershipChanged(hint gossip.Hint, usable bool) {
	if usable {
		c.leaderships.set(hint.Shard, hint.Term)
	} else {
		c.leaderships.set(hint.Shard, 0)
	}
	if hint.Node != 0 {
		c.gossip.Announce(hint)
	}
	if hint.Shard == 0 {
		c.meta.loop.poke()
	}
	c.moves.loop.poke()
}
