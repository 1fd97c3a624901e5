package control

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wactor/wactor/cluster/placement"
	"github.com/wactor/wactor/internal/planted"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// moves carries the replicas of the shards that this node leads to where they are wanted, a few
// shards at a time. It remembers nothing: what to do next is read from the group (placement.Next),
// so that any leader goes on where another one stopped.
type moves struct {
	control *Control
	loop    *loop
	wait    time.Duration // until the next look while there are steps

	mu   sync.Mutex
	busy map[uint32]bool
	// looks counts them; ended is the one during which a shard's last step ended.
	looks uint64
	ended map[uint32]uint64
	// kept are the shards whose leadership could not be transferred lately.
	kept map[uint32]kept
	// steps are taken until halt is called.
	steps context.Context
	halt  context.CancelFunc
}

// kept is a leadership whose transfer failed. Each attempt ends the shard's conversations and holds
// its webhooks up until it is over, and what stood in its way, such as a provider that takes long
// for a reply, may stay for hours.
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
	// transferAttempts is how often a node that stops tries to transfer a leadership: the other
	// replica may not know yet that it is a voter.
	transferAttempts = 3
	// stopEvery is how often a stop looks whether the last step has ended.
	stopEvery = 2 * time.Millisecond
	// nearEnough is how many entries behind the commit index a replica has caught up, if it has
	// any: a short log is all near.
	nearEnough = 64
	// stepWithin bounds one step.
	stepWithin = 5 * time.Second
	// keepFirst is how long a leadership stays where it is after its transfer failed; twice as long
	// each time, up to keepMost.
	keepFirst = 2 * time.Second
	keepMost  = 10 * time.Minute
)

func newMoves(c *Control) *moves {
	m := &moves{
		control: c, wait: movingEvery, busy: map[uint32]bool{}, ended: map[uint32]uint64{}, kept: map[uint32]kept{},
	}
	m.steps, m.halt = context.WithCancel(c.tasks.ctx)
	m.loop = newLoop(c.tasks, m.run)
	return m
}

// run looks once, and says when to look again.
func (m *moves) run(ctx context.Context) (next time.Duration) {
	steps, waits := m.look()
	m.control.Scheduler.Sleep(ctx, movingEvery) // news come in swarms
	switch {
	case steps:
		m.wait = movingEvery
		return m.wait
	case waits:
		m.wait = min(2*m.wait, waitEvery)
		return m.wait
	}
	m.wait = movingEvery
	return moveEvery
}

// look begins the next steps of shards that this node leads. It reports whether there are any, and
// whether some have to wait.
func (m *moves) look() (steps, waits bool) {
	c := m.control
	state := c.state.get()
	if len(state.GetWanted()) == 0 || !c.leaderships.any() {
		return false, false
	}
	m.open()
	replicas, err := c.Replicas.Replicas()
	if err != nil {
		return false, true
	}
	differences := Differences(state)
	for _, r := range replicas {
		term := c.leaderships.term(r.Shard)
		if term == 0 || term != r.Term || int(r.Shard) >= len(state.Wanted) {
			continue
		}
		wanted := servers(state.Wanted[r.Shard].Nodes, differences)
		step := placement.Next(groupOf(c.Identity.Node(), r), wanted, c.gossip.Alive)
		switch {
		case step.Kind == placement.None:
		case step.Kind == placement.Wait || step.Kind == placement.Transfer && m.keeps(r.Shard) || !m.begin(r.Shard):
			waits = true
		default:
			steps = true
			if !c.tasks.run(func(context.Context) { defer m.end(r.Shard); m.perform(r.Shard, term, r, step) }) {
				m.end(r.Shard)
			}
		}
	}
	return steps, waits
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
	return true
}

func (m *moves) end(shard uint32) {
	m.mu.Lock()
	delete(m.busy, shard)
	m.ended[shard] = m.looks
	m.mu.Unlock()
	m.loop.poke()
}

// keep notes whether a leadership could be transferred.
func (m *moves) keep(shard uint32, failed error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if failed == nil {
		delete(m.kept, shard)
		return
	}
	wait := min(max(keepFirst, 2*m.kept[shard].wait), keepMost)
	m.kept[shard] = kept{until: m.control.Scheduler.Now().Add(wait), wait: wait}
}

func (m *moves) keeps(shard uint32) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.control.Scheduler.Now().Before(m.kept[shard].until)
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

// perform takes one step. What fails is found again by the next look.
func (m *moves) perform(shard uint32, term uint64, r *clusterv1.ReplicaStatus, step placement.Step) {
	ctx, c := m.steps, m.control
	log := c.Logger.With("shard", shard, "term", term)
	var err error
	switch step.Kind {
	case placement.Add:
		log.Info("adding a replica", "peer", hexID(step.Nodes[0]), "replica", r.Next)
		if err = m.create(ctx, step.Nodes[0], shard, r.Next); err == nil || planted.Is(planted.LearnerNotCreated) {
			err = c.Replicas.AddLearner(shard, term, step.Nodes[0], r.Next)
		}
	case placement.Change:
		log.Info("changing the voters", "promote", len(step.Promote), "remove", len(step.Remove))
		err = c.Replicas.ChangeVoters(shard, term, step.Promote, step.Remove)
	case placement.Transfer:
		log.Info("transferring the leadership", "replica", step.To)
		err = m.transfer(ctx, shard, term, r, step.To)
		m.keep(shard, err)
	}
	if err != nil && ctx.Err() == nil {
		log.Info("a step of moving replicas was not taken; trying again", "step", step.Kind.String(), "error", err)
		c.sleep(ctx, time.Second)
		return
	}
	c.Scheduler.Sleep(ctx, movingEvery) // so that the group shows it
}

func (m *moves) create(ctx context.Context, node uint64, shard uint32, replica uint64) error {
	ctx, cancel := m.control.tasks.within(ctx, stepWithin)
	defer cancel()
	return m.control.transport.CreateReplica(ctx, node, shard, replica)
}

func (m *moves) transfer(ctx context.Context, shard uint32, term uint64, r *clusterv1.ReplicaStatus, to uint64) error {
	for _, member := range r.Members {
		if member.Id == to {
			ctx, cancel := m.control.tasks.within(ctx, stepWithin)
			defer cancel()
			return m.control.Replicas.Transfer(ctx, shard, term, to, false)
		}
	}
	return errors.New("cluster: no such replica")
}

// TransferLeaderships makes other replicas the leaders of all shards that this node leads, where
// there are any, and returns when that is done or ctx ends. Moves must not give them back
// meanwhile: Close comes next.
func (c *Control) TransferLeaderships(ctx context.Context) {
	c.moves.stop()
	replicas, err := c.Replicas.Replicas()
	if err != nil {
		return
	}
	var transfers []func()
	for _, r := range replicas {
		term := c.leaderships.term(r.Shard)
		to := bestReplica(c.Identity.Node(), r, c.gossip.Alive)
		if term == 0 || to == 0 {
			continue
		}
		transfers = append(transfers, func() { c.transfer(ctx, r.Shard, term, to) })
	}
	c.Scheduler.All(transfers...)
}

func (c *Control) transfer(ctx context.Context, shard uint32, term, to uint64) {
	for attempt := 1; ctx.Err() == nil && c.leaderships.term(shard) == term; attempt++ {
		err := c.Replicas.Transfer(ctx, shard, term, to, true)
		if err == nil {
			return
		}
		c.Logger.Info("leadership transfer failed", "shard", shard, "attempt", attempt, "error", err)
		if attempt == transferAttempts {
			return
		}
	}
}

// bestReplica is the one that leads a group best after this node: a voter that was active lately
// and has the most, if possible one that gossip takes for alive. A node that leaves says so there,
// but gossip alone may be cut. 0 where there is none.
func bestReplica(self uint64, r *clusterv1.ReplicaStatus, alive func(uint64) bool) uint64 {
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

// stop begins no further step, and returns when those in flight have ended: a leadership transfer
// must be alone in what it does.
func (m *moves) stop() {
	m.mu.Lock()
	for i := range uint32(movesAtOnce) {
		m.busy[^i] = true // numbers that no shard has
	}
	m.mu.Unlock()
	m.halt()
	for m.inFlight() > 0 {
		m.control.Scheduler.Sleep(context.Background(), stopEvery)
	}
}

func (m *moves) inFlight() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.busy) - movesAtOnce
}
