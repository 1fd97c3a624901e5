package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// A new cluster is founded by one node, with the consent of all that are there, and the others join
// it. Nothing else makes a cluster, so there is one:
//
//   - Only a node without a cluster founds or consents, and what makes it a member is on its disk
//     before anybody hears of it. A node with data never does either again, however it restarts.
//   - The founder needs the consent of every node that it sees, and of Expect nodes at least,
//     itself included. Of the Expect nodes that were meant each is asked, so a second founder among
//     them would need the consent of the first, who has a cluster.
//   - A consent is for one founder, and on the disk before it is told. It lapses after a while, for
//     a founder that died; a founder that was slower gives up. After a restart nobody knows how old
//     it is, so it counts as new.
//   - Should there be a second founder all the same (more nodes than were meant, and the first was
//     cut off just then), only one of the two clusters finds enough nodes to be formed, as long as
//     there are fewer than twice Expect and none is counted by both. The other one never takes a
//     webhook.
//
// Gossip says who is asked; that it may be wrong costs time, not a second cluster.
type formation struct {
	cluster *Cluster

	// mu is held while a consent is written: two can't be given at once.
	mu      sync.Mutex
	granted uint64 // the founder that this node consents to
	until   time.Time
}

const (
	// consentFor is how long a consent lasts, and foundWithin, which is less by more than any
	// clock's drift, how long its use may take.
	consentFor  = 10 * time.Second
	foundWithin = 5 * time.Second
	// consentWithin bounds the wait for one node's answer.
	consentWithin = 2 * time.Second
	// formEvery is how often a node without a cluster looks around.
	formEvery = 100 * time.Millisecond
)

func newFormation(c *Cluster) *formation {
	return &formation{cluster: c, granted: c.host.Consented(), until: time.Now().Add(consentFor)}
}

// nominate asks for consent to a founder; it returns why it is refused, or nothing.
func (f *formation) nominate(founder uint64) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.cluster.host.Node()
	switch {
	case f.cluster.host.Cluster() != 0:
		return "this node has a cluster"
	case f.cluster.options.Expect < 2:
		return "this node waits for a cluster that is there already"
	case founder > own:
		return "this node's id is smaller"
	case f.granted != 0 && f.granted != founder && time.Now().Before(f.until):
		return "this node consents to another founder"
	}
	if founder != f.granted {
		if err := f.cluster.host.Consent(founder); err != nil {
			return fmt.Sprintf("this node can't write its consent down: %v", err)
		}
	}
	f.granted, f.until = founder, time.Now().Add(consentFor)
	return ""
}

// form makes this node one of a cluster. It returns when it is, or when ctx ends.
func (f *formation) form(ctx context.Context) {
	c := f.cluster
	said := ""
	say := func(text string, args ...any) {
		if line := fmt.Sprint(text, args); line != said {
			c.log.Info(text, args...)
			said = line
		}
	}
	for ctx.Err() == nil && c.host.Cluster() == 0 {
		peers := c.membership.Peers()
		var clusters []uint64
		alone := []uint64{c.host.Node()}
		for _, p := range peers {
			if p.Cluster == 0 {
				alone = append(alone, p.Node)
			} else {
				clusters = append(clusters, p.Cluster)
			}
		}
		slices.Sort(clusters)
		clusters = slices.Compact(clusters)
		slices.Sort(alone)
		switch {
		case len(clusters) > 1:
			say("nodes of several clusters are here, and this one belongs to none: keep them apart by their secrets",
				"clusters", len(clusters))
		case len(clusters) == 1:
			if err := f.join(ctx, clusters[0]); err != nil {
				say("this node can't join yet", "cluster", hexID(clusters[0]), "error", err)
			}
		case c.options.Expect < 2:
			say("waiting for a node of the cluster to join", "join", c.options.Join)
		case len(alone) < c.options.Expect:
			say("waiting for the nodes that found the cluster", "expected", c.options.Expect, "here", len(alone))
		case alone[0] == c.host.Node():
			if err := f.found(ctx, alone[1:]); err != nil {
				say("founding a cluster was put off", "error", err)
			}
		}
		pause(ctx, jitter(formEvery))
	}
}

// found founds a cluster with the consent of others.
func (f *formation) found(ctx context.Context, others []uint64) error {
	c := f.cluster
	began := time.Now()
	if reason := f.nominate(c.host.Node()); reason != "" {
		return fmt.Errorf("cluster: %s", reason)
	}
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.outgoing()), consentWithin)
	defer cancel()
	answers := make(chan error, len(others))
	for _, node := range others {
		c.goRun(func(context.Context) { answers <- f.ask(ctx, node) })
	}
	for range others {
		select {
		case err := <-answers:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if time.Since(began) > foundWithin {
		return fmt.Errorf("cluster: the consent of others came too late")
	}
	id := newID()
	if err := c.host.Found(id); err != nil {
		return err
	}
	c.log.Info("founded a cluster", "cluster", hexID(id), "nodes", len(others)+1)
	return c.membership.Update(c.self())
}

func (f *formation) ask(ctx context.Context, node uint64) error {
	l := f.cluster.links.to(node)
	if l == nil {
		return fmt.Errorf("cluster: nobody knows where node %s is", hexID(node))
	}
	answer, err := l.client.Nominate(ctx, &clusterv1.NominateRequest{Node: f.cluster.host.Node()})
	if err != nil {
		return fmt.Errorf("cluster: ask node %s: %w", hexID(node), err)
	}
	if !answer.GetGranted() {
		return fmt.Errorf("cluster: node %s does not consent: %s", hexID(node), answer.GetReason())
	}
	return nil
}

// join makes this node one of a cluster.
func (f *formation) join(ctx context.Context, cluster uint64) error {
	c := f.cluster
	state, err := c.register(ctx)
	if err != nil {
		return err
	}
	if state.GetCluster() != cluster {
		return fmt.Errorf("cluster: a node of cluster %s answered for %s", hexID(state.GetCluster()), hexID(cluster))
	}
	if err := c.host.Adopt(cluster); err != nil {
		return err
	}
	c.log.Info("joined a cluster", "cluster", hexID(cluster), "members", len(state.GetMembers()))
	c.state.set(state)
	return c.membership.Update(c.self())
}

// newID returns an id that nobody else has, not 0.
func newID() uint64 { return rand.Uint64()>>1 | 1 }

// pause waits; false where ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
