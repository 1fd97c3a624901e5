package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Operate changes a node's standing, by way of the leader of the meta group. The node is given by
// its name or its id in hex. The error is an ErrRefused where trying again does not help.
func (c *Cluster) Operate(ctx context.Context, node string, standing clusterv1.Standing) (*clusterv1.ClusterState,
	error) {
	for began := time.Now(); ; {
		state, err := c.operate(ctx, node, standing)
		if !errors.Is(err, ErrNotMeta) || time.Since(began) > operateWithin || !pause(ctx, operateWithin/20) {
			return state, err
		}
	}
}

// operateWithin is how long an operator waits for a leader of the meta group: it moves like all
// others.
const operateWithin = 5 * time.Second

func (c *Cluster) operate(ctx context.Context, node string, standing clusterv1.Standing) (*clusterv1.ClusterState,
	error) {
	state, err := c.meta.operate(ctx, node, standing)
	if !errors.Is(err, ErrNotMeta) {
		return state, err
	}
	for _, peer := range c.informed() {
		l := c.links.to(peer)
		if l == nil {
			continue
		}
		try, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, c.outgoing()), registerWithin)
		var answer *clusterv1.OperateResponse
		answer, err = l.client.Operate(try, &clusterv1.OperateRequest{Node: node, Standing: standing})
		cancel()
		if err == nil {
			c.state.set(answer.GetState())
			return answer.GetState(), nil
		}
		if refused(err) {
			// the other node has said that it refuses
			why := strings.TrimPrefix(status.Convert(err).Message(), ErrRefused.Error()+": ")
			return nil, fmt.Errorf("%w: %s", ErrRefused, why)
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrNotMeta, err)
}

// refused reports whether another node's answer is final.
func refused(err error) bool { return status.Code(err) == codes.FailedPrecondition }
