package cluster

import (
	"sync"
	"time"
)

// A node that died breaks its connections. One that stands still, or is cut off, does not: TCP
// waits for seconds, and for a process that only stands still it waits for ever. So the other side
// of each link is asked for a sign of life whenever there was none for a while, and a link whose
// other side gives none is silent: what is under way on it is given up, and nothing more is sent.
const (
	// pulseEvery is how long nothing is heard until a sign of life is asked for.
	pulseEvery = 200 * time.Millisecond
	// silentAfter is how long nothing is heard until a link is silent: less than an election takes,
	// more than a busy machine lets a goroutine wait. A link that was taken for silent by mistake
	// costs another way for what was under way, and no more.
	silentAfter = 700 * time.Millisecond
)

// pulse is when a link's other side was heard.
type pulse struct {
	mu    sync.Mutex
	heard time.Time
	up    bool
}

// newPulse is that of a link which was just made: it is taken for good until it shows otherwise.
func newPulse() pulse { return pulse{heard: time.Now(), up: true} }

func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard, p.up = time.Now(), true
}

// stop marks the other side as gone, until it is heard again; false where it was marked already.
func (p *pulse) stop() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.up
	p.up = false
	return was
}

// alive reports whether the other side was heard lately.
func (p *pulse) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up && time.Since(p.heard) < silentAfter
}

// silence is how long ago it was heard.
func (p *pulse) silence() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.heard)
}

// Reaches reports whether deliveries to a node arrive, as far as is known. This node reaches
// itself.
func (c *Cluster) Reaches(node uint64) bool {
	if node == c.host.Node() {
		return true
	}
	l := c.links.to(node)
	return l != nil && l.work.pulse.alive()
}

// Lost reports whether a node was not heard for so long that a way around is worth looking for:
// longer than an election takes.
func (c *Cluster) Lost(node uint64) bool {
	if node == c.host.Node() {
		return false
	}
	l := c.links.to(node)
	return l == nil || !l.work.pulse.alive() && l.work.pulse.silence() > lostAfter
}

// lostAfter is what a new leader may take to be known.
const lostAfter = time.Second

// Relays are the nodes that may pass a delivery on, those first that should hold its shard: all
// that this node reaches but for one.
func (c *Cluster) Relays(shard uint32, but uint64) []uint64 {
	var nodes []uint64
	for _, node := range c.others(c.Wanted(shard)) {
		if node != but && c.Reaches(node) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// Isolated is for how long this node has heard nobody of all others that there are; 0 where it
// hears somebody, or is alone. What it can't do alone it can't do.
func (c *Cluster) Isolated() time.Duration {
	least := time.Duration(0)
	for i, node := range c.others(nil) {
		if !c.Lost(node) {
			return 0
		}
		silence := silentAfter
		if l := c.links.to(node); l != nil {
			silence = l.work.pulse.silence()
		}
		if i == 0 || silence < least {
			least = silence
		}
	}
	return least
}
