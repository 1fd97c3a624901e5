package control

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

const (
	// registerWithin bounds one try to register, at one node.
	registerWithin = 3 * time.Second
	// registerEvery is how often a node looks whether the cluster knows it as it is.
	registerEvery = time.Second
	// followPause is the pause after a question for the state that was not answered.
	followPause = 200 * time.Millisecond
)

// follower makes this node one of a cluster, and keeps it and the cluster's record up to date with
// each other.
type follower struct {
	*Control

	// asking ends the request for a newer record that waits at another node; nil where none does.
	asking  atomic.Pointer[context.CancelFunc]
	removed sync.Once
}

// hinted ends the request for a newer record: the node that was asked may wait for this one by now.
func (c *follower) hinted() {
	if stop := c.asking.Load(); stop != nil {
		(*stop)()
	}
}

// follow makes this node one of a cluster, and keeps up with the cluster's state.
func (c *follower) follow(ctx context.Context) {
	c.formation.form(ctx)
	c.meta.loop.poke()
	c.tasks.run(c.stayRegistered)
	for turn := 0; ctx.Err() == nil; turn++ {
		if c.leaderships.term(0) != 0 {
			// What this node writes is what it knows.
			c.Scheduler.Sleep(ctx, followPause)
			continue
		}
		if !c.ask(ctx, turn) {
			c.sleep(ctx, followPause)
		}
	}
}

// ask asks a node for a newer state; true where it answered. The question waits there for a change.
// When the meta group has another leader it is put to that one: two nodes that follow each other
// would both wait for the other, and neither would learn of a change.
func (c *follower) ask(ctx context.Context, turn int) bool {
	others := c.informed()
	if len(others) == 0 {
		return false
	}
	node := others[0]
	if turn%4 == 3 { // the node that should be the leader may be cut off
		node = others[turn/4%len(others)]
	}
	ctx, cancel := c.tasks.within(ctx, stateWait+askWithin)
	defer cancel()
	c.asking.Store(&cancel)
	defer c.asking.Store(nil)
	state, err := c.transport.State(ctx, node, c.state.get().GetRevision())
	if err != nil || state == nil {
		return false
	}
	c.state.set(state)
	return true
}

// informed are the other nodes of the cluster, those first that should know its record best.
func (c *Control) informed() []uint64 {
	list := newNodes(c.Identity.Node())
	if hint, known := c.gossip.Leader(0); known {
		list.add(hint.Node)
	}
	list.add(c.Wanted(0)...)
	for _, p := range c.gossip.Peers() {
		if p.Cluster != 0 && (c.Identity.Cluster() == 0 || p.Cluster == c.Identity.Cluster()) {
			list.add(p.Node)
		}
	}
	for _, m := range c.state.get().GetMembers() {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			list.add(m.Node)
		}
	}
	return list.all
}

// register has the meta group know this node as it is.
func (c *follower) register(ctx context.Context) (*clusterv1.ClusterState, error) {
	if c.leaderships.term(0) != 0 {
		return c.meta.register(ctx, c.member(), c.Config.Shards)
	}
	err := errors.New("cluster: no node of it can be called")
	for _, node := range c.informed() {
		state, joinErr := c.join(ctx, node)
		if joinErr == nil || errors.Is(joinErr, ErrRejected) {
			return state, joinErr
		}
		err = joinErr
	}
	return nil, err
}

func (c *follower) join(ctx context.Context, node uint64) (*clusterv1.ClusterState, error) {
	ctx, cancel := c.tasks.within(ctx, registerWithin)
	defer cancel()
	return c.transport.Join(ctx, node, c.member(), c.Config.Shards)
}

// stayRegistered reports to the cluster that this node has another address or version, and notices
// when it was removed.
func (c *follower) stayRegistered(ctx context.Context) {
	said := ""
	for c.sleep(ctx, registerEvery) {
		state := c.state.get()
		own := findMember(state, c.Identity.Node())
		if own.GetStanding() == clusterv1.Standing_STANDING_REMOVED {
			c.removed.Do(func() { c.Events.Fatal(ErrRemoved) })
			return
		}
		if state == nil && c.leaderships.term(0) == 0 || own != nil && sameMember(own, c.member()) {
			continue
		}
		state, err := c.register(ctx)
		switch {
		case err == nil:
			c.state.set(state)
			said = ""
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			c.Logger.Warn("this node can't register with its cluster yet", "error", err)
		}
	}
}

// sameMember reports whether a node is known as it is; its standing is not for it to say.
func sameMember(known, own *clusterv1.Member) bool {
	own.Standing = known.GetStanding()
	return proto.Equal(known, own)
}

// sleep waits for about d, so that nodes do not do the same at once for ever; false where ctx ended
// before.
func (c *Control) sleep(ctx context.Context, d time.Duration) bool {
	return c.Scheduler.Sleep(ctx, d/2+time.Duration(c.Random()%uint64(d)))
}
