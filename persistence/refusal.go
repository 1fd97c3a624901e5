package persistence

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.etcd.io/raft/v3/confchange"
	"go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"google.golang.org/protobuf/proto"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// The consensus core takes what it is given for the word of a replica that works, and panics where
// it can't be. So what no such replica sends is refused before: of a node with another program,
// with a disk that was put back to an older state, or with ill will. What a leader's entries do to
// conversations is not judged here, only changes of replicas are: who leads is believed.

// refusal is why a message is refused.
type refusal struct {
	reason string // the label of the metric
	why    string
}

func (r refusal) Error() string { return "persistence: a message that no replica sends: " + r.why }

// Is makes a refusal an ErrMalformed.
func (r refusal) Is(target error) bool { return target == ErrMalformed }

func wrong(reason, why string, args ...any) error { return refusal{reason, fmt.Sprintf(why, args...)} }

// most bounds what is counted in a message, indexes, terms and ids, so that nothing the core adds
// to them runs over.
const most = 1 << 62

// checkMessage refuses a message that no replica sends, whatever its state.
func checkMessage(m *raftpb.Message) error {
	if !fromPeers[m.GetType()] && m.GetType() != raftpb.MsgSnap {
		return wrong("type", "of type %v", m.GetType())
	}
	if m.GetTo() == 0 || m.GetFrom() == 0 || m.GetTerm() == 0 || m.GetFrom() == m.GetTo() {
		return wrong("address", "without term, sender or addressee, or to itself")
	}
	if max(m.GetTo(), m.GetFrom(), m.GetTerm(), m.GetIndex(), m.GetLogTerm(), m.GetCommit(),
		m.GetRejectHint()) >= most {
		return wrong("number", "with a number that nobody gets to")
	}
	switch m.GetType() {
	case raftpb.MsgApp:
		return checkEntries(m)
	case raftpb.MsgSnap:
		return checkSnapshot(m)
	}
	if len(m.Entries) > 0 {
		return wrong("entries", "of type %v with entries", m.GetType())
	}
	return nil
}

// checkEntries refuses entries that are not one log's, or that this version can't apply. All logs
// begin behind entry 1.
func checkEntries(m *raftpb.Message) error {
	index, term := m.GetIndex(), m.GetLogTerm()
	if index == 0 || term == 0 {
		return wrong("entries", "with entries from the beginning of the log")
	}
	for _, entry := range m.Entries {
		if index++; entry.GetIndex() != index || entry.GetTerm() < term || entry.GetTerm() > m.GetTerm() {
			return wrong("entries", "with entries that do not follow each other")
		}
		term = entry.GetTerm()
		if entry.GetType() != raftpb.EntryNormal && !isChange(entry) {
			return wrong("entries", "with an entry of another type, or a change of replicas that can't be read")
		}
	}
	return nil
}

// isChange reports whether an entry holds a change of replicas as they are made here (group.change,
// and the core's own end of it).
func isChange(entry *raftpb.Entry) bool {
	change, members := &raftpb.ConfChangeV2{}, &clusterv1.Members{}
	if entry.GetType() != raftpb.EntryConfChangeV2 || proto.Unmarshal(entry.Data, change) != nil ||
		proto.Unmarshal(change.Context, members) != nil {
		return false
	}
	return change.GetTransition() == raftpb.ConfChangeTransitionAuto && !slices.ContainsFunc(change.Changes,
		func(c *raftpb.ConfChangeSingle) bool {
			return c.GetNodeId() == 0 || c.GetNodeId() >= most || c.GetType() > raftpb.ConfChangeAddLearnerNode
		})
}

// checkSnapshot refuses voters that can't be, and members that are not those.
func checkSnapshot(m *raftpb.Message) error {
	meta := m.GetSnapshot().GetMetadata()
	if len(m.Entries) > 0 || meta.GetIndex() == 0 || meta.GetIndex() >= most || meta.GetTerm() == 0 ||
		meta.GetTerm() > m.GetTerm() {
		return wrong("snapshot", "with a snapshot of no entry")
	}
	conf := meta.GetConfState()
	config, progress, err := confchange.Restore(confchange.Changer{Tracker: tracker.MakeProgressTracker(1, 0),
		LastIndex: meta.GetIndex()}, conf)
	restored := tracker.ProgressTracker{Config: config, Progress: progress}
	if err != nil || conf.Equivalent(restored.ConfState()) != nil || len(conf.GetVoters()) == 0 {
		return wrong("snapshot", "with voters that can't be")
	}
	members := &clusterv1.Members{}
	if err := proto.Unmarshal(m.GetSnapshot().GetData(), members); err != nil ||
		len(members.Replicas) != len(progress) {
		return wrong("snapshot", "with other members than voters and learners")
	}
	for _, r := range members.Replicas {
		if progress[r.GetId()] == nil || r.GetNode() == 0 || r.GetId() >= members.Next {
			return wrong("snapshot", "with other members than voters and learners")
		}
		delete(progress, r.GetId())
	}
	return nil
}

// check refuses what no replica sends to one that has this log. What another one is known to have
// is on the disk here, as long as neither disk was put back to an older state.
func (g *group) check(m *raftpb.Message) error {
	last := g.log.last.index
	switch m.GetType() {
	case raftpb.MsgHeartbeat:
		if m.GetCommit() > last {
			return wrong("commit", "that commits entry %d of a log that ends with %d", m.GetCommit(), last)
		}
	case raftpb.MsgAppResp:
		if g.leading && m.GetTerm() == g.log.hard.GetTerm() && m.GetIndex() > last {
			return wrong("acknowledgement", "that speaks of entry %d to a leader whose log ends with %d", m.GetIndex(),
				last)
		}
	}
	return nil
}

// refusals limits what is logged of them.
type refusals struct {
	mu   sync.Mutex
	said map[string]time.Duration
}

// sayEvery is how long nothing more is logged of refusals for a reason.
const sayEvery = 10 * time.Second

// refuse counts a message that is refused, and logs it from time to time.
func (s *Store) refuse(m Message, err error) {
	var r refusal
	if !errors.As(err, &r) {
		return
	}
	s.metrics.messages.WithLabelValues(r.reason).Inc()
	s.refusals.mu.Lock()
	defer s.refusals.mu.Unlock()
	now := s.options.Monotonic()
	if last, said := s.refusals.said[r.reason]; said && now-last < sayEvery {
		return
	}
	s.refusals.said[r.reason] = now
	s.options.Logger.Warn("a message of another node is refused; see wactor_peer_messages_refused_total for how many "+
		"are", "shard", m.Shard,
		"peer", fmt.Sprintf("%016x", m.Node), "reason", r.reason, "error", err)
}
