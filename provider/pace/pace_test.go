package pace

import (
	"fmt"
	"testing"
	"time"

	"github.com/wactor/wactor/provider"
)

func TestSlotsKeepThePaceAndTheOrder(t *testing.T) {
	p := New(nil, Options{PerSecond: 10})
	now := time.Unix(1000, 0)
	for i := range 30 { // one at once, the others every 100 ms
		wait, back := p.slot(now, fmt.Sprint(i))
		if want := time.Duration(i) * 100 * time.Millisecond; wait != want || back != (want > shortWait) {
			t.Fatalf("reply %d: wait %v, back %v", i, wait, back)
		}
	}
	later := now.Add(500 * time.Millisecond)
	for i := range 30 { // those that come back keep their slots, whatever their order
		wait, _ := p.slot(later, fmt.Sprint(29-i))
		if want := max(0, time.Duration(29-i)*100*time.Millisecond-500*time.Millisecond); 29-i > 0 && wait != want {
			t.Fatalf("reply %d came back: wait %v, want %v", 29-i, wait, want)
		}
	}
	idle := now.Add(time.Hour)
	if wait, back := p.slot(idle, "new"); wait != 0 || back {
		t.Errorf("after a rest: wait %v, back %v", wait, back)
	}
}

func TestNodesShareThePace(t *testing.T) {
	now := time.Unix(1000, 0)
	nodes := []*Sender{New(nil, Options{PerSecond: 80}), New(nil, Options{PerSecond: 80}),
		New(nil, Options{PerSecond: 80})}
	for _, p := range nodes {
		p.Share(len(nodes))
	}
	within := func(d time.Duration, p *Sender) (n int) {
		for i := range 1000 {
			if wait, _ := p.slot(now, fmt.Sprint(now, i)); wait < d {
				n++
			}
		}
		return n
	}
	sum := 0
	for _, p := range nodes {
		sum += within(3*time.Second, p)
	}
	if sum != 3*80 {
		t.Errorf("three nodes send %d in three seconds, 240 are allowed", sum)
	}
	now = now.Add(time.Hour)
	nodes[0].Share(0) // the others have left
	if n := within(time.Second, nodes[0]); n != 80 {
		t.Errorf("a node that is alone sends %d in a second", n)
	}
}

func TestComplaintsSlowDownAndCalmSpeedsUp(t *testing.T) {
	p := New(nil, Options{PerSecond: 10})
	now := time.Unix(1000, 0)
	complaint := provider.Result{Outcome: provider.ChannelLimited}
	taken := provider.Result{Outcome: provider.Sent}
	for range 5 {
		p.learn(now, complaint) // all at the same moment: one step
	}
	if p.slow != 2 {
		t.Fatalf("slow %d after one burst of complaints", p.slow)
	}
	for range 10 {
		now = now.Add(2 * time.Second)
		p.learn(now, complaint)
	}
	if p.slow != slowest {
		t.Fatalf("slow %d, want %d", p.slow, slowest)
	}
	for range 3 {
		now = now.Add(calm)
		p.learn(now, taken)
	}
	if p.slow != 1 {
		t.Errorf("slow %d after calm", p.slow)
	}
}

func TestHeldChannelIsProbedByOne(t *testing.T) {
	p := New(nil, Options{})
	now := time.Unix(1000, 0)
	held := provider.Result{Outcome: provider.ChannelHeld, Code: 190}
	p.learn(now, held)
	if since, _ := p.Held(); !since.Equal(now) {
		t.Fatalf("held since %v", since)
	}
	if wait, back := p.slot(now, "a"); !back || wait != holdFor {
		t.Fatalf("a held channel: wait %v, back %v", wait, back)
	}
	now = now.Add(holdFor)
	if _, back := p.slot(now, "a"); back {
		t.Fatal("no reply may try")
	}
	if wait, back := p.slot(now, "b"); !back || wait != probeFor {
		t.Fatalf("beside the one that tries: wait %v, back %v", wait, back)
	}
	p.learn(now, provider.Result{Outcome: provider.Unknown})
	if _, back := p.slot(now, "b"); back {
		t.Fatal("a try that said nothing about the token keeps the others waiting")
	}
	p.learn(now, provider.Result{Outcome: provider.Sent})
	for _, id := range []string{"c", "d"} {
		if _, back := p.slot(now, id); back {
			t.Fatal("the channel is still held")
		}
	}
	if since, _ := p.Held(); !since.IsZero() {
		t.Errorf("held since %v", since)
	}
}
