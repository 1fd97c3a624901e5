package replication

import (
	"math"
	"slices"
	"sync"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/internal/planted"
)

// A lease says how long no other node can be leader of a shard. The leader stamps its heartbeats
// with its own monotonic time, and the answers bring the stamp back. A follower that answered had a
// message of the leader after the stamp, and neither votes nor stands for election for
// electionTicks from then on (PreVote and CheckQuorum; nor after a restart, see group.step). So
// with answers of a majority, no other is elected before the oldest of their stamps plus the
// election timeout. The stamp is of the sending, not of the arrival: an answer that waited in a
// socket while this process was paused proves nothing about now. A leader that transfers its
// leadership has no lease meanwhile; see transfer.go.
//
// leaseFor is less than the election timeout by what a tick may come early, and by a margin for
// what is done under the lease.
const leaseFor = (electionTicks-1)*TickInterval - 100*time.Millisecond

// lease is the one of a shard. It is written by the lane and read by any goroutine.
type lease struct {
	mu    sync.Mutex
	term  uint64
	until time.Duration // of Options.Monotonic
}

func (l *lease) set(term uint64, until time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.term, l.until = term, until
}

// Leased reports whether this node leads a shard in a term and no other node can before a moment is
// over. What is sent to the outside is sent only then: a node that was paused or cut off finds out
// here.
func (h *Host) Leased(shard uint32, term uint64) bool {
	l := &h.leases[shard]
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term == term && (h.options.Monotonic() < l.until || planted.Is(planted.SentWithoutLease))
}

// confirm takes the stamp of a heartbeat that was answered.
func (g *group) confirm(m *raftpb.Message) {
	stamp, ok := cutStamp(m, nil)
	m.Context = nil // the consensus core would read any other for its own
	if !ok || stamp > g.fencing.now() {
		return // no replica has got that
	}
	if planted.Is(planted.LeaseOfArrival) {
		stamp = g.fencing.now()
	}
	if m.GetTerm() == g.log.hard.GetTerm() && stamp > g.fencing.given {
		g.fencing.stamps[m.GetFrom()] = max(stamp, g.fencing.stamps[m.GetFrom()])
	}
}

// renew writes the lease down.
func (g *group) renew(to *lease) {
	// What was reported of leadership (g.leadership) is behind: this replica may have voted for
	// another one in this very round.
	if !g.leadership.Ready || !g.leadsOn() {
		to.set(0, 0)
		return
	}
	until := time.Duration(math.MaxInt64)
	for _, voters := range [][]uint64{g.log.conf.GetVoters(), g.log.conf.GetVotersOutgoing()} {
		switch confirmed := g.fencing.confirmed(voters, g.replica); {
		case confirmed == 0:
			until = 0
		case confirmed < until-leaseFor:
			until = confirmed + leaseFor
		}
	}
	if planted.Is(planted.LeaseTooLong) && until > 0 {
		until += electionTicks * TickInterval
	}
	to.set(g.leadership.Term, until)
}

// confirmed is a time at which a majority took this node for the leader; 0 where there is none.
func (f *fencing) confirmed(voters []uint64, self uint64) time.Duration {
	if len(voters) == 0 || len(voters) == 1 && voters[0] == self {
		return math.MaxInt64
	}
	stamps := make([]time.Duration, 0, 8)
	for _, voter := range voters {
		stamp := f.stamps[voter]
		if voter == self {
			stamp = math.MaxInt64
		}
		stamps = append(stamps, stamp)
	}
	slices.Sort(stamps)
	return stamps[(len(stamps)-1)/2] // so many or more have a stamp as late, and they are a majority
}
