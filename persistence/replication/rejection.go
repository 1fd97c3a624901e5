package replication

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.etcd.io/raft/v3/confchange"
	"go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
	"google.golang.org/protobuf/proto"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// The consensus core assumes that what it is given comes from a replica that works, and panics
// where it can't be. So what no such replica sends is rejected before: of a node with another
// program, with a disk that was put back to an older state, or with ill will. What a leader's
// entries do to conversations is not judged here, only changes of replicas are: a leader is
// trusted.

// wrongMessage is why a message is rejected.
type wrongMessage struct {
	reason string // the label of the metric
	why    string
}

func (r wrongMessage) Error() string { return "persistence: a message that no replica sends: " + r.why }

// Is makes it an ErrMalformed.
func (r wrongMessage) Is(target error) bool { return target == ErrMalformed }

func wrong(reason, why string, args ...any) error {
	return wrongMessage{reason, fmt.Sprintf(why, args...)}
}

// most bounds what is counted in a message, indexes, terms and ids, so that nothing the core adds
// to them runs over.
const most = 1 << 62

// maxTermJump bounds how far a message's term may lie ahead of this replica's: at two elections a
// second, none of which succeeds, a replica that was away for three months meets it. Without it one
// message would take a group to the last term, and no leader could be elected any more.
const maxTermJump = 1 << 24

// checkMessage rejects a message that no replica sends, whatever its state.
func checkMessage(m *raftpb.Message) error {
	if !fromPeers[m.GetType()] && m.GetType() != raftpb.MsgSnap {
		return wrong("type", "of type %v", m.GetType())
	}
	if m.GetTo() == 0 || m.GetFrom() == 0 || m.GetTerm() == 0 || m.GetFrom() == m.GetTo() {
		return wrong("address", "without term, sender or addressee, or to itself")
	}
	if max(m.GetTo(), m.GetFrom(), m.GetTerm(), m.GetIndex(), m.GetLogTerm(), m.GetCommit(),
		m.GetRejectHint()) >= most {
		return wrong("number", "with a number out of reach")
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

// checkEntries rejects entries that are not one log's, or that this version can't apply. All logs
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

// checkSnapshot rejects voters that can't be, and members that are not those.
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

// check rejects what no replica sends to one that has this log. What another one is known to have
// is on the disk here, as long as neither disk was put back to an older state.
func (l *groupLog) check(m *raftpb.Message, leading bool) error {
	last := l.last.index
	// A replica that was just created knows no term yet.
	if term := l.hard.GetTerm(); m.GetTerm() > term+maxTermJump && len(l.conf.GetVoters()) > 0 {
		return wrong("term", "of term %d to a replica of term %d, which no election gets to", m.GetTerm(), term)
	}
	switch m.GetType() {
	case raftpb.MsgHeartbeat:
		if m.GetCommit() > last {
			return wrong("commit", "that commits entry %d of a log that ends with %d", m.GetCommit(), last)
		}
	case raftpb.MsgAppResp:
		if leading && m.GetTerm() == l.hard.GetTerm() && m.GetIndex() > last {
			return wrong("acknowledgement", "that speaks of entry %d to a leader whose log ends with %d", m.GetIndex(),
				last)
		}
	}
	return nil
}

// rejections counts the messages that are rejected, and limits what is logged of them.
type rejections struct {
	metrics *metrics
	logger  *slog.Logger
	now     func() time.Duration

	mu     sync.Mutex
	logged map[string]time.Duration
}

// logEvery is how long nothing more is logged of rejections for a reason.
const logEvery = 10 * time.Second

// note counts a message that is rejected, and logs it from time to time.
func (r *rejections) note(m Message, err error) {
	var why wrongMessage
	if !errors.As(err, &why) {
		return
	}
	r.metrics.messages.WithLabelValues(why.reason).Inc()
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if last, logged := r.logged[why.reason]; logged && now-last < logEvery {
		return
	}
	r.logged[why.reason] = now
	r.logger.Warn("a message of another node is rejected; see wactor_peer_messages_rejected_total for how many are",
		"shard", m.Shard, "peer", fmt.Sprintf("%016x", m.Node), "reason", why.reason, "error", err)
}
