package sim

import (
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/cluster/control"
	"github.com/wactor/wactor/cluster/gossip"
	"github.com/wactor/wactor/cluster/routing"
	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
)

// node is a machine: a disk, a clock and, while it is up, a process.
type node struct {
	w     *World
	index int
	id    uint64 // as the store says; 0 before its first start
	disk  *disk
	clock clock

	proc *process // nil while it is down
	// paused: its process stands still; what is sent to it waits in its sockets.
	paused bool
	socket []func(*process)
	// reading: what has waited is not read to its end yet, and what comes waits behind it.
	reading bool
	// quick: it is started again at once.
	quick bool
	// starts counts its processes.
	starts uint64
}

// clock is a node's monotonic clock: it begins anywhere, and drifts.
type clock struct {
	begin time.Duration
	rate  float64
}

func (c clock) at(now time.Duration) time.Duration {
	return c.begin + time.Duration(float64(now)*c.rate)
}

// period is how long the node takes for what it measures as a time.
func (c clock) period(d time.Duration) time.Duration { return time.Duration(float64(d) / c.rate) }

// process is one life of a node, from its start to its crash.
type process struct {
	*node
	life  uint64
	store *store.Store
	// dead: the power is gone, or the process ended itself. Nothing that it does any more reaches
	// another node. It may be set by the engine's goroutines, while the simulation waits for them.
	dead atomic.Bool
	// poked: a drive is on its way; late: it came while the node was paused.
	poked, late bool
	// stalled is until when the disk is too slow for a drive.
	stalled   time.Duration
	leads     map[uint32]replication.Leadership
	scheduler *scheduler
	router    *routing.Router
	runtime   *actors.Runtime
	// twin is a second runtime on the same store, as there should be none; nil mostly.
	twin      *actors.Runtime
	transfers []*transfer
	streams   []*stream // by node
	membership
	unsettled
}

// membership is what a process knows of the cluster, in the seeds where nodes decide for
// themselves.
type membership struct {
	control *control.Control
	peers   []gossip.Peer
	leaders map[uint32]gossip.Hint
}

func (n *node) up() bool { return n.proc != nil && !n.paused }

// arrive hands something to the process.
func (n *node) arrive(what func(*process)) {
	switch {
	case n.proc == nil:
	case n.paused || n.reading:
		n.socket = append(n.socket, what)
	default:
		what(n.proc)
	}
}

// start begins a life.
func (n *node) start() {
	w := n.w
	if n.proc != nil || w.failure != nil {
		return
	}
	n.starts++
	p := &process{node: n, life: n.starts, leads: map[uint32]replication.Leadership{},
		streams: make([]*stream, len(w.nodes))}
	n.proc = p
	w.record.note("node %d starts, life %d", uint64(n.index), n.starts)
	var err error
	moved := &flushes{}
	p.guarded(func() {
		p.store, err = store.Open(p.options(moved))
		moved.opened()
		if err == nil && !p.dead.Load() {
			err = p.join()
		}
	})
	p.scheduler = &scheduler{p: p}
	if p.dead.Load() {
		p.fall("power cut while it starts")
		return
	}
	if err != nil {
		n.proc = nil
		w.fail("node %d can't open what a crash left: %v", n.index, err)
		return
	}
	if n.id != 0 && n.id != p.store.Node() {
		w.fail("node %d has forgotten its id", n.index)
	}
	n.id = p.store.Node()
	w.nodeOf[n.id] = n
	p.router = p.newRouter()
	p.runtime = p.newRuntime(actorStore{p.store, p})
	if w.rules.twins > 0 && !w.healed {
		p.twin = p.newRuntime(twinStore{actorStore{p.store, p}})
	}
	if w.rules.expect > 0 {
		p.leaders = map[uint32]gossip.Hint{}
		c, err := p.newControl()
		if err != nil {
			w.fail("node %d can't read the cluster's record: %v", n.index, err)
			return
		}
		p.control = c
		c.Start(transport{p}, hearsay{p})
		p.spread()
	}
	for shard := uint32(0); shard <= uint32(w.rules.shards); shard++ {
		p.passOn(shard) // what came while it started
	}
	p.poke()
	w.after(time.Duration(w.rng.Int64N(int64(replication.TickInterval))), p.tick)
}

// join makes the first node the founder of the cluster, and the others nodes of it, unless they are
// already.
func (p *process) join() error {
	const cluster = 7
	switch {
	case p.store.Cluster() != 0 || p.w.rules.expect > 0:
		return nil
	case p.index == 0:
		return p.store.Found(cluster)
	}
	return p.store.Adopt(cluster)
}

// guarded calls what writes to the disk: the engine panics where a write has failed.
func (p *process) guarded(do func()) {
	defer func() {
		if r := recover(); r != nil && !p.dead.Load() {
			panic(r)
		}
	}()
	do()
}

func (p *process) options(moved *flushes) store.Options {
	w := p.w
	return store.Options{
		Disk: engine.Options{Dir: dir, FS: p.disk.open(), CacheBytes: 1 << 20, Tune: moved.tune},
		Replication: replication.Options{
			Shards: w.rules.shards, Joining: true, Manual: true,
			Limits:            replication.Limits{Lanes: w.rules.lanes, LogBytes: w.rules.logBytes},
			Monotonic:         func() time.Duration { return p.clock.at(w.now) },
			Transport:         replication.Transport{Send: p.send, SendSnapshot: p.sendSnapshot},
			LeadershipChanged: p.leadershipChanged,
		},
		Fatal: func(err error) {
			w.record.comment("node %d ends itself: %v", p.index, err)
			p.dead.Store(true)
		},
		Logger: w.logger(p.index),
	}
}

// in lets something happen to this process later, if it still lives then; while it is paused it
// waits.
func (p *process) in(d time.Duration, do func()) {
	p.w.after(d, func() {
		switch {
		case p.proc != p:
		case p.paused:
			p.socket = append(p.socket, func(*process) { do() })
		default:
			do()
		}
	})
}

// tick is every TickInterval of the node's own clock. A paused process misses its ticks but for
// one, as a ticker does.
func (p *process) tick() {
	if p.proc != p {
		return
	}
	p.w.after(p.clock.period(replication.TickInterval), p.tick)
	if p.paused {
		p.late = true
		return
	}
	p.store.Tick()
	p.poke()
}

// leadershipChanged is Options.LeadershipChanged.
func (p *process) leadershipChanged(shard uint32, now replication.Leadership) {
	if p.dead.Load() {
		return
	}
	w := p.w
	w.record.note("shard %d: node %d knows term %d, ready %d, led by %d", uint64(shard), uint64(p.index), now.Term,
		truth(now.Ready), now.Node)
	p.leads[shard] = now
	w.checks.leader(p, shard, now)
	if p.runtime != nil {
		p.passOn(shard)
	}
	if now.Ready {
		p.report(shard)
	}
}

// passOn passes on to the runtimes who leads a shard.
func (p *process) passOn(shard uint32) {
	now := p.leads[shard]
	if p.control != nil {
		p.control.LeadershipChanged(gossip.Hint{Shard: shard, Term: now.Term, Node: now.Node}, now.Ready)
	}
	if shard == 0 {
		return
	}
	for _, r := range p.runtimes() {
		r.LeadershipChanged(shard, p.leads[shard].Term, p.leads[shard].Ready)
	}
	if leader := p.leads[shard].Node; leader != 0 {
		p.router.LeaderChanged(shard, leader)
	}
}

// report notifies all nodes, some time later, that this one leads a shard.
func (p *process) report(shard uint32) {
	w := p.w
	p.in(w.between(20*time.Millisecond, 300*time.Millisecond), func() {
		w.hints[shard] = p.node
		for _, n := range w.nodes {
			if n != p.node {
				w.network.send(p.node, n, func(q *process) { q.router.LeaderChanged(shard, p.id) })
			}
		}
	})
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// poke has the process do what waits in its store, soon.
func (p *process) poke() {
	if p.poked {
		return
	}
	p.poked = true
	after := time.Duration(p.w.rng.Int64N(int64(time.Millisecond)))
	p.in(max(after, p.stalled-p.w.now), p.drive)
}

func (p *process) drive() {
	p.poked = false
	if p.stalled > p.w.now {
		p.poke()
		return
	}
	p.guarded(func() { _ = p.store.Drive() }) // its error is the one of Options.Fatal
	p.settle()
}

// settle ends the process if it died in what it just did. Whatever calls the store is followed by
// it; false: it is dead.
func (p *process) settle() bool {
	if p.proc != p {
		return false
	}
	if p.dead.Load() {
		p.fall("power cut or failed sync")
		return false
	}
	p.w.checks.leases()
	return true
}

// fall ends the process as a power cut does.
func (p *process) fall(why string) {
	n := p.node
	p.w.record.note("node %d falls, life %d", uint64(n.index), p.life)
	p.w.record.comment("node %d falls: %s", n.index, why)
	p.dead.Store(true)
	n.proc, n.paused, n.socket, n.reading = nil, false, nil, false
	p.breakStreams()
	if p.control != nil {
		p.control.Stop() // its tasks go on until they are stopped
	}
	if p.scheduler != nil {
		p.scheduler.stop()
	}
	err := n.disk.crash(p.w.rng, func() {
		for _, t := range p.transfers {
			t.snapshot.Close()
		}
		if p.store != nil {
			_ = p.store.Close()
		}
	})
	if err != nil {
		p.w.fail("node %d: %v", n.index, err)
	}
	if !p.w.over {
		down := p.w.between(30*time.Millisecond, 1500*time.Millisecond)
		if p.w.chance(0.4) || n.quick {
			down = p.w.between(time.Millisecond, 100*time.Millisecond) // sooner than any node notices
		}
		n.quick = false
		p.w.after(down, n.start)
	}
}

// pause stops the process, and wake lets it go on with all that waited for it.
func (n *node) pause() {
	if n.up() {
		n.w.record.note("node %d is paused", uint64(n.index))
		n.paused = true
	}
}

func (n *node) wake() {
	if n.proc == nil || !n.paused {
		return
	}
	n.w.record.note("node %d wakes up", uint64(n.index))
	n.paused = false
	p := n.proc
	if p.late {
		p.late = false
		p.store.Tick()
		p.poke()
	}
	// What waited is read bit by bit, in its order: all at once, or with cycles in between.
	step := time.Duration(n.w.rng.Int64N(int64(2 * time.Millisecond)))
	if n.w.rng.IntN(2) == 0 {
		step = 0
	}
	n.read(p, step)
}

// read reads what waits in the sockets of a process.
func (n *node) read(p *process, step time.Duration) {
	n.reading = true
	for len(n.socket) > 0 && n.proc == p && !n.paused {
		what := n.socket[0]
		n.socket = n.socket[1:]
		what(p)
		if step > 0 {
			n.w.after(step, func() {
				if n.proc == p && !n.paused {
					n.read(p, step)
				}
			})
			return
		}
	}
	if n.proc == p {
		n.reading = false
	}
}
