package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Operate changes a node's standing, by way of the leader of the meta group. The node is given by
// its name or its id in hex. The error is an ErrRejected where trying again does not help.
func (c *Control) Operate(ctx context.Context, name string, standing clusterv1.Standing) (*clusterv1.ClusterState,
	error) {
	for began := c.Scheduler.Now(); ; {
		state, err := c.operate(ctx, name, standing)
		if !errors.Is(err, ErrNotMeta) || c.Scheduler.Now().Sub(began) > operateWithin ||
			!c.Scheduler.Sleep(ctx, operateWithin/20) {
			return state, err
		}
	}
}

// operateWithin is how long an operator waits for a leader of the meta group: it moves like all
// others.
const operateWithin = 5 * time.Second

func (c *Control) operate(ctx context.Context, name string, standing clusterv1.Standing) (*clusterv1.ClusterState,
	error) {
	state, err := c.meta.operate(ctx, name, standing)
	if !errors.Is(err, ErrNotMeta) {
		return state, err
	}
	for _, node := range c.informed() {
		state, callErr := c.operateBy(ctx, node, name, standing)
		if callErr == nil || errors.Is(callErr, ErrRejected) {
			return state, callErr
		}
		err = callErr
	}
	return nil, fmt.Errorf("%w: %w", ErrNotMeta, err)
}

func (c *Control) operateBy(ctx context.Context, node uint64, name string,
	standing clusterv1.Standing) (*clusterv1.ClusterState, error) {
	ctx, cancel := c.tasks.within(ctx, registerWithin)
	defer cancel()
	state, err := c.transport.Operate(ctx, node, name, standing)
	if err == nil {
		c.state.set(state)
	}
	return state, err
}
