package peer

import (
	"testing"

	"go.etcd.io/raft/v3/raftpb"
)

// unreached counts what could not be sent.
type unreached struct {
	Consensus
	lost int
}

func (u *unreached) Unreachable(uint64) { u.lost++ }

// TestRaftQueueIsBounded: a node that is called and does not answer costs so much memory and no
// more.
func TestRaftQueueIsBounded(t *testing.T) {
	for name, c := range map[string]struct{ entry, want int }{"many": {0, raftQueue}, "large": {1<<20 - 100,
		raftQueueBytes>>20 + 1}} {
		host := &unreached{}
		s := &consensusStream{peers: New(Options{Consensus: host}), link: &link{}, wake: make(chan struct{}, 1)}
		m := Message{Message: &raftpb.Message{Entries: []*raftpb.Entry{{Data: make([]byte, c.entry)}}}}
		for range raftQueue / 2 {
			s.send([]Message{m, m, m})
		}
		if n := len(s.take()); n != c.want || host.lost == 0 {
			t.Errorf("%s: %d messages wait, want %d; said so %d times", name, n, c.want, host.lost)
		}
		if s.send([]Message{m}); len(s.take()) != 1 {
			t.Errorf("%s: nothing more is taken, though all was sent", name)
		}
	}
}
