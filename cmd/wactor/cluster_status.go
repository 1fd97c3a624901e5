package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// ailments are what is wrong, a line each; none where the exit status is 0. A node that is lost is
// none: others took its place.
func ailments(c *wactorv1.ClusterStatusResponse) (lines []string) {
	if !c.Formed {
		lines = append(lines, "the cluster is not formed yet: no webhook is taken before")
	}
	for _, n := range c.Nodes {
		switch {
		case n.Answered || n.Standing == "lost":
		case n.Wanted == 0:
			lines = append(lines, fmt.Sprintf("%s does not answer; no replica is wanted on it", oneLine(n.Name)))
		default:
			lines = append(lines, fmt.Sprintf("%s does not answer: its %d replicas are missing", oneLine(n.Name),
				n.Wanted))
		}
	}
	for _, n := range c.Nodes {
		for _, difference := range n.Differs {
			lines = append(lines, fmt.Sprintf("%s %s", oneLine(n.Name), oneLine(difference)))
		}
	}
	var leaderless tally
	for _, s := range c.Shards {
		if s.Leader == "" {
			leaderless.add(s.Shard)
		}
	}
	if leaderless != (tally{}) {
		lines = append(lines, fmt.Sprintf("no leader that could be asked: %v", leaderless))
	}
	return lines
}

// tally counts shards, and the meta group apart: cluster.shards does not count it either.
type tally struct {
	shards int
	meta   bool
}

func (t *tally) add(shard uint32) {
	if shard == 0 {
		t.meta = true
	} else {
		t.shards++
	}
}

func (t tally) String() string {
	words := fmt.Sprintf("%d shards", t.shards)
	if t.shards == 1 {
		words = "1 shard"
	}
	switch {
	case t.meta && t.shards == 0:
		return "the meta group"
	case t.meta:
		return words + " and the meta group"
	}
	return words
}

func printCluster(out io.Writer, c *wactorv1.ClusterStatusResponse, all bool) {
	if c.Cluster == "" {
		fmt.Fprintln(out, "this node belongs to no cluster yet")
		return
	}
	var shards tally
	for _, s := range c.Shards {
		shards.add(s.Shard)
	}
	state := "formed"
	if !c.Formed {
		state = "being formed"
	}
	fmt.Fprintf(out, "cluster %s, %s, %s, up to %d replicas each\n", c.Cluster, state, shards, c.Replicas)
	if c.NextFormat > c.Format {
		fmt.Fprintf(out, "format %d, all nodes can apply %d: the upgrade is not finalized, the nodes may go "+
			"back to the version before\n", c.Format, c.NextFormat)
	}
	fmt.Fprintln(out)
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
			oneLine(n.Name), n.Id, oneLine(n.Rpc), oneLine(n.Zone), oneLine(n.Version), n.Standing, alive, n.Leads,
			n.Replicas, n.Wanted)
	}
	_ = table.Flush()
	fmt.Fprintln(out)
	printShards(out, c, all)
}

// printShards prints the shards that are not as they should be, or all.
func printShards(out io.Writer, c *wactorv1.ClusterStatusResponse, all bool) {
	var moving tally
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	header := "SHARD\tTERM\tLEADER\tREPLICAS\tWANTED ON\n"
	for _, s := range c.Shards {
		var replicas []string
		behind := false
		for _, r := range s.Replicas {
			replicas = append(replicas, describeReplica(r))
			behind = behind || !r.Recent || r.Lag > 1000 || r.Snapshot
		}
		if s.Moving {
			moving.add(s.Shard)
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
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", name, s.Term, oneLine(leader), oneLine(strings.Join(replicas, ", ")),
			oneLine(strings.Join(s.Wanted, ", ")))
	}
	_ = table.Flush()
	wrong := ailments(c)
	for _, line := range wrong {
		fmt.Fprintln(out, line)
	}
	switch {
	case moving != (tally{}):
		fmt.Fprintf(out, "on the move: %v\n", moving)
	case len(wrong) == 0:
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
