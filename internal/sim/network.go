package sim

import (
	"time"
)

// network carries what nodes say to each other, and what gateways, which live on nodes, say to
// leaders.
type network struct {
	w *World
	weather
	// cuts counts the partitions that lie on each link.
	cuts [][]int
	// last is when the newest message of each link arrives.
	last [][]time.Duration
}

func newNetwork(w *World, nodes int, air weather) *network {
	n := &network{w: w, weather: air}
	for range nodes {
		n.cuts = append(n.cuts, make([]int, nodes))
		n.last = append(n.last, make([]time.Duration, nodes))
	}
	return n
}

// send lets something happen to the process of another node, once, twice or never. What comes to a
// node that is down is lost; what comes to a paused one waits. It reports whether it is on its way.
func (n *network) send(from, to *node, what func(*process)) bool {
	if from == to {
		n.arrive(to, 0, what)
		return true
	}
	rng := n.w.rng
	if n.cuts[from.index][to.index] > 0 || rng.Float64() < n.loss {
		return false
	}
	n.arrive(to, n.delay(from, to), what)
	if rng.Float64() < n.double {
		n.arrive(to, n.delay(from, to)+time.Duration(rng.Int64N(int64(time.Second))), what)
	}
	return true
}

func (n *network) arrive(to *node, after time.Duration, what func(*process)) {
	n.w.after(after, func() { to.arrive(what) })
}

func (n *network) delay(from, to *node) time.Duration {
	delay := n.least + time.Duration(n.w.rng.Int64N(int64(n.jitter)))
	if !n.ordered {
		return delay
	}
	at := max(n.w.now+delay, n.last[from.index][to.index])
	n.last[from.index][to.index] = at
	return at - n.w.now
}

// cut cuts links, each from one node to another, until the function that it returns is called.
func (n *network) cut(links [][2]*node) (restore func()) {
	for _, l := range links {
		n.cuts[l[0].index][l[1].index]++
	}
	restored := false
	return func() {
		if restored {
			return
		}
		restored = true
		for _, l := range links {
			n.cuts[l[0].index][l[1].index]--
		}
	}
}
