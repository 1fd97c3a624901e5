package persistence

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLazyProposalsWaitForOthers: what nobody waits for does not wake a lane until LazyWithin is
// over, and goes with what does, in order.
func TestLazyProposalsWaitForOthers(t *testing.T) {
	lazy, urgent := proposal{lazy: true}, proposal{}
	for name, posts := range map[string][]struct {
		after    time.Duration
		proposal proposal
		woken    bool // as soon as it is posted
	}{
		"urgent":             {{0, urgent, true}, {0, urgent, true}},
		"lazy":               {{0, lazy, false}, {LazyWithin - 1, lazy, false}, {1, lazy, true}},
		"lazy, then urgent":  {{0, lazy, false}, {1, lazy, false}, {1, urgent, true}},
		"urgent, then lazy":  {{0, urgent, true}, {0, lazy, true}},
		"lazy after a cycle": {{0, lazy, false}, {LazyWithin, lazy, true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLane(&Store{options: Options{Shards: 1}.withDefaults()})
				for round := range 2 { // what one cycle took has no effect on the next
					for i, post := range posts {
						time.Sleep(post.after)
						synctest.Wait()
						p := post.proposal
						p.shard = uint32(i)
						if err := l.post(&p); err != nil {
							t.Fatal(err)
						}
						if woken := len(l.wake) == 1; woken != post.woken {
							t.Errorf("cycle %d: woken after proposal %d: %v", round+1, i+1, woken)
						}
					}
					<-l.wake
					in, _ := l.take()
					for i, p := range in.proposals {
						if p.shard != uint32(i) {
							t.Errorf("cycle %d: proposal %d was posted as number %d", round+1, i+1, p.shard+1)
						}
					}
					if len(in.proposals) != len(posts) {
						t.Errorf("cycle %d: %d proposals, posted %d", round+1, len(in.proposals), len(posts))
					}
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(l.wake) > 0 {
					t.Error("woken with nothing to do")
				}
			})
		})
	}
}

// TestClosedLaneRefusesLazyProposals: what waits for others when the lane is closed is answered.
func TestClosedLaneRefusesLazyProposals(t *testing.T) {
	r := open(t, Options{})
	out := make(chan error, 1)
	r.ProposeLazy(1, r.term(1), command(commitOf("shop/1", 0)), func(_ Applied, err error) { out <- err })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-out; err != nil { // it may have been in time
		wantErr(t, err, ErrClosed)
	}
}
