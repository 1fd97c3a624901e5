package replication

import (
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// TestLazyProposalsWaitForOthers: what no caller waits for does not wake a lane until lazyWithin is
// over, and goes with what does, in order.
func TestLazyProposalsWaitForOthers(t *testing.T) {
	lazy, urgent := proposal{lazy: true}, proposal{}
	for name, posts := range map[string][]struct {
		after    time.Duration
		proposal proposal
		woken    bool // as soon as it is posted
	}{
		"urgent":             {{0, urgent, true}, {0, urgent, true}},
		"lazy":               {{0, lazy, false}, {lazyWithin - 1, lazy, false}, {1, lazy, true}},
		"lazy, then urgent":  {{0, lazy, false}, {1, lazy, false}, {1, urgent, true}},
		"urgent, then lazy":  {{0, urgent, true}, {0, lazy, true}},
		"lazy after a cycle": {{0, lazy, false}, {lazyWithin, lazy, true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLane(&Host{options: Options{Shards: 1}.withDefaults()})
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
	r := open(t, setup{})
	out := make(chan error, 1)
	r.ProposeLazy(1, r.term(1), (step{"shop/1", 0, ""}), func(_ uint64, err error) { out <- err })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-out; err != nil { // it may have been in time
		wantErr(t, err, ErrClosed)
	}
}

// TestMessagesOfOthersAreBounded: a lane that waits for its disk keeps no more of what others send.
func TestMessagesOfOthersAreBounded(t *testing.T) {
	for name, c := range map[string]struct{ entry, want int }{"many": {0, maxMessages}, "large": {1 << 20,
		maxReceived >> 20}} {
		t.Run(name, func(t *testing.T) {
			r := open(t, setup{Options: Options{Manual: true, Shards: 1}})
			m := Message{Shard: 1, Message: &raftpb.Message{
				Type: raftpb.MsgApp.Enum(), From: new(uint64(98)), To: new(uint64(99)), Term: new(uint64(1)),
				Index: new(uint64(6)), LogTerm: new(uint64(1)), Entries: []*raftpb.Entry{{Index: new(uint64(7)),
					Term: new(uint64(1)), Data: make([]byte, c.entry)}},
			}}
			taken := 0
			for r.Receive(m) == nil {
				taken++
			}
			if taken != c.want {
				t.Errorf("%d messages wait, want %d", taken, c.want)
			}
			if err := r.Drive(); err != nil {
				t.Fatal(err)
			}
			wantErr(t, r.Receive(m), nil)
		})
	}
}
