package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/cluster/control"
	"github.com/wactor/wactor/cluster/gossip"
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// newControl makes what founds the cluster and moves replicas, in the seeds where no operator does.
func (p *process) newControl() (*control.Control, error) {
	w := p.w
	return control.New(control.Options{
		Config: control.Config{
			Name: fmt.Sprint("node-", p.index), Format: store.EntryFormat, RPC: fmt.Sprint("sim:", p.index),
			Expect: w.rules.expect, Shards: uint32(w.rules.shards), Replicas: 3,
		},
		Events: control.Events{
			Allow:         p.store.AllowFormat,
			LeaderChanged: func(h gossip.Hint) { p.router.LeaderChanged(h.Shard, h.Node) },
			Fatal:         func(err error) { w.fail("node %d ends: %v", p.index, err) },
		},
		Identity: identity{p}, Replicas: replicas{p}, Record: clusterRecord{p},
		Scheduler: controlScheduler{p.scheduler}, Random: w.rng.Uint64, Logger: w.logger(p.index),
	})
}

// controlScheduler is the control.Scheduler of a process.
type controlScheduler struct{ *scheduler }

// AfterFunc implements control.Scheduler.
func (s controlScheduler) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return s.After(d, f).Stop
}

// Sleep implements control.Scheduler.
func (s controlScheduler) Sleep(ctx context.Context, d time.Duration) bool {
	over := false
	lives := s.awaitUntil(ctx, func(wake func()) {
		s.p.in(s.p.clock.period(d), func() {
			over = true
			wake()
		})
	})
	return lives && over
}

// All implements control.Scheduler.
func (s controlScheduler) All(tasks ...func()) {
	left := len(tasks)
	if left == 0 {
		return
	}
	s.await(func(wake func()) {
		for _, task := range tasks {
			s.Go(func() {
				task()
				if left--; left == 0 {
					wake()
				}
			})
		}
	})
}

var errPowerCut = errors.New("sim: the power is gone")

// written does what writes to the disk, within a task.
func (p *process) written(do func() error) error {
	if p.dead.Load() {
		return errPowerCut // what its tasks still do, when they are stopped, reaches no disk
	}
	err := errPowerCut
	p.guarded(func() { err = do() })
	if p.dead.Load() {
		p.w.after(0, func() { p.settle() })
		return errPowerCut
	}
	p.poke()
	return err
}

// identity is the control.Identity of a process.
type identity struct{ p *process }

// Node implements control.Identity.
func (i identity) Node() uint64 { return i.p.store.Node() }

// Cluster implements control.Identity.
func (i identity) Cluster() uint64 { return i.p.store.Cluster() }

// Consented implements control.Identity.
func (i identity) Consented() uint64 { return i.p.store.Consented() }

// Settled implements control.Identity.
func (i identity) Settled() bool { return i.p.store.Settled() }

// Consent implements control.Identity.
func (i identity) Consent(founder uint64) error {
	return i.p.written(func() error { return i.p.store.Consent(founder) })
}

// Settle implements control.Identity.
func (i identity) Settle() error { return i.p.written(i.p.store.Settle) }

// Found implements control.Identity.
func (i identity) Found(cluster uint64) error {
	i.p.w.record.note("node %d founds a cluster", uint64(i.p.index))
	return i.p.written(func() error { return i.p.store.Found(cluster) })
}

// Adopt implements control.Identity.
func (i identity) Adopt(cluster uint64) error {
	i.p.w.record.note("node %d joins a cluster", uint64(i.p.index))
	return i.p.written(func() error { return i.p.store.Adopt(cluster) })
}

// replicas are the control.Replicas of a process.
type replicas struct{ p *process }

// Replicas implements control.Replicas.
func (r replicas) Replicas() ([]*clusterv1.ReplicaStatus, error) {
	groups, err := r.p.store.Groups()
	if err != nil {
		return nil, err
	}
	var out []*clusterv1.ReplicaStatus
	for _, g := range groups {
		r.p.w.checks.members(g)
		s := &clusterv1.ReplicaStatus{
			Shard: g.Shard, Replica: g.Replica, Term: g.Leadership.Term, Leading: g.Leading, Leader: g.Leadership.Node,
			Applied: g.Applied, Last: g.Last, Next: g.Next, Commit: g.Commit,
		}
		for _, m := range g.Members {
			s.Members = append(s.Members, &clusterv1.Replica{Id: m.Replica, Node: m.Node})
			s.Progress = append(s.Progress, &clusterv1.MemberStatus{
				Voter: m.Voter, Learner: m.Learner, Outgoing: m.Outgoing, Match: m.Match, Recent: m.Recent,
				Snapshot: m.ReceivingSnapshot,
			})
		}
		out = append(out, s)
	}
	return out, nil
}

// CreateReplica implements control.Replicas.
func (r replicas) CreateReplica(shard uint32, replica uint64) error {
	had, has := r.p.group(shard)
	err := r.p.written(func() error {
		err := r.p.store.CreateReplica(shard, replica)
		if !errors.Is(err, replication.ErrReplica) || !has || had.Replica >= replica {
			return err
		}
		if err := r.p.store.DestroyReplica(shard, had.Replica); err != nil {
			return err
		}
		return r.p.store.CreateReplica(shard, replica)
	})
	if err == nil && (!has || had.Replica != replica) {
		r.p.w.checks.created(r.p, shard, replica)
	}
	return err
}

// DestroyReplica implements control.Replicas.
func (r replicas) DestroyReplica(shard uint32, replica uint64) error {
	r.p.w.record.note("shard %d: node %d destroys replica %d", uint64(shard), uint64(r.p.index), replica)
	return r.p.written(func() error { return r.p.store.DestroyReplica(shard, replica) })
}

// AddLearner implements control.Replicas.
func (r replicas) AddLearner(shard uint32, term, node, replica uint64) error {
	defer r.p.poke()
	return r.p.store.ChangeReplicas(shard, term, replication.Change{Add: node, Replica: replica})
}

// ChangeVoters implements control.Replicas.
func (r replicas) ChangeVoters(shard uint32, term uint64, promote, remove []uint64) error {
	r.p.w.Stats.Moves++
	defer r.p.poke()
	return r.p.store.ChangeReplicas(shard, term, replication.Change{Promote: promote, Remove: remove})
}

// Transfer implements control.Replicas.
func (r replicas) Transfer(ctx context.Context, shard uint32, term uint64, to uint64, insist bool) error {
	p := r.p
	for _, runtime := range p.runtimes() {
		if shard == 0 {
			break
		}
		defer runtime.CancelTransfer(shard)
		ending, cancel := context.WithCancel(ctx)
		defer cancel()
		p.in(4*time.Second, cancel)
		if err := runtime.PrepareTransfer(ending, shard); err != nil && !insist {
			return err
		}
	}
	if p.dead.Load() {
		return errPowerCut
	}
	if err := p.store.TransferLeadership(shard, term, to); err != nil {
		return err
	}
	p.poke()
	for range 70 {
		if !p.leads[shard].Ready || p.leads[shard].Term != term {
			return nil
		}
		if !p.scheduler.Sleep(ctx, 10*time.Millisecond) {
			return errPowerCut
		}
	}
	return errors.New("sim: no replica became leader")
}

// clusterRecord is the control.Record of a process.
type clusterRecord struct{ p *process }

// ReadState implements control.Record.
func (r clusterRecord) ReadState() (*clusterv1.ClusterState, error) {
	value, revision, err := r.p.store.ReadCluster()
	if err != nil || revision == 0 {
		return nil, err
	}
	state := &clusterv1.ClusterState{}
	err = proto.Unmarshal(value, state)
	state.Revision = revision
	return state, err
}

// WriteState implements control.Record.
func (r clusterRecord) WriteState(ctx context.Context, revision uint64, state *clusterv1.ClusterState) error {
	state = proto.CloneOf(state)
	state.Revision = 0
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(state)
	if err != nil {
		return err
	}
	result := context.Canceled
	r.p.scheduler.awaitUntil(ctx, func(wake func()) {
		r.p.store.ProposeCluster(r.p.leads[0].Term, revision, value, func(_ uint64, err error) {
			result = err
			wake()
		})
		r.p.poke()
	})
	return result
}
