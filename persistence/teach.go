package persistence

import "go.etcd.io/raft/v3/raftpb"

// Whoever stands for election goes by the configuration that it has applied. Where it has not heard
// that a later one is committed, it may need a vote that it will never get: of one who has become a
// learner, which does not stand itself, and has a longer log. So who refuses a vote tells how far
// it knows the log to be committed. The consensus core has no such word, and ignores it.

// teach puts the commit index, and its entry's term, into a refused vote.
func (g *group) teach(m *raftpb.Message) {
	vote := m.GetType() == raftpb.MsgVoteResp || m.GetType() == raftpb.MsgPreVoteResp
	if !vote || !m.GetReject() {
		return
	}
	commit := g.log.hard.GetCommit()
	if term, err := g.log.Term(commit); err == nil {
		m.Commit, m.LogTerm = new(commit), new(term)
	}
}

// learn takes what another replica knows to be committed: where this one's log has the very entry,
// it is committed here as well. The consensus core takes it as after a restart, with what it had
// not written yet forgotten, and its promises kept (see step).
func (g *group) learn(m *raftpb.Message) {
	commit := m.GetCommit()
	m.Commit = nil
	if !m.GetReject() || commit <= g.log.hard.GetCommit() || commit > g.log.last.index || g.leads() || g.staged != nil {
		return
	}
	if term, err := g.log.Term(commit); err != nil || term != m.GetLogTerm() {
		return
	}
	old := g.log.hard.Commit
	g.log.hard.Commit = new(commit)
	if err := g.start(); err != nil {
		g.log.hard.Commit = old
		return
	}
}
