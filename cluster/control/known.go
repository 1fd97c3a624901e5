package control

import (
	"context"
	"slices"
	"sync"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// stateWait is how long a request for a newer record waits for one.
const stateWait = 10 * time.Second

// known is the newest record of the cluster that this node has seen. It may be behind what the meta
// group has committed.
type known struct {
	changed func() // set once, before anything changes

	mu      sync.Mutex
	state   *clusterv1.ClusterState
	waiting []*context.CancelFunc // called with the next change
}

func newKnown() *known { return &known{changed: func() {}} }

// get returns the record, which is not changed any more; nil where none is known.
func (k *known) get() *clusterv1.ClusterState {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// set keeps a newer record.
func (k *known) set(state *clusterv1.ClusterState) {
	k.mu.Lock()
	newer := state.GetRevision() > k.state.GetRevision()
	var waiting []*context.CancelFunc
	if newer {
		k.state, waiting, k.waiting = state, k.waiting, nil
	}
	k.mu.Unlock()
	for _, wake := range waiting {
		(*wake)()
	}
	if newer {
		k.changed()
	}
}

// wakeAfter calls wake with the next record, or at once where one is known that is newer than a
// revision. It returns what keeps it from being called.
func (k *known) wakeAfter(revision uint64, wake context.CancelFunc) (forget func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state.GetRevision() > revision {
		wake()
		return func() {}
	}
	k.waiting = append(k.waiting, &wake)
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.waiting = slices.DeleteFunc(k.waiting, func(other *context.CancelFunc) bool { return other == &wake })
	}
}

// State returns a record that is newer than a revision, for another node, or the newest after a
// while. Where this node knows none it is nil, at once: another node can help, and if two without a
// record asked each other, both would wait.
func (c *Control) State(ctx context.Context, revision uint64) *clusterv1.ClusterState {
	if c.state.get() == nil {
		return nil
	}
	wait, wake := context.WithCancel(ctx)
	defer wake()
	defer c.state.wakeAfter(revision, wake)()
	c.Scheduler.Sleep(wait, stateWait)
	return c.state.get()
}
