package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/wactor/wactor/cluster/placement"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// moves carries the replicas of the shards that this node leads to where they are wanted, a few
// shards at a time. It remembers nothing: what to do next is read from the group (placement.Next),
// so that any leader goes on where another one stopped.
type moves struct {
	cluster *Cluster
	wake    chan struct{}

	mu   sync.Mutex
	busy map[uint32]bool
	// looks counts them; ended is the one during which a shard's last step ended.
	looks uint64
	ended map[uint32]uint64
	// kept are the leads that could not be given away lately.
	kept map[uint32]kept
	// steps are under way until halt is called.
	steps  sync.WaitGroup
	halted context.Context
	halt   context.CancelFunc
}

// kept is a lead that could not be given away. Each try ends the shard's conversations and refuses
// its webhooks until it is over, and what stood in its way, such as a provider that takes long for
// a reply, may stay for hours.
type kept struct {
	until time.Time
	wait  time.Duration
}

const (
	// movesAtOnce is how many shards a leader moves at once: each may copy its whole state.
	movesAtOnce = 4
	// moveEvery is how often a leader looks where nothing changed, movingEvery while steps are
	// taken, and up to waitEvery while it has to wait for others: that may be for long, and each
	// look stops the lanes for a moment.
	moveEvery   = 5 * time.Second
	movingEvery = 50 * time.Millisecond
	waitEvery   = time.Second
	// handOverTries is how often a node that stops offers a lead: the heir may not have heard yet
	// that it is a voter.
	handOverTries = 3
	// nearEnough is how many entries behind the commit index a replica has caught up, if it has
	// any: a short log is all near.
	nearEnough = 64
	// stepWithin bounds one step, but for a transfer's hand-over.
	stepWithin = 5 * time.Second
	// keepLead is how long a lead stays where it is after it could not be given away; twice as long
	// each time, up to keepLeadMost.
	keepLead     = 2 * time.Second
	keepLeadMost = 10 * time.Minute
)

func newMoves(c *Cluster) *moves {
	m := &moves{
		cluster: c, wake: make(chan struct{}, 1), busy: map[uint32]bool{}, ended: map[uint32]uint64{},
		kept: map[uint32]kept{},
	}
	m.halted, m.halt = context.WithCancel(context.Background())
	return m
}

func (m *moves) poke() { signal(m.wake) }

func (m *moves) run(ctx context.Context) {
	timer := time.NewTimer(moveEvery)
	defer timer.Stop()
	for wait := movingEvery; ; {
		select {
		case <-m.wake:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		switch steps, waits := m.look(ctx); {
		case steps:
			wait = movingEvery
			timer.Reset(wait)
		case waits:
			wait = min(2*wait, waitEvery)
			timer.Reset(wait)
		default:
			wait = movingEvery
			timer.Reset(moveEvery)
		}
		pause(ctx, movingEvery) // news come in swarms
	}
}

// look begins the next steps of shards that this node leads. It reports whether there are any, and
// whether some have to wait.
func (m *moves) look(ctx context.Context) (steps, waits bool) {
	c := m.cluster
	state := c.state.get()
	if len(state.GetWanted()) == 0 || !m.leadsAny() {
		return false, false
	}
	m.open()
	replicas, err := c.host.Replicas()
	if err != nil {
		return false, true
	}
	for _, r := range replicas {
		term := c.leading(r.Shard)
		if term == 0 || term != r.Term || int(r.Shard) >= len(state.Wanted) {
			continue
		}
		step := placement.Next(groupOf(c.host.Node(), r), state.Wanted[r.Shard].Nodes, c.Alive)
		switch {
		case step.Kind == placement.None:
		case step.Kind == placement.Wait || step.Kind == placement.Transfer && m.keeps(r.Shard) || !m.begin(r.Shard):
			waits = true
		default:
			steps = true
			if !c.goRun(func(context.Context) { defer m.end(r.Shard); m.perform(ctx, r.Shard, term, r, step) }) {
				m.end(r.Shard)
			}
		}
	}
	return steps, waits
}

func (m *moves) leadsAny() bool {
	m.cluster.leadsMu.Lock()
	defer m.cluster.leadsMu.Unlock()
	return len(m.cluster.leads) > 0
}

// open begins a look.
func (m *moves) open() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
}

// begin begins a step that this look found, unless one is under way, or ended since the look began:
// that one was not seen.
func (m *moves) begin(shard uint32) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy[shard] || len(m.busy) >= movesAtOnce || m.ended[shard] == m.looks {
		return false
	}
	m.busy[shard] = true
	m.steps.Add(1)
	return true
}

func (m *moves) end(shard uint32) {
	m.mu.Lock()
	delete(m.busy, shard)
	m.ended[shard] = m.looks
	m.mu.Unlock()
	m.steps.Done()
	m.poke()
}

// keep notes whether a lead could be given away.
func (m *moves) keep(shard uint32, failed error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if failed == nil {
		delete(m.kept, shard)
		return
	}
	wait := min(max(keepLead, 2*m.kept[shard].wait), keepLeadMost)
	m.kept[shard] = kept{until: time.Now().Add(wait), wait: wait}
}

func (m *moves) keeps(shard uint32) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Before(m.kept[shard].until)
}

// groupOf is a group as placement sees it.
func groupOf(self uint64, r *clusterv1.ReplicaStatus) placement.Group {
	g := placement.Group{Self: self}
	for i, member := range r.Members {
		p := r.Progress[i]
		g.Joint = g.Joint || p.Outgoing
		g.Replicas = append(g.Replicas, placement.Replica{
			ID: member.Id, Node: member.Node, Voter: p.Voter, Outgoing: p.Outgoing, Learner: p.Learner,
			CaughtUp: p.Match > 0 && p.Match+nearEnough >= r.Commit && !p.Snapshot, Recent: p.Recent,
		})
	}
	return g
}

// perform takes one step. What fails is told again by the next look.
func (m *moves) perform(ctx context.Context, shard uint32, term uint64, r *clusterv1.ReplicaStatus,
	step placement.Step) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.halted, cancel)()
	c := m.cluster
	log := c.log.With("shard", shard, "term", term)
	var err error
	switch step.Kind {
	case placement.Add:
		log.Info("adding a replica", "peer", hexID(step.Nodes[0]), "replica", r.Next)
		if err = m.create(ctx, step.Nodes[0], shard, r.Next); err == nil {
			err = c.host.AddLearner(shard, term, step.Nodes[0], r.Next)
		}
	case placement.Change:
		log.Info("changing the voters", "promote", len(step.Promote), "remove", len(step.Remove))
		err = c.host.ChangeVoters(shard, term, step.Promote, step.Remove)
	case placement.Transfer:
		log.Info("giving the lead away", "replica", step.To)
		err = m.transfer(ctx, shard, term, r, step.To)
		m.keep(shard, err)
	}
	if err != nil && ctx.Err() == nil {
		log.Info("a step of moving replicas was not taken; trying again", "step", step.Kind.String(), "error", err)
		pause(ctx, jitter(time.Second))
		return
	}
	pause(ctx, movingEvery) // so that the group shows it
}

func (m *moves) create(ctx context.Context, node uint64, shard uint32, replica uint64) error {
	l := m.cluster.links.to(node)
	if l == nil {
		return fmt.Errorf("%w: nobody knows where node %s is", ErrUnreachable, hexID(node))
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, m.cluster.outgoing()), stepWithin)
	defer cancel()
	_, err := l.client.CreateReplica(ctx, &clusterv1.CreateReplicaRequest{Shard: shard, Replica: replica})
	return err
}

func (m *moves) transfer(ctx context.Context, shard uint32, term uint64, r *clusterv1.ReplicaStatus, to uint64) error {
	for _, member := range r.Members {
		if member.Id == to {
			ctx, cancel := context.WithTimeout(ctx, stepWithin)
			defer cancel()
			return m.cluster.host.Transfer(ctx, shard, term, to, false)
		}
	}
	return errors.New("cluster: no such replica")
}

// HandLeadsOver gives all leads of this node away, as far as there is somebody to take them, and
// returns when that is done or ctx ends. Moves must not give them back meanwhile: Close comes next.
func (c *Cluster) HandLeadsOver(ctx context.Context) {
	c.moves.stop()
	replicas, err := c.host.Replicas()
	if err != nil {
		return
	}
	var all sync.WaitGroup
	for _, r := range replicas {
		term := c.leading(r.Shard)
		heir := heirOf(c.host.Node(), r, c.Alive)
		if term == 0 || heir == 0 {
			continue
		}
		all.Go(func() {
			for try := 1; ctx.Err() == nil && c.leading(r.Shard) == term; try++ {
				err := c.host.Transfer(ctx, r.Shard, term, heir, true)
				if err == nil {
					return
				}
				c.log.Info("a lead was not given away", "shard", r.Shard, "try", try, "error", err)
				if try == handOverTries {
					return
				}
			}
		})
	}
	all.Wait()
}

// heirOf is the replica that takes a group over best: a voter that was heard of lately and has the
// most, if possible one that gossip takes for alive: who leaves says so there, but it alone may be
// cut. 0 where there is none.
func heirOf(self uint64, r *clusterv1.ReplicaStatus, alive func(uint64) bool) uint64 {
	best, most, bestAlive := uint64(0), uint64(0), false
	for i, member := range r.Members {
		p := r.Progress[i]
		if member.Node == self || !p.Voter || !p.Recent || p.Snapshot {
			continue
		}
		lives := alive(member.Node)
		if best == 0 || lives && !bestAlive || lives == bestAlive && p.Match > most {
			best, most, bestAlive = member.Id, p.Match, lives
		}
	}
	return best
}

// stop begins no further step, and returns when those under way have ended: whoever gives a lead
// away must be alone in that.
func (m *moves) stop() {
	m.mu.Lock()
	for i := range uint32(movesAtOnce) {
		m.busy[^i] = true // numbers that no shard has
	}
	m.mu.Unlock()
	m.halt()
	m.steps.Wait()
}
