package main

import (
	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func clusterCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "cluster",
		Short: "Look at the cluster, drain and remove nodes",
		Long: `Operate a cluster of several nodes. Any node can be asked. NODE is a node's name, or its id as
status shows it.

To take a node away for good: drain it with --wait, stop it, remove it. To restart or upgrade one,
just stop it with SIGTERM: it transfers its leaderships, and gets them back after the start.`,
	}
	return group(command,
		clusterStatusCommand(),
		changeNodeCommand("drain", "Move a node's replicas to other nodes", wactorv1.NodeChange_NODE_CHANGE_DRAIN,
			`Move a node's replicas to other nodes. It goes on taking webhooks and forwards them; it can be stopped when it holds no replica,
which --wait waits for: exit status 0 then, 1 after --timeout and ^C, which leave the drain going on. activate undoes it. Where each shard would be kept only once then, as on the last two of three nodes, it takes --force.`),
		changeNodeCommand("activate", "Let a node hold replicas again", wactorv1.NodeChange_NODE_CHANGE_ACTIVATE,
			"Let a node that was drained hold replicas again."),
		changeNodeCommand("remove", "Take a node that is gone out of the cluster, for good",
			wactorv1.NodeChange_NODE_CHANGE_REMOVE,
			`Take a node out of the cluster, for good: one that was drained, or that is dead and does not come back. Its id is never taken
again; the machine may come back with an empty data directory, as a new node. One that still runs is removed with --force only.`),
	)
}

func clusterStatusCommand() *cobra.Command {
	var admin adminFlags
	var asJSON, all bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show nodes, shards, leaders, lag and moves",
		Long: `Show the nodes of the cluster and what is not as it should be: shards without a leader, replicas that are behind, moves under way.

Exit status: 0, 1 on an error, 2 where a shard has no leader, a node does not answer, or the cluster is not formed yet.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			response, err := admin.client().ClusterStatus(command.Context(),
				connect.NewRequest(&wactorv1.ClusterStatusRequest{}))
			if err != nil {
				return admin.explain(err)
			}
			out := command.OutOrStdout()
			if asJSON {
				if err := printJSON(out, response.Msg); err != nil {
					return err
				}
			} else {
				printCluster(out, response.Msg, all)
			}
			if len(ailments(response.Msg)) > 0 {
				return quietError{2}
			}
			return nil
		},
	}
	admin.add(command)
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.Flags().BoolVar(&all, "all", false, "list all shards")
	return command
}
