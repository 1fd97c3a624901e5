package sim

import (
	"math"
	"time"
)

// faults happen one after the other, and overlap as they like, until all is healed.
type faults struct {
	w        *World
	restores []func()
}

func (f *faults) begin() {
	pause := -math.Log(1-f.w.rng.Float64()) * float64(f.w.rules.pace)
	f.w.after(time.Duration(pause), func() {
		if !f.w.healed {
			f.next()
			f.begin()
		}
	})
}

// next lets a fault happen.
func (f *faults) next() {
	w := f.w
	victim := w.nodes[w.rng.IntN(len(w.nodes))]
	switch w.rng.IntN(17) {
	case 0, 1:
		f.crash(victim)
	case 2:
		if w.chance(0.3) {
			for _, n := range w.nodes {
				f.crash(n)
			}
		}
	case 3, 4, 5:
		f.setTrap(victim)
	case 6, 7, 8:
		f.pause(victim)
	case 9, 10, 11:
		f.cut()
	case 12:
		if victim.up() {
			w.Stats.Stalls++
			victim.proc.stalled = w.now + w.between(20*time.Millisecond, 800*time.Millisecond)
		}
	case 13:
		f.restartBridge(victim)
	default:
		if w.rules.moves && w.rules.expect == 0 {
			f.move()
		}
	}
}

func (f *faults) crash(n *node) {
	if n.proc != nil {
		f.w.Stats.Crashes++
		n.proc.fall("crash")
	}
}

// setTrap has the power go at an access to the disk that is still to come.
func (f *faults) setTrap(n *node) {
	p := n.proc
	if p == nil {
		return
	}
	t, wait := []trap{trapSync, trapSync, trapSync, trapError, trapInstall, trapTaken}[f.w.rng.IntN(6)], f.w.rng.IntN(6)
	if t == trapInstall || t == trapTaken {
		wait = 0
	}
	if t == trapError && f.w.chance(0.85) {
		t = trapSync // what the engine holds is never given back after an error
	}
	f.w.record.note("node %d: trap %d after %d", uint64(n.index), uint64(t), uint64(wait))
	f.w.record.comment("the trap is %v", t)
	n.disk.set(t, wait, func() {
		f.w.Stats.Traps++
		p.dead.Store(true)
	})
}

func (f *faults) pause(n *node) {
	f.w.Stats.Pauses++
	n.pause()
	f.w.after(f.w.between(20*time.Millisecond, 1500*time.Millisecond), n.wake)
}

// cut parts the nodes for a while: one from the others, in one direction or both, or in two halves,
// perhaps with a bridge.
func (f *faults) cut() {
	w := f.w
	w.Stats.Cuts++
	var links [][2]*node
	side := make([]int, len(w.nodes))
	bridge, oneWay := -1, w.chance(0.3)
	if w.chance(0.5) {
		side[w.rng.IntN(len(side))] = 1
	} else {
		for i := range side {
			side[i] = w.rng.IntN(2)
		}
	}
	if w.chance(0.5) {
		bridge = w.rng.IntN(len(side))
	}
	for i, from := range w.nodes {
		for j, to := range w.nodes {
			if side[i] != side[j] && i != bridge && j != bridge && !(oneWay && side[i] == 0) {
				links = append(links, [2]*node{from, to})
				w.record.note("cut from node %d to node %d", uint64(i), uint64(j))
			}
		}
	}
	restore := w.network.cut(links)
	f.restores = append(f.restores, restore)
	lasts := w.between(50*time.Millisecond, 2*time.Second)
	w.after(lasts, restore)
	if w.chance(0.4) { // who was away has something to put right now
		victim := w.nodes[w.rng.IntN(len(w.nodes))]
		w.after(lasts+w.between(0, 800*time.Millisecond), func() {
			if !w.healed {
				victim.quick = true
				f.crash(victim)
			}
		})
	}
}

// restartBridge parts the other nodes, all connected to this one, and restarts it again and again:
// what it has promised to one it may have forgotten when another one asks.
func (f *faults) restartBridge(bridge *node) {
	w := f.w
	w.Stats.Cuts++
	var links [][2]*node
	for _, from := range w.nodes {
		for _, to := range w.nodes {
			if from != to && from != bridge && to != bridge {
				links = append(links, [2]*node{from, to})
			}
		}
	}
	w.record.note("node %d is the bridge between all others", uint64(bridge.index))
	restore := w.network.cut(links)
	f.restores = append(f.restores, restore)
	w.after(w.between(time.Second, 2*time.Second), restore)
	for range 4 {
		w.after(w.between(500*time.Millisecond, 1500*time.Millisecond), func() {
			if !w.healed && bridge.proc != nil {
				bridge.quick = true
				f.crash(bridge)
			}
		})
	}
}

// move changes where a shard is wanted.
func (f *faults) move() {
	o := f.w.operators[f.w.rng.IntN(len(f.w.operators))]
	count := 3
	switch f.w.rng.IntN(10) {
	case 0:
		count = 1
	case 1:
		count = 5
	}
	if count > len(f.w.nodes) {
		count = 3
	}
	o.wish(count)
}

// heal ends all faults: nodes that are down start, one that is paused wakes up, and the network is
// fair.
func (f *faults) heal() {
	w := f.w
	w.healed = true
	w.record.note("all is healed")
	w.network.weather = fair
	for _, restore := range f.restores {
		restore()
	}
	for _, n := range w.nodes {
		n.disk.set(noTrap, 0, nil)
		n.wake()
		if n.proc != nil {
			n.proc.stalled = 0
			n.proc.endTwin()
		}
		n.start()
	}
}
