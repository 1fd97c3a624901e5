package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/wactor/wactor/internal/planted"
)

// A new cluster is founded by one node, with the consent of all that are there, and the others join
// it. Nothing else makes a cluster, so there is one:
//
//   - Only a node without a cluster founds or consents, and what makes it a member is on its disk
//     before any other node learns of it. A node with data never does either again, however it
//     restarts.
//   - The founder needs the consent of every node that it sees, and of Expect nodes at least,
//     itself included. Of the Expect nodes that were meant each is asked, so a second founder among
//     them would need the consent of the first, who has a cluster.
//   - A consent is for one founder, and on the disk before it is sent. It lapses after a while, for
//     a founder that died; a founder that was slower gives up. After a restart its age is
//     unknown, so it counts as new.
//   - Should there be a second founder all the same (more nodes than were meant, and the first was
//     cut off just then), only one of the two clusters finds enough nodes to be formed, as long as
//     there are fewer than twice Expect and none is counted by both. The other one never takes a
//     webhook.
//
// Gossip says who is asked; that it may be wrong costs time, not a second cluster.
type formation struct {
	control *Control

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

func newFormation(c *Control) *formation {
	return &formation{control: c, granted: c.Identity.Consented(), until: c.Scheduler.Now().Add(consentFor)}
}

// nominate asks for consent to a founder; it returns why it is refused, or nothing.
func (f *formation) nominate(founder uint64) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.control.Identity.Node()
	switch {
	case f.control.Identity.Cluster() != 0:
		return "this node has a cluster"
	case f.control.Config.Expect < 2:
		return "this node waits for a cluster that is there already"
	case founder > own:
		return "this node's id is smaller"
	case f.granted != 0 && f.granted != founder && f.control.Scheduler.Now().Before(f.until):
		return "this node consents to another founder"
	}
	if founder != f.granted {
		if err := f.control.Identity.Consent(founder); err != nil {
			return fmt.Sprintf("this node can't write its consent down: %v", err)
		}
	}
	f.granted, f.until = founder, f.control.Scheduler.Now().Add(consentFor)
	return ""
}

// form makes this node one of a cluster. It returns when it is, or when ctx ends.
func (f *formation) form(ctx context.Context) {
	c := f.control
	said := ""
	say := func(text string, args ...any) {
		if line := fmt.Sprint(text, args); line != said {
			c.Logger.Info(text, args...)
			said = line
		}
	}
	for ctx.Err() == nil && c.Identity.Cluster() == 0 {
		peers := c.gossip.Peers()
		var clusters []uint64
		alone := []uint64{c.Identity.Node()}
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
		case c.Config.Expect < 2:
			say("waiting for a node of the cluster to join", "join", c.Config.Join)
		case len(alone) < c.Config.Expect && !planted.Is(planted.FoundedByFew):
			say("waiting for the nodes that found the cluster", "expected", c.Config.Expect, "here", len(alone))
		case alone[0] == c.Identity.Node():
			if err := f.found(ctx, alone[1:]); err != nil {
				say("founding a cluster was put off", "error", err)
			}
		}
		c.sleep(ctx, formEvery)
	}
}

// found founds a cluster with the consent of others.
func (f *formation) found(ctx context.Context, others []uint64) error {
	c := f.control
	began := c.Scheduler.Now()
	if reason := f.nominate(c.Identity.Node()); reason != "" {
		return fmt.Errorf("cluster: %s", reason)
	}
	ctx, cancel := c.tasks.within(ctx, consentWithin)
	defer cancel()
	answers := make([]error, len(others))
	ask := make([]func(), len(others))
	for i, node := range others {
		ask[i] = func() {
			if answers[i] = f.ask(ctx, node); answers[i] != nil {
				cancel()
			}
		}
	}
	c.Scheduler.All(ask...)
	if err := firstOf(answers); err != nil {
		return err
	}
	if c.Scheduler.Now().Sub(began) > foundWithin {
		return fmt.Errorf("cluster: the consent of others came too late")
	}
	id := c.Random()>>1 | 1 // never 0
	if err := c.Identity.Found(id); err != nil {
		return err
	}
	c.Logger.Info("founded a cluster", "cluster", hexID(id), "nodes", len(others)+1)
	return c.gossip.Update(c.Self())
}

// firstOf is the error that says most: not that of a call which another one's answer has ended.
func firstOf(errs []error) (first error) {
	for _, err := range errs {
		if err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	return first
}

func (f *formation) ask(ctx context.Context, node uint64) error {
	granted, reason, err := f.control.transport.Nominate(ctx, node)
	if err != nil {
		return fmt.Errorf("cluster: ask node %s: %w", hexID(node), err)
	}
	if !granted {
		return fmt.Errorf("cluster: node %s does not consent: %s", hexID(node), reason)
	}
	return nil
}

// join makes this node one of a cluster.
func (f *formation) join(ctx context.Context, cluster uint64) error {
	c := f.control
	state, err := c.following.register(ctx)
	if err != nil {
		return err
	}
	if state.GetCluster() != cluster {
		return fmt.Errorf("cluster: a node of cluster %s answered for %s", hexID(state.GetCluster()), hexID(cluster))
	}
	if err := c.Identity.Adopt(cluster); err != nil {
		return err
	}
	c.Logger.Info("joined a cluster", "cluster", hexID(cluster), "members", len(state.GetMembers()))
	c.state.set(state)
	return c.gossip.Update(c.Self())
}
