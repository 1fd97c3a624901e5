package peer

import (
	"sync"
	"time"
)

// A node that died breaks its connections. One that stands still, or is cut off, does not: TCP
// waits for seconds, and for a process that only stands still it waits for ever. So the other side
// of each link is asked for a sign of life whenever there was none for a while, and a link whose
// other side gives none is silent: what is under way on it is given up, and nothing more is sent.
const (
	// pulseEvery is how long nothing is received until a sign of life is asked for.
	pulseEvery = 200 * time.Millisecond
	// silentAfter is how long nothing is received until a link counts as silent: less than an
	// election takes, more than a busy machine lets a goroutine wait. A link that was taken for
	// silent by mistake costs another way for what was under way, and no more.
	silentAfter = 700 * time.Millisecond
)

// pulse is when a link's other side last gave a sign of life.
type pulse struct {
	mu   sync.Mutex
	last time.Time
	up   bool
}

// newPulse is that of a link which was just made: it is taken for good until it shows otherwise.
func newPulse() pulse { return pulse{last: time.Now(), up: true} }

func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.up = time.Now(), true
}

// stop marks the other side as gone, until its next sign of life; false where it was marked
// already.
func (p *pulse) stop() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.up
	p.up = false
	return was
}

// alive reports whether the other side gave a sign of life lately.
func (p *pulse) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up && time.Since(p.last) < silentAfter
}

// silence is how long ago the last sign of life was.
func (p *pulse) silence() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.last)
}

// Reaches reports whether deliveries to a node arrive, as far as is known. This node reaches
// itself.
func (p *Peers) Reaches(node uint64) bool {
	if node == p.options.Self.Node() {
		return true
	}
	l := p.links.to(node)
	return l != nil && l.work.pulse.alive()
}

// lostAfter is what a new leader may take to be known.
const lostAfter = time.Second

// Lost reports whether a node has been silent for so long that a way around is worth looking for:
// longer than an election takes.
func (p *Peers) Lost(node uint64) bool {
	if node == p.options.Self.Node() {
		return false
	}
	l := p.links.to(node)
	return l == nil || !l.work.pulse.alive() && l.work.pulse.silence() > lostAfter
}

// Isolated is for how long this node has received nothing from any of the others; 0 where it
// receives from one of them, or there are none.
func (p *Peers) Isolated(others []uint64) time.Duration {
	least := time.Duration(0)
	for i, node := range others {
		if !p.Lost(node) {
			return 0
		}
		silence := silentAfter
		if l := p.links.to(node); l != nil {
			silence = l.work.pulse.silence()
		}
		if i == 0 || silence < least {
			least = silence
		}
	}
	return least
}
