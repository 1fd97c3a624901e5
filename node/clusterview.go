package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wactor/wactor/admin"
	"github.com/wactor/wactor/cluster"
	"github.com/wactor/wactor/cluster/control"
	"github.com/wactor/wactor/cluster/peer"
	"github.com/wactor/wactor/internal/pause"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// clusterView is what the admin API sees of the cluster.
type clusterView struct{ n *Node }

var _ admin.Cluster = clusterView{}

func (v clusterView) Leads(shard uint32) bool { return v.n.leaderships.term(shard) != 0 }

func (v clusterView) Ask(ctx context.Context, shard uint32, procedure string, request []byte) ([]byte, error) {
	node := v.n.leaderHint(shard)
	if node == 0 {
		return nil, v.NoLeader(ctx, shard)
	}
	response, err := v.n.peers.cluster().Ask(ctx, node, procedure, request)
	switch code := status.Code(err); {
	case err == nil:
		return response, nil
	case errors.Is(err, peer.ErrUnreachable), code == codes.Unavailable, code == codes.DeadlineExceeded:
		return nil, v.NoLeader(ctx, shard)
	}
	return nil, fmt.Errorf("the node that leads the shard: %s", status.Convert(err).Message())
}

func (v clusterView) Nodes() []admin.NodeName {
	var nodes []admin.NodeName
	members := v.n.peers.cluster().Known().GetMembers()
	names := namesOf(members)
	for _, m := range members {
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			nodes = append(nodes, admin.NodeName{ID: m.Node, Name: names[m.Node], Self: m.Node == v.n.store.Node()})
		}
	}
	slices.SortFunc(nodes, func(a, b admin.NodeName) int { return strings.Compare(a.Name, b.Name) })
	return nodes
}

func (v clusterView) AskNode(ctx context.Context, node uint64, procedure string, request []byte) ([]byte, error) {
	response, err := v.n.peers.cluster().Ask(ctx, node, procedure, request)
	if err != nil {
		return nil, errors.New(status.Convert(err).Message())
	}
	return response, nil
}

// NoLeader asks all nodes: gossip takes a while to notice who is dead.
func (v clusterView) NoLeader(ctx context.Context, shard uint32) error {
	c := v.n.peers.cluster()
	answered := c.ReplicasOfAll(ctx)
	names := namesOf(c.Known().GetMembers())
	return noLeader(c.Wanted(shard), names, func(node uint64) bool { _, answers := answered[node]; return answers })
}

func noLeader(wanted []uint64, names map[uint64]string, answers func(node uint64) bool) error {
	var silent []string
	for _, node := range wanted {
		if !answers(node) {
			silent = append(silent, names[node])
		}
	}
	if len(silent) == 0 || 2*len(silent) < len(wanted) {
		return fmt.Errorf("%w; try again", admin.ErrNoLeader)
	}
	slices.Sort(silent)
	return fmt.Errorf("%w: %d of the %d nodes that hold the shard do not answer: %s", admin.ErrNoMajority, len(silent),
		len(wanted), strings.Join(silent, ", "))
}

func (v clusterView) Change(ctx context.Context, node string, change wactorv1.NodeChange) (*wactorv1.ChangeNodeResponse,
	error) {
	standings := map[wactorv1.NodeChange]clusterv1.Standing{
		wactorv1.NodeChange_NODE_CHANGE_ACTIVATE: clusterv1.Standing_STANDING_ACTIVE,
		wactorv1.NodeChange_NODE_CHANGE_DRAIN:    clusterv1.Standing_STANDING_DRAINING,
		wactorv1.NodeChange_NODE_CHANGE_REMOVE:   clusterv1.Standing_STANDING_REMOVED,
	}
	standing, known := standings[change]
	if !known {
		return nil, fmt.Errorf("%w: this version does not know what that is", admin.ErrRefused)
	}
	state, err := v.n.peers.cluster().Operate(ctx, node, standing)
	switch {
	case errors.Is(err, control.ErrRejected):
		return nil, fmt.Errorf("%w: %s", admin.ErrRefused, strings.TrimPrefix(err.Error(), control.ErrRejected.Error()+
			": "))
	case errors.Is(err, control.ErrNotMeta):
		return nil, v.NoLeader(ctx, 0)
	case err != nil:
		return nil, err
	}
	active, copies := cluster.Active(state)
	return &wactorv1.ChangeNodeResponse{Active: uint32(active), Copies: uint32(copies)}, nil
}

// Finalize implements admin.Cluster.
func (v clusterView) Finalize(ctx context.Context) (uint32, error) {
	return v.n.peers.cluster().Finalize(ctx)
}

// Nodes are asked one after the other, so a leadership that is transferred meanwhile is seen on
// none of them. An operator, or a script that checks the exit status, should not take that for a
// shard without a leader.
const (
	statusTries = 4
	statusPause = 250 * time.Millisecond
)

// Status asks all nodes how their replicas are. A group's leader decides; a node that
// is cut off may still be the leader of an old term.
func (v clusterView) Status(ctx context.Context) (*wactorv1.ClusterStatusResponse, error) {
	c := v.n.peers.cluster()
	state := c.Known()
	out := &wactorv1.ClusterStatusResponse{Formed: state.GetSettled(), Replicas: state.GetReplicas(),
		Format: state.GetFormat(), NextFormat: control.NextFormat(state)}
	if state == nil {
		return out, nil
	}
	out.Cluster = fmt.Sprintf("%016x", state.Cluster)
	names, differences := namesOf(state.Members), control.Differences(state)
	nodes := map[uint64]*wactorv1.NodeStatus{}
	for _, m := range state.Members {
		if m.Standing == clusterv1.Standing_STANDING_REMOVED {
			continue
		}
		nodes[m.Node] = &wactorv1.NodeStatus{
			Id: fmt.Sprintf("%016x", m.Node), Name: m.Name, Rpc: m.Rpc, Zone: m.Zone, Version: m.Version,
			Standing: control.Standing(m.Standing), Alive: c.Alive(m.Node),
			Differs: differences[m.Node].Sentences(),
		}
		out.Nodes = append(out.Nodes, nodes[m.Node])
	}
	leaders := map[uint32]*clusterv1.ReplicaStatus{}
	for try := 0; try < statusTries && uint32(len(leaders)) <= state.Shards; try++ {
		if try > 0 && !pause.For(ctx, statusPause) {
			break
		}
		for node, replicas := range c.ReplicasOfAll(ctx) {
			if nodes[node] == nil {
				continue
			}
			nodes[node].Answered, nodes[node].Replicas = true, uint32(len(replicas))
			for _, r := range replicas {
				if r.Leading && r.Term > leaders[r.Shard].GetTerm() {
					leaders[r.Shard] = r
				}
			}
		}
	}
	for shard := range state.Shards + 1 {
		out.Shards = append(out.Shards, shardStatus(state, leaders[shard], shard, names, nodes))
	}
	return out, nil
}

// namesOf are the names of nodes, with the ids of those that share one: a node whose disk was
// emptied is a new one.
func namesOf(members []*clusterv1.Member) map[uint64]string {
	names, of := map[uint64]string{}, map[string][]uint64{}
	for _, m := range members {
		names[m.Node] = m.Name
		if m.Standing != clusterv1.Standing_STANDING_REMOVED {
			of[m.Name] = append(of[m.Name], m.Node)
		}
	}
	for name, nodes := range of {
		for _, node := range nodes {
			if len(nodes) > 1 {
				names[node] = fmt.Sprintf("%s/%016x", name, node)
			}
		}
	}
	return names
}

func shardStatus(
	state *clusterv1.ClusterState, leader *clusterv1.ReplicaStatus, shard uint32, names map[uint64]string,
	nodes map[uint64]*wactorv1.NodeStatus,
) *wactorv1.ShardStatus {
	out := &wactorv1.ShardStatus{Shard: shard, Term: leader.GetTerm()}
	var wanted []uint64
	if int(shard) < len(state.Wanted) {
		wanted = state.Wanted[shard].Nodes
	}
	for _, node := range wanted {
		out.Wanted = append(out.Wanted, names[node])
		if nodes[node] != nil {
			nodes[node].Wanted++
		}
	}
	voters := 0
	progress := leader.GetProgress()
	for i, m := range leader.GetMembers()[:min(len(leader.GetMembers()), len(progress))] { // another node reported them
		p := progress[i]
		if m.Id == leader.Replica {
			out.Leader = names[m.Node]
			if nodes[m.Node] != nil {
				nodes[m.Node].Leads++
			}
		}
		out.Replicas = append(out.Replicas, &wactorv1.ShardReplica{
			Node: names[m.Node], Voter: p.Voter, Lag: leader.Commit - min(leader.Commit, p.Match), Snapshot: p.Snapshot,
			Recent: p.Recent,
		})
		out.Moving = out.Moving || !p.Voter || !slices.Contains(wanted, m.Node)
		if p.Voter {
			voters++
		}
	}
	out.Moving = out.Moving || leader != nil && voters != len(wanted)
	return out
}
