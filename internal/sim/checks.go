package sim

import (
	"bytes"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/persistence/replication"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// checks hold the run against what is promised, while it goes on.
type checks struct {
	w       *World
	moments int64
	ops     [][]Op // by user
	// leased is the term of the last lease, by shard.
	leased map[uint32]uint64
	// leaders are who led, by shard and term.
	leaders map[[2]uint64]uint64
	// nodes are where replicas are, by shard and id.
	nodes map[[2]uint64]uint64
	// made are the replicas that each node has had, by shard and node.
	made map[[2]uint64]uint64
	// commits are those that were answered, by user and revision.
	commits []map[uint64]*wactorv1.Commit
	// order are the messages that routers took, by user.
	order [][]*flight
}

func newChecks(w *World) checks {
	c := checks{w: w, leaders: map[[2]uint64]uint64{}, nodes: map[[2]uint64]uint64{}, made: map[[2]uint64]uint64{},
		leased: map[uint32]uint64{}, ops: make([][]Op, len(w.persons)),
		order: make([][]*flight, len(w.users))}
	for range w.users {
		c.commits = append(c.commits, map[uint64]*wactorv1.Commit{})
	}
	return c
}

// committed takes a commit that was answered: its revision belongs to it alone.
func (c *checks) committed(u *user, revision uint64, commit *wactorv1.Commit) {
	c.w.Stats.Commits++
	if revision != commit.BaseRevision+1 {
		c.w.fail("conversation %d: a commit on revision %d made revision %d", u.index, commit.BaseRevision, revision)
	}
	if c.commits[u.index][revision] != nil {
		c.w.fail("conversation %d: revision %d was committed twice", u.index, revision)
	}
	c.commits[u.index][revision] = proto.CloneOf(commit)
}

// leader takes news of a leader: there is one in each term.
func (c *checks) leader(p *process, shard uint32, now replication.Leadership) {
	// a leader that was removed is no member any more, for a moment
	if now.Ready && now.Node != p.id && now.Node != 0 {
		c.w.fail("node %d leads shard %d in term %d and reports that node id %d does", p.index, shard, now.Term,
			now.Node)
	}
	if now.Node == 0 {
		return
	}
	key := [2]uint64{uint64(shard), now.Term}
	if other, known := c.leaders[key]; known && other != now.Node {
		c.w.fail("shard %d has two leaders in term %d: nodes %d and %d", shard, now.Term, c.w.nodeOf[other].index,
			c.w.nodeOf[now.Node].index)
	}
	if c.leaders[key] == 0 {
		c.w.Stats.Elections++
	}
	c.leaders[key] = now.Node
}

// members takes the members of a group: an id is never used again.
func (c *checks) members(g replication.Group) {
	for _, m := range g.Members {
		key := [2]uint64{uint64(g.Shard), m.Replica}
		if other, known := c.nodes[key]; known && other != m.Node {
			c.w.fail("replica %d of shard %d is on two nodes", m.Replica, g.Shard)
		}
		c.nodes[key] = m.Node
	}
}

// created takes a replica that was created: a node has ever higher ones of a shard.
func (c *checks) created(p *process, shard uint32, replica uint64) {
	key := [2]uint64{uint64(shard), p.id}
	if had := c.made[key]; had >= replica {
		c.w.fail("node %d has replica %d of shard %d again after replica %d", p.index, replica, shard, had)
	}
	c.made[key] = replica
}

// leases finds two nodes that both assume they are the only leader of a shard.
func (c *checks) leases() {
	for shard := uint32(1); shard <= uint32(c.w.rules.shards); shard++ {
		var holder *node
		for _, n := range c.w.nodes {
			if n.proc == nil || n.proc.store == nil {
				continue
			}
			now := n.proc.leads[shard]
			if !now.Ready || !n.proc.store.Leased(shard, now.Term) {
				continue
			}
			if c.leased[shard] != now.Term {
				c.leased[shard] = now.Term
				c.w.after(0, func() { c.w.readAll(shard) })
			}
			if holder != nil {
				c.w.fail("nodes %d and %d hold a lease of shard %d", holder.index, n.index, shard)
			}
			holder = n
		}
	}
}

// sends takes a reply that is about to leave: no other node may be the leader in a later term.
func (c *checks) sends(p *process, shard uint32, term uint64) {
	for _, n := range c.w.nodes {
		if n.proc != nil && n.proc.leads[shard].Ready && n.proc.leads[shard].Term > term {
			c.w.fail("node %d sends for shard %d, which node %d leads", p.index, shard, n.index)
		}
	}
}

// journalled is the journal record of a commit; nil where it has none.
func journalled(commit *wactorv1.Commit) *wactorv1.Put {
	for _, put := range commit.Puts {
		if put.Kind == wactorv1.RecordKind_RECORD_KIND_JOURNAL {
			return put
		}
	}
	return nil
}

// journal is what the store holds of what happened to a conversation.
type journal struct {
	suffixes, values [][]byte
	entries          []*wactorv1.JournalEntry
}

func (w *World) journal(p *process, u *user) (j journal) {
	err := p.store.Scan(u.shard, u.id.String(), wactorv1.RecordKind_RECORD_KIND_JOURNAL,
		func(suffix, value []byte) error {
			var record wactorv1.Journal
			if err := proto.Unmarshal(value, &record); err != nil {
				return err
			}
			j.suffixes, j.values = append(j.suffixes, bytes.Clone(suffix)), append(j.values, bytes.Clone(value))
			j.entries = append(j.entries, record.Entries...)
			return nil
		})
	if err != nil {
		w.fail("conversation %d: %v", u.index, err)
	}
	return j
}

// resends counts how often it is committed that a reply is sent again.
func (j journal) resends(seq uint64) (n int) {
	for _, e := range j.entries {
		if e.Kind == wactorv1.JournalKind_JOURNAL_KIND_RESENT && e.ReplySeq == seq {
			n++
		}
	}
	return n
}

// holds reports whether the store has the journal record of a commit.
func (j *journal) holds(put *wactorv1.Put) bool {
	for i := range j.suffixes {
		if bytes.Equal(j.suffixes[i], put.Suffix) {
			return bytes.Equal(j.values[i], put.Value)
		}
	}
	return false
}

// head is a conversation's head and revision.
func (w *World) head(p *process, u *user) (*wactorv1.Head, uint64) {
	head := &wactorv1.Head{}
	revision, err := p.store.Load(u.shard, u.id.String(), func(kind wactorv1.RecordKind, _, value []byte) error {
		if kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			return proto.Unmarshal(value, head)
		}
		return nil
	})
	if err != nil {
		w.fail("conversation %d: %v", u.index, err)
	}
	return head, revision
}

// flight is a message that a router took.
type flight struct {
	by     *process
	id     string
	routed int64 // when
	// accepted: it was, and no other flight of the message before it.
	accepted bool
}

// routed notes that a gateway gives a message to its router, and returns what takes the verdict.
func (c *checks) routed(p *process, e delivery.Envelope) func(conversation.Verdict) {
	message := e.Message()
	if message == nil {
		return func(conversation.Verdict) {}
	}
	u := c.w.userOf[e.To.String()]
	f := &flight{by: p, id: message.Id, routed: c.call()}
	c.order[u.index] = append(c.order[u.index], f)
	return func(verdict conversation.Verdict) { f.accepted = verdict == conversation.Accepted }
}

// checkOrder holds the order of acceptance against that in which routers took the messages: those
// of one conversation that one router takes keep it.
func (w *World) checkOrder(u *user, accepted map[string]uint64) {
	for _, a := range w.checks.order[u.index] {
		for _, b := range w.checks.order[u.index] {
			if a.by == b.by && a.routed < b.routed && a.accepted && b.accepted && accepted[a.id] > accepted[b.id] {
				w.fail("conversation %d: node %d routed %s before %s, and it was accepted after it", u.index,
					a.by.index, a.id, b.id)
			}
		}
	}
}
