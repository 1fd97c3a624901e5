//go:build linux

package system_test

import (
	"testing"
	"time"
)

// TestKill kills a node with -9 again and again, and starts it again after 1 to 3 s.
func TestKill(t *testing.T) {
	r := newRounds(t)
	c := startCluster(t, r.nodes)
	var faults []fault
	for range r.count {
		faults = append(faults, killing(r.pick(c), r.between(time.Second, 3*time.Second)))
	}
	lasted := r.endure(t, c, faults)
	if r.nodes > 1 {
		lasted.atMost(t, within)
	}
}

// TestPause lets a node stand still again and again: it keeps its connections, assumes to be
// leader still, and wakes up in a world that has gone on.
func TestPause(t *testing.T) {
	r := newRounds(t)
	c := startCluster(t, r.nodes)
	var faults []fault
	for range r.count {
		faults = append(faults, pausing(r.pick(c), r.while()))
	}
	lasted := r.endure(t, c, faults)
	if r.nodes > 1 {
		lasted.atMost(t, within)
	}
}

// TestAllKilled kills all nodes at once and starts them again.
func TestAllKilled(t *testing.T) {
	r := newRounds(t)
	c := startCluster(t, r.nodes)
	var faults []fault
	for range max(1, r.count/3) {
		faults = append(faults, fault{
			name: "kill all", lasts: r.between(0, time.Second),
			begin: func(*testing.T) {
				for _, m := range c.members {
					m.kill()
				}
			},
			end: func(t *testing.T) { t.Helper(); c.start(t) },
		})
	}
	r.endure(t, c, faults)
}

// smallDisk is less than what the engine would like to reserve for its log, 110 % of 64 MiB: what
// is reserved would be written however full the disk is.
const smallDisk = 64 << 20

// TestFullDisk fills the disk of a node and makes room again. What the node then can't write it
// must not accept.
func TestFullDisk(t *testing.T) {
	r := newRounds(t)
	c := newCluster(t, r.nodes)
	m := r.pick(c)
	d := newDisk(t, m, smallDisk)
	c.start(t)
	var faults []fault
	for range min(5, max(1, r.count/3)) { // more would fill the disk by themselves
		faults = append(faults, filling(m, d, r.between(time.Second, 3*time.Second)))
	}
	lasted := r.endure(t, c, faults)
	if r.nodes > 1 {
		lasted.atMost(t, within)
	}
}
