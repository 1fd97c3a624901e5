package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/wactor/wactor/cluster/placement"
	"github.com/wactor/wactor/internal/pause"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

func changeNodeCommand(name, short string, change wactorv1.NodeChange, long string) *cobra.Command {
	c := nodeChanger{name: name, change: change}
	command := &cobra.Command{
		Use: name + " NODE", Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			c.out, c.errs = command.OutOrStdout(), command.ErrOrStderr()
			return c.run(command.Context(), args[0])
		},
	}
	c.admin.add(command)
	addJSONFlag(command, &c.asJSON)
	if change != wactorv1.NodeChange_NODE_CHANGE_ACTIVATE {
		command.Flags().BoolVar(&c.force, "force", false, "do it also where it is more likely a mistake")
	}
	if change == wactorv1.NodeChange_NODE_CHANGE_DRAIN {
		command.Flags().BoolVar(&c.wait, "wait", false, "wait until the node holds no replica")
		command.Flags().DurationVar(&c.timeout, "timeout", 0, "how long --wait waits at most; 0: without a limit")
	}
	return command
}

// nodeChanger is one run of a command that changes a node.
type nodeChanger struct {
	admin               adminFlags
	name                string
	change              wactorv1.NodeChange
	force, wait, asJSON bool
	timeout             time.Duration
	out, errs           io.Writer
}

// nodeChanged is what a change of a node led to, for machines.
type nodeChanged struct {
	Node   string `json:"node"`
	Change string `json:"change"`
	// Active nodes hold the shards, each of them Copies times.
	Active uint32 `json:"active"`
	Copies uint32 `json:"copies"`
	// Drained reports, after --wait, whether the node holds no replica any more.
	Drained *bool `json:"drained,omitempty"`
}

func (c *nodeChanger) run(ctx context.Context, node string) error {
	if c.timeout < 0 || c.timeout > 0 && !c.wait {
		return errors.New("--timeout is how long --wait waits: a positive duration, with --wait")
	}
	client := c.admin.client()
	if !c.force {
		status, err := client.ClusterStatus(ctx, connect.NewRequest(&wactorv1.ClusterStatusRequest{}))
		if err != nil {
			return c.admin.explain(err)
		}
		if err := objection(status.Msg, node, c.change); err != nil {
			return fmt.Errorf("refused: %w", err)
		}
	}
	request := &wactorv1.ChangeNodeRequest{Node: node, Change: c.change}
	response, err := client.ChangeNode(ctx, connect.NewRequest(request))
	if err != nil {
		return c.admin.explain(err)
	}
	changed := nodeChanged{Node: node, Change: c.name, Active: response.Msg.Active, Copies: response.Msg.Copies}
	progress := c.errs
	if !c.asJSON {
		progress = c.out
		fmt.Fprintln(c.out, changed)
	}
	if c.wait {
		err = c.await(ctx, progress, client, node)
		drained := err == nil
		changed.Drained = &drained
	}
	if c.asJSON {
		err = errors.Join(writeJSON(c.out, changed), err)
	}
	return err
}

// String is the sentence for people.
func (n nodeChanged) String() string {
	copies, hold := "once", "1 node holds"
	if n.Copies > 1 {
		copies = fmt.Sprintf("%d times", n.Copies)
	}
	if n.Active != 1 {
		hold = fmt.Sprintf("%d nodes hold", n.Active)
	}
	return fmt.Sprintf("%s: %s; %s the shards, each shard is kept %s", n.Change, n.Node, hold, copies)
}

// drainLook is the time between two looks at a node that is drained.
const drainLook = time.Second

// await returns when a draining node holds no replica, and prints each change on the way. It fails
// when ctx ends, after the timeout, and where the drain is undone.
func (c *nodeChanger) await(ctx context.Context, progress io.Writer, client wactorv1connect.AdminServiceClient,
	node string) error {
	if c.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, c.timeout)
		defer stop()
	}
	last, draining := "", false
	for {
		status, err := client.ClusterStatus(ctx, connect.NewRequest(&wactorv1.ClusterStatusRequest{}))
		var line string
		var found *wactorv1.NodeStatus
		switch {
		case err == nil:
			if found = nodeNamed(status.Msg, node); found == nil {
				return fmt.Errorf("the cluster has no node %s any more", node)
			}
			var done bool
			if line, done = drainProgress(status.Msg, found); done {
				fmt.Fprintf(progress, "%s: %s\n", node, line)
				return nil
			}
		case ctx.Err() != nil:
		case connect.CodeOf(err) == connect.CodeUnavailable: // a node may be restarted meanwhile
			line = c.admin.explain(err).Error()
		default:
			return c.admin.explain(err)
		}
		if draining && found != nil && found.Standing == standingActive {
			return fmt.Errorf("%s was activated meanwhile: it keeps its replicas", node)
		}
		draining = draining || found != nil && found.Standing != standingActive
		if line != "" && line != last {
			fmt.Fprintf(progress, "%s: %s\n", node, line)
			last = line
		}
		if !pause.For(ctx, drainLook) {
			reason := "interrupted"
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				reason = fmt.Sprintf("not drained after %s", c.timeout)
			}
			return fmt.Errorf("%s; the drain of %s goes on (at last: %s)", reason, node, cmp.Or(last, "no status"))
		}
	}
}

// drainProgress says how far the drain of a node is. A node that does not answer holds what the
// leaders of all shards say that it holds.
func drainProgress(c *wactorv1.ClusterStatusResponse, node *wactorv1.NodeStatus) (line string, done bool) {
	left := node.Replicas
	for _, shard := range c.Shards {
		if node.Answered {
			break
		}
		if shard.Leader == "" {
			return "does not answer, and some shards have no leader", false
		}
		for _, replica := range shard.Replicas {
			if replica.Node == node.Name || replica.Node == node.Name+"/"+node.Id {
				left++
			}
		}
	}
	switch {
	case node.Standing == standingActive:
		return "the drain begins", false
	case left == 0 && node.Wanted == 0:
		return "holds no replica", true
	case left == 1:
		return "1 replica left", false
	}
	return fmt.Sprintf("%d replicas left", max(left, node.Wanted)), false
}

// objection is what speaks against a change that the cluster itself would carry out, by what status
// tells; nil for nothing, and where it is the cluster that will refuse.
func objection(c *wactorv1.ClusterStatusResponse, name string, change wactorv1.NodeChange) error {
	node := nodeNamed(c, name)
	switch {
	// without the meta group's leader nothing can be changed
	case node == nil, len(c.Shards) == 0, c.Shards[0].Leader == "":
		return nil
	case change == wactorv1.NodeChange_NODE_CHANGE_REMOVE && node.Answered && node.Replicas == 0:
		return fmt.Errorf("node %s still runs: stop it first. --force removes it all the same: it ends then", name)
	case change == wactorv1.NodeChange_NODE_CHANGE_DRAIN && node.Standing == standingActive:
		active := 0
		for _, n := range c.Nodes {
			if n.Standing == standingActive {
				active++
			}
		}
		if copies := func(nodes int) int { return placement.Copies(nodes, int(c.Replicas)) }; active > 1 &&
			copies(active-1) == 1 && copies(active) > 1 {
			return fmt.Errorf("with %d nodes left each shard is kept once: whatever the loss of a node takes with it "+
				"is lost. "+
				"Add a node first, or drain %s all the same with --force", active-1, name)
		}
	}
	return nil
}

// standingActive is that of a node which may hold replicas.
const standingActive = "active"

// nodeNamed finds a node by its name or its id; nil where there is none, or several.
func nodeNamed(c *wactorv1.ClusterStatusResponse, name string) (found *wactorv1.NodeStatus) {
	for _, n := range c.Nodes {
		switch {
		case n.Id == name:
			return n
		case n.Name == name && found != nil:
			return nil
		case n.Name == name:
			found = n
		}
	}
	return found
}
