package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/wactor/wactor/admin"
	"github.com/wactor/wactor/internal/pause"
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
		clusterStatusCommand(), clusterReloadCommand(), canCommand(), finalizeCommand(),
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
	var node adminFlags
	var asJSON, all bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show nodes, shards, leaders, lag and moves",
		Long: `Show the nodes of the cluster and what is not as it should be: shards without a leader, replicas that are behind, moves under way.

Exit status: 0, 1 on an error, 2 where a shard has no leader, a node does not answer, or the cluster is not formed yet.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			response, err := node.client().ClusterStatus(command.Context(),
				connect.NewRequest(&wactorv1.ClusterStatusRequest{}))
			if err != nil {
				return node.explain(err)
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
	node.add(command)
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.Flags().BoolVar(&all, "all", false, "list all shards")
	return command
}

// canCommand asks before an operator acts: all of its answers are made from the cluster's status.
func canCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "can",
		Short: "Ask whether nodes may be stopped, upgraded or taken away now",
		Long: `Ask whether something may be done now without a shard that loses its majority. Scripts and the Helm
chart ask before they act.

Exit status: 0 yes, 2 no (the reasons are printed), 1 on an error.`,
	}
	var scaleTo int
	var upgradeTo string
	stop := &can{verb: "stop NODE", args: 1, short: "whether a node may be stopped for a while",
		judge: func(c *wactorv1.ClusterStatusResponse, args []string) ([]string, error) {
			node := nodeNamed(c, args[0])
			if node == nil {
				return nil, fmt.Errorf("the cluster has no node, or several, of the name %s", args[0])
			}
			return admin.WithoutNodes(c, func(n *wactorv1.NodeStatus) bool { return n == node }), nil
		}}
	upgrade := &can{verb: "upgrade", short: "whether the nodes may be upgraded, one after the other",
		judge: func(c *wactorv1.ClusterStatusResponse, _ []string) ([]string, error) {
			return admin.UpgradeObjections(c, upgradeTo), nil
		}}
	scale := &can{verb: "scale", short: "whether the cluster may have another number of nodes",
		judge: func(c *wactorv1.ClusterStatusResponse, _ []string) ([]string, error) {
			if scaleTo < 1 {
				return nil, errors.New("--to is the number of nodes, 1 or more")
			}
			return admin.ScaleObjections(c, scaleTo), nil
		}}
	scaleCommand, upgradeCommand := scale.command(), upgrade.command()
	scaleCommand.Long = `Ask whether the cluster may have that many nodes. Where there are fewer than now, those with the highest numbers at the
end of their names go, as in a Kubernetes StatefulSet; they must have been drained.`
	scaleCommand.Flags().IntVar(&scaleTo, "to", 0, "the number of nodes")
	upgradeCommand.Long = `Ask whether the nodes may be stopped and started with another version, one after the other: any of them may be away now,
and with --to, whether that version may stand beside those that run: the same major version, and minor versions one apart.`
	upgradeCommand.Flags().StringVar(&upgradeTo, "to", "", "the version that comes, such as v0.4.0")
	return group(command, stop.command(), upgradeCommand, scaleCommand)
}

// can is one question.
type can struct {
	verb  string
	args  int
	short string
	// judge returns what speaks against it, a sentence each.
	judge func(c *wactorv1.ClusterStatusResponse, args []string) ([]string, error)

	admin  adminFlags
	asJSON bool
	wait   time.Duration
}

func (q *can) command() *cobra.Command {
	command := &cobra.Command{
		Use: q.verb, Short: "Ask " + q.short, Args: cobra.ExactArgs(q.args),
		Long: "Ask " + q.short + ".\n\nExit status: 0 yes, 2 no, 1 on an error.",
		RunE: func(command *cobra.Command, args []string) error {
			return q.run(command.Context(), command.OutOrStdout(), args)
		},
	}
	q.admin.add(command)
	addJSONFlag(command, &q.asJSON)
	command.Flags().DurationVar(&q.wait, "wait", 0, "how long to ask again while the answer is no")
	return command
}

// canAnswer is what a question led to, for machines.
type canAnswer struct {
	Can     bool     `json:"can"`
	Reasons []string `json:"reasons"`
}

func (q *can) run(ctx context.Context, out io.Writer, args []string) error {
	client := q.admin.client()
	for began := time.Now(); ; {
		status, err := client.ClusterStatus(ctx, connect.NewRequest(&wactorv1.ClusterStatusRequest{}))
		if err != nil {
			return q.admin.explain(err)
		}
		reasons, err := q.judge(status.Msg, args)
		if err != nil {
			return err
		}
		if len(reasons) == 0 || time.Since(began) >= q.wait || !pause.For(ctx, time.Second) {
			return q.answer(out, reasons)
		}
	}
}

func (q *can) answer(out io.Writer, reasons []string) error {
	if q.asJSON {
		answer := canAnswer{Can: len(reasons) == 0, Reasons: append([]string{}, reasons...)}
		if err := writeJSON(out, answer); err != nil {
			return err
		}
	} else if len(reasons) == 0 {
		fmt.Fprintln(out, "yes")
	} else {
		for _, reason := range reasons {
			fmt.Fprintf(out, "no: %s\n", oneLine(reason))
		}
	}
	if len(reasons) > 0 {
		return quietError{2}
	}
	return nil
}

func finalizeCommand() *cobra.Command {
	var flags adminFlags
	command := &cobra.Command{
		Use:   "finalize",
		Short: "End an upgrade: no node can go back to the version before",
		Long: `End an upgrade of all nodes, where cluster.finalize is manual: from now on the cluster writes what only the new version can
read, and no node can go back to the version before. As long as a member runs an older version nothing changes.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			response, err := flags.client().FinalizeUpgrade(command.Context(),
				connect.NewRequest(&wactorv1.FinalizeUpgradeRequest{}))
			if err != nil {
				return flags.explain(err)
			}
			fmt.Fprintf(command.OutOrStdout(), "finalized: the cluster writes format %d\n", response.Msg.Format)
			return nil
		},
	}
	flags.add(command)
	return command
}
