//go:build linux

package system_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// A fault happens to a cluster under load, lasts a while and is undone.
type fault struct {
	name  string
	lasts time.Duration
	// harmless: no webhook may be answered anything but 200.
	harmless bool
	begin    func(t *testing.T)
	end      func(t *testing.T)
}

// calm is the time after each fault that the cluster has at least to be itself again before the
// next one.
const calm = 3 * time.Second

// endure lets a cluster under load go through faults one after the other, and checks that nothing
// came of them. It returns how long webhooks of a shard were not accepted in each round.
func (r *rounds) endure(t *testing.T, c *cluster, faults []fault) spans {
	t.Helper()
	b := newBalancer(t, c)
	l := startLoad(t, b, r, time.Duration(len(faults))*plenty)
	time.Sleep(time.Second) // a second of load without a fault
	var lasted spans
	for i, f := range faults {
		b.outages.begin(time.Now())
		f.begin(t)
		time.Sleep(f.lasts)
		f.end(t)
		whole := time.Now()
		for _, m := range c.members {
			m.awaitReady(t)
		}
		ready := time.Since(whole)
		time.Sleep(calm)
		if i+1 < len(faults) {
			c.awaitBalance(t)
		}
		lasted = append(lasted, b.outages.longest(time.Now()))
		t.Logf("round %d: %s for %v: ready %v after it, webhooks of a shard not accepted for at most %v", i+1, f.name,
			f.lasts.Round(time.Millisecond), ready.Round(time.Millisecond), lasted[i].Round(time.Millisecond))
	}
	if len(lasted) == 0 {
		t.Error("no fault happened under load")
	}
	l.check(t, c)
	if !slices.ContainsFunc(faults, func(f fault) bool { return !f.harmless }) {
		b.mustTakeAll(t)
	}
	t.Logf("the balancer answered %v", b.answers())
	t.Logf("accepted again within: %v", lasted)
	return lasted
}

// balancedWithin is how soon after a fault nodes are leaders of what they should be. They look
// every five seconds.
const balancedWithin = 20 * time.Second

// awaitBalance waits until every shard is led where it should be: a node that leads nothing is no
// loss.
func (c *cluster) awaitBalance(t *testing.T) {
	t.Helper()
	if len(c.members) < 3 {
		return
	}
	c.await(t, "each shard to be led by whom it should", balancedWithin, func() bool {
		for _, s := range c.members[0].status(t).Shards {
			if len(s.Wanted) == 0 || s.Leader != s.Wanted[0] {
				return false
			}
		}
		return true
	})
}

// atMost fails a test where webhooks of a shard were not accepted for longer than the promise
// gives.
func (s spans) atMost(t *testing.T, longest time.Duration) {
	t.Helper()
	longest = patience(longest)
	for i, d := range s {
		if d > longest {
			t.Errorf("round %d: webhooks of a shard were not accepted for %v, more than %v", i+1,
				d.Round(time.Millisecond), longest)
		}
	}
}

// mustTakeAll fails a test where a webhook was answered anything but 200.
func (b *balancer) mustTakeAll(t *testing.T) {
	t.Helper()
	for status, n := range b.answers() {
		if status != http.StatusOK {
			t.Errorf("%d webhooks were answered %d", n, status)
		}
	}
}

// cutting is a fault of the network.
func (r *rounds) cutting(c *cluster, name string, cuts []cut) fault {
	return fault{
		name: name, lasts: r.while(),
		begin: func(t *testing.T) { t.Helper(); c.network.cut(t, cuts) },
		end:   func(t *testing.T) { t.Helper(); c.network.heal(t) },
	}
}

// killing kills a node and starts it again.
func killing(m *member, lasts time.Duration) fault {
	return fault{
		name: "kill " + m.name, lasts: lasts,
		begin: func(*testing.T) { m.kill() },
		end:   func(t *testing.T) { t.Helper(); m.launch(t) },
	}
}

// pausing lets a node stand still.
func pausing(m *member, lasts time.Duration) fault {
	return fault{
		name: "pause " + m.name, lasts: lasts,
		begin: func(t *testing.T) { t.Helper(); m.pause(t) },
		end:   func(t *testing.T) { t.Helper(); m.resume(t) },
	}
}

// filling fills the disk of a node and makes room again. The node ends meanwhile: what it can't
// write it must not accept.
func filling(m *member, d *disk, lasts time.Duration) fault {
	return fault{
		name: fmt.Sprintf("fill the disk of %s", m.name), lasts: lasts,
		begin: func(t *testing.T) {
			t.Helper()
			t.Logf("%d KiB lie on the disk of %s", d.used(t)>>10, m.name)
			d.fill(t)
		},
		end: func(t *testing.T) {
			t.Helper()
			d.free(t)
			if m.running() { // it saw the end coming, and took nothing new
				t.Logf("%s has gone on", m.name)
				return
			}
			t.Logf("%s had ended: %v", m.name, m.process.err)
			m.launch(t)
		},
	}
}
