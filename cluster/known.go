package cluster

import (
	"context"
	"sync"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// stateWait is how long a question for a newer state waits for one.
const stateWait = 10 * time.Second

// known is the newest state of the cluster that this node has heard of. It may be behind what the
// meta group has committed.
type known struct {
	mu      sync.Mutex
	state   *clusterv1.ClusterState
	changed chan struct{} // closed with the next change
}

func newKnown() *known { return &known{changed: make(chan struct{})} }

// get returns the state, which nobody changes; nil where none is known.
func (k *known) get() *clusterv1.ClusterState {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// set keeps a newer state.
func (k *known) set(state *clusterv1.ClusterState) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if state.GetRevision() <= k.state.GetRevision() {
		return
	}
	k.state = state
	close(k.changed)
	k.changed = make(chan struct{})
}

// news is closed with the next change.
func (k *known) news() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changed
}

// wait returns a state that is newer than a revision, or the newest when the patience is over.
func (k *known) wait(ctx context.Context, revision uint64, patience time.Duration) *clusterv1.ClusterState {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		k.mu.Lock()
		state, changed := k.state, k.changed
		k.mu.Unlock()
		if state.GetRevision() > revision {
			return state
		}
		select {
		case <-changed:
		case <-timer.C:
			return state
		case <-ctx.Done():
			return state
		}
	}
}
