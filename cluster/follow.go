package cluster

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc/metadata"
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

// follow makes this node one of a cluster, and keeps up with the cluster's state.
func (c *Cluster) follow(ctx context.Context) {
	c.formation.form(ctx)
	c.meta.poke()
	c.goRun(c.stayRegistered)
	for turn := 0; ctx.Err() == nil; turn++ {
		if c.leading(0) != 0 {
			// What this node writes is what it knows.
			pause(ctx, followPause)
			continue
		}
		if !c.ask(ctx, turn) {
			pause(ctx, jitter(followPause))
		}
	}
}

// ask asks a node for a newer state; true where it answered. The question waits there for a change.
// When the meta group has another leader it is put to that one: two nodes that follow each other
// would both wait, and hear of nothing.
func (c *Cluster) ask(ctx context.Context, turn int) bool {
	others := c.informed()
	if len(others) == 0 {
		return false
	}
	node := others[0]
	if turn%4 == 3 { // whoever is said to lead may be cut off
		node = others[turn/4%len(others)]
	}
	l := c.links.to(node)
	if l == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.outgoing()), stateWait+silence)
	defer cancel()
	c.asking.Store(&cancel)
	defer c.asking.Store(nil)
	answer, err := l.client.State(ctx, &clusterv1.StateRequest{KnownRevision: c.state.get().GetRevision()})
	if err != nil || answer.GetState() == nil {
		return false
	}
	c.state.set(answer.GetState())
	return true
}

// informed are the other nodes of the cluster, those first who should know its state best.
func (c *Cluster) informed() []uint64 {
	var nodes []uint64
	add := func(node uint64) {
		if node != c.host.Node() && node != 0 && !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	if hint, known := c.membership.Leader(0); known {
		add(hint.Node)
	}
	for _, node := range c.Wanted(0) {
		add(node)
	}
	for _, p := range c.membership.Peers() {
		if p.Cluster != 0 && (c.host.Cluster() == 0 || p.Cluster == c.host.Cluster()) {
			add(p.Node)
		}
	}
	for _, m := range c.state.get().GetMembers() {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			add(m.Node)
		}
	}
	return nodes
}

// register has the meta group know this node as it is.
func (c *Cluster) register(ctx context.Context) (*clusterv1.ClusterState, error) {
	if c.leading(0) != 0 {
		return c.meta.register(ctx, c.member(), c.options.Shards)
	}
	err := errors.New("cluster: no node of it can be called")
	for _, node := range c.informed() {
		l := c.links.to(node)
		if l == nil {
			continue
		}
		try, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.outgoing()), registerWithin)
		var answer *clusterv1.JoinResponse
		answer, err = l.client.Join(try, &clusterv1.JoinRequest{Member: c.member(), Shards: c.options.Shards})
		cancel()
		if err == nil {
			return answer.GetState(), nil
		}
		if refused(err) {
			return nil, err
		}
	}
	return nil, err
}

// stayRegistered tells the cluster when this node has another address or version, and hears when it
// was removed. It looks after the certificates, too.
func (c *Cluster) stayRegistered(ctx context.Context) {
	said, certificates := "", ""
	for pause(ctx, jitter(registerEvery)) {
		certificates = c.options.Credentials.Report(c.log, certificates)
		state := c.state.get()
		own := findMember(state, c.host.Node())
		if own.GetStanding() == clusterv1.Standing_STANDING_REMOVED {
			c.removed.Do(func() { c.options.Fatal(ErrRemoved) })
			return
		}
		if state == nil && c.leading(0) == 0 || own != nil && sameMember(own, c.member()) {
			continue
		}
		state, err := c.register(ctx)
		switch {
		case err == nil:
			c.state.set(state)
			said = ""
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			c.log.Warn("this node can't register with its cluster yet", "error", err)
		}
	}
}

// sameMember reports whether a node is known as it is; its standing is not for it to say.
func sameMember(known, own *clusterv1.Member) bool {
	own.Standing = known.GetStanding()
	return proto.Equal(known, own)
}
