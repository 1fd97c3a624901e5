package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func clusterCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "cluster",
		Short: "Look at the cluster, drain and remove nodes",
		Long: `Operate a cluster of several nodes. Any node can be asked. NODE is a node's name, or its id as status shows it.

To take a node away for good: drain it, wait until status shows no replica on it, stop it, remove it. To restart or upgrade one, just
stop it with SIGTERM: it hands over what it leads, and comes back to it.`,
	}
	return group(command,
		clusterStatusCommand(),
		changeNodeCommand("drain", "Move a node's replicas to other nodes", wactorv1.NodeChange_NODE_CHANGE_DRAIN,
			`Move a node's replicas to other nodes. It goes on taking webhooks and forwards them; it can be stopped when status shows no replica on
it. activate undoes it.`),
		changeNodeCommand("activate", "Let a node hold replicas again", wactorv1.NodeChange_NODE_CHANGE_ACTIVATE, "Let a node that was drained hold replicas again."),
		changeNodeCommand("remove", "Take a node that is gone out of the cluster, for good", wactorv1.NodeChange_NODE_CHANGE_REMOVE,
			`Take a node out of the cluster, for good: one that was drained, or that is dead and does not come back. Its id is never taken
again; the machine may come back with an empty data directory, as a new node.`),
	)
}

func changeNodeCommand(name, short string, change wactorv1.NodeChange, long string) *cobra.Command {
	var admin adminFlags
	command := &cobra.Command{
		Use: name + " NODE", Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			request := &wactorv1.ChangeNodeRequest{Node: args[0], Change: change}
			response, err := admin.client().ChangeNode(command.Context(), connect.NewRequest(request))
			if err != nil {
				return admin.explain(err)
			}
			copies := "once"
			if n := response.Msg.Copies; n > 1 {
				copies = fmt.Sprintf("%d times", n)
			}
			fmt.Fprintf(command.OutOrStdout(), "%s: %s; %d nodes hold the shards, each shard is kept %s\n", name, args[0], response.Msg.Active, copies)
			return nil
		},
	}
	admin.add(command)
	return command
}

func clusterStatusCommand() *cobra.Command {
	var admin adminFlags
	var asJSON, all bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show nodes, shards, leaders, lag and moves",
		Long: `Show the nodes of the cluster and what is not as it should be: shards without a leader, replicas that are behind, moves under way.

Exit status: 0, 1 on an error, 2 where a shard has no leader or a node does not answer.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			response, err := admin.client().ClusterStatus(command.Context(), connect.NewRequest(&wactorv1.ClusterStatusRequest{}))
			if err != nil {
				return admin.explain(err)
			}
			out := command.OutOrStdout()
			if asJSON {
				text, err := protojson.MarshalOptions{Multiline: true}.Marshal(response.Msg)
				if err != nil {
					return err
				}
				fmt.Fprintln(out, string(text))
			} else {
				printCluster(out, response.Msg, all)
			}
			if !healthy(response.Msg) {
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

func healthy(c *wactorv1.ClusterStatusResponse) bool {
	return c.Formed &&
		!slices.ContainsFunc(c.Nodes, func(n *wactorv1.NodeStatus) bool { return !n.Answered && n.Standing != "lost" }) &&
		!slices.ContainsFunc(c.Shards, func(s *wactorv1.ShardStatus) bool { return s.Leader == "" })
}

func printCluster(out io.Writer, c *wactorv1.ClusterStatusResponse, all bool) {
	if c.Cluster == "" {
		fmt.Fprintln(out, "this node belongs to no cluster yet")
		return
	}
	state := "formed"
	if !c.Formed {
		state = "being formed"
	}
	fmt.Fprintf(out, "cluster %s, %s, %d shards, up to %d replicas each\n\n", c.Cluster, state, len(c.Shards)-1, c.Replicas)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tID\tADDRESS\tZONE\tVERSION\tSTANDING\tALIVE\tLEADS\tREPLICAS")
	for _, n := range c.Nodes {
		alive := "yes"
		switch {
		case !n.Alive && !n.Answered:
			alive = "no"
		case !n.Alive:
			alive = "not by gossip"
		case !n.Answered:
			alive = "no answer"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d of %d\n",
			oneLine(n.Name), n.Id, oneLine(n.Rpc), oneLine(n.Zone), oneLine(n.Version), n.Standing, alive, n.Leads, n.Replicas, n.Wanted)
	}
	_ = table.Flush()
	fmt.Fprintln(out)
	printShards(out, c, all)
}

// printShards prints the shards that are not as they should be, or all.
func printShards(out io.Writer, c *wactorv1.ClusterStatusResponse, all bool) {
	leaderless, moving := 0, 0
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	header := "SHARD\tTERM\tLEADER\tREPLICAS\tWANTED ON\n"
	for _, s := range c.Shards {
		var replicas []string
		behind := false
		for _, r := range s.Replicas {
			replicas = append(replicas, describeReplica(r))
			behind = behind || !r.Recent || r.Lag > 1000 || r.Snapshot
		}
		if s.Leader == "" {
			leaderless++
		}
		if s.Moving {
			moving++
		}
		if !all && !s.Moving && !behind && s.Leader != "" {
			continue
		}
		fmt.Fprint(table, header)
		header = ""
		name := fmt.Sprint(s.Shard)
		if s.Shard == 0 {
			name = "0 (meta)"
		}
		leader := s.Leader
		if leader == "" {
			leader = "none"
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", name, s.Term, oneLine(leader), oneLine(strings.Join(replicas, ", ")), oneLine(strings.Join(s.Wanted, ", ")))
	}
	_ = table.Flush()
	switch {
	case leaderless > 0:
		fmt.Fprintf(out, "%d shards have no leader that could be asked, %d are moving\n", leaderless, moving)
	case moving > 0:
		fmt.Fprintf(out, "%d shards are moving\n", moving)
	default:
		fmt.Fprintln(out, "all shards are where they are wanted")
	}
}

func describeReplica(r *wactorv1.ShardReplica) string {
	var notes []string
	if !r.Voter {
		notes = append(notes, "learner")
	}
	if !r.Recent {
		notes = append(notes, "silent")
	}
	switch {
	case r.Snapshot:
		notes = append(notes, "gets a snapshot")
	case r.Lag > 0:
		notes = append(notes, fmt.Sprintf("%d entries behind", r.Lag))
	}
	if len(notes) == 0 {
		return r.Node
	}
	return r.Node + " (" + strings.Join(notes, ", ") + ")"
}
