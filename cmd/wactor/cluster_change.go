package main

import (
	"fmt"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/wactor/wactor/cluster/placement"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func changeNodeCommand(name, short string, change wactorv1.NodeChange, long string) *cobra.Command {
	var admin adminFlags
	var force bool
	command := &cobra.Command{
		Use: name + " NODE", Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			client := admin.client()
			if !force {
				status, err := client.ClusterStatus(command.Context(),
					connect.NewRequest(&wactorv1.ClusterStatusRequest{}))
				if err != nil {
					return admin.explain(err)
				}
				if err := objection(status.Msg, args[0], change); err != nil {
					return fmt.Errorf("refused: %w", err)
				}
			}
			request := &wactorv1.ChangeNodeRequest{Node: args[0], Change: change}
			response, err := client.ChangeNode(command.Context(), connect.NewRequest(request))
			if err != nil {
				return admin.explain(err)
			}
			copies := "once"
			if n := response.Msg.Copies; n > 1 {
				copies = fmt.Sprintf("%d times", n)
			}
			hold := "1 node holds"
			if n := response.Msg.Active; n != 1 {
				hold = fmt.Sprintf("%d nodes hold", n)
			}
			fmt.Fprintf(command.OutOrStdout(), "%s: %s; %s the shards, each shard is kept %s\n", name, args[0], hold,
				copies)
			return nil
		},
	}
	admin.add(command)
	if change != wactorv1.NodeChange_NODE_CHANGE_ACTIVATE {
		command.Flags().BoolVar(&force, "force", false, "do it also where it is more likely a mistake")
	}
	return command
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
