package sim

import (
	"slices"
	"strings"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/audit"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// account is what is left of one conversation at the end.
type account struct {
	user     *user
	head     *wactorv1.Head
	revision uint64
	// accepted are the numbers of the messages that it accepted, by id.
	accepted map[string]uint64
	// turns are the numbers of the messages of each turn, by the version that it made.
	turns map[uint64][]uint64
	// fates counts what became of each message here, by id: a turn, or that it was absorbed, or
	// skipped by an operator; to be merged into another conversation is none.
	fates   map[string]int
	inDoubt map[uint64]bool // replies
}

// account reads a conversation, and holds it against what is promised of each.
func (w *World) account(p *process, u *user) *account {
	a := &account{user: u, accepted: map[string]uint64{}, turns: map[uint64][]uint64{}, fates: map[string]int{},
		inDoubt: map[uint64]bool{}}
	a.head, a.revision = w.head(p, u)
	j := w.journal(p, u)
	for _, violation := range audit.Journal(j.entries, false) {
		w.fail("conversation %d: %s", u.index, violation)
	}
	for r, commit := range w.checks.commits[u.index] {
		if put := journalled(commit); r > a.revision || put != nil && !j.holds(put) {
			w.fail("conversation %d, which is at revision %d, has lost what was committed as revision %d", u.index,
				a.revision, r)
		}
	}
	ids := map[uint64]string{}
	for _, e := range j.entries {
		w.record.comment("journal of conversation %d: %v", u.index, e)
		switch e.Kind {
		case wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED:
			ids[e.MessageSeq] = e.MessageId
			switch {
			case e.Reason == reasonRetried:
			case a.accepted[e.MessageId] != 0:
				w.fail("conversation %d: a message was accepted twice", u.index)
			default:
				a.accepted[e.MessageId] = e.MessageSeq
			}
		case wactorv1.JournalKind_JOURNAL_KIND_TURN:
			a.turns[e.VersionAfter] = e.MessageSeqs
			for _, seq := range e.MessageSeqs {
				a.fates[ids[seq]]++
			}
		case wactorv1.JournalKind_JOURNAL_KIND_ABSORBED:
			if e.Reason != reasonMerged {
				a.fates[ids[e.MessageSeqs[0]]]++
			}
		case wactorv1.JournalKind_JOURNAL_KIND_NOTE:
			if strings.HasPrefix(e.Reason, reasonSkipped) {
				for _, seq := range e.MessageSeqs {
					a.fates[ids[seq]]++
				}
			}
		case wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT:
			a.inDoubt[e.ReplySeq] = true
		}
	}
	if a.head.Version != uint64(len(a.turns)) {
		w.fail("conversation %d: version %d, %d turns", u.index, a.head.Version, len(a.turns))
	}
	w.checkReplies(a, ids)
	return a
}

// reasonSkipped is why a message of a dead letter gets no turn.
const reasonSkipped = "dead letter skipped"

// reasonRetried is why a message of a dead letter is numbered again.
const reasonRetried = "a dead letter, retried"

// reasonMerged is why a message is absorbed that went to another conversation.
const reasonMerged = "merged into another conversation"

// checkPerson holds all conversations of a person against what is promised: each message has one
// fate, and all identities that messages have named together lead to one conversation.
func (w *World) checkPerson(p *person) {
	accounts := map[*user]*account{}
	for _, u := range p.users {
		accounts[u] = w.account(w.leader(u.shard), u)
	}
	for _, m := range p.messages {
		fates := 0
		for _, u := range p.users {
			fates += accounts[u].fates[m.id]
		}
		if fates != 1 {
			w.fail("person %d: message %s, which was acknowledged, has %d fates", p.index, m.id, fates)
		}
		if m.accepted > 1 {
			w.fail("person %d: message %s was accepted %d times, and no duplicate", p.index, m.id, m.accepted)
		}
	}
	if !p.linked() {
		w.checkOrder(p.users[0], accounts[p.users[0]].accepted)
		if found := len(accounts[p.users[0]].accepted); found != len(p.messages) {
			w.fail("person %d: %d messages of %d were accepted", p.index, found, len(p.messages))
		}
		return
	}
	for _, m := range p.messages {
		for _, name := range []string{m.names.WaId, m.names.UserId} {
			other := w.userOf[conversation.ID{Channel: channel, User: name}.String()]
			if other != nil && w.home(accounts, m.to) != w.home(accounts, other) {
				w.fail("person %d: identities %s and %s lead to %s and %s", p.index, m.to.id.User, name,
					w.home(accounts, m.to), w.home(accounts, other))
			}
		}
	}
}

// home follows aliases to the conversation of an identity.
func (w *World) home(accounts map[*user]*account, u *user) string {
	seen := []string{}
	for {
		head := accounts[u].head
		if head.YieldsTo != "" || len(head.Claims) > 0 {
			w.fail("conversation %d still yields to %q, and claims %v", u.index, head.YieldsTo, head.Claims)
		}
		if head.AliasOf == "" {
			return u.id.User
		}
		if slices.Contains(seen, u.id.User) {
			w.fail("aliases form a circle: %v", seen)
			return ""
		}
		seen = append(seen, u.id.User)
		u = w.userOf[conversation.ID{Channel: channel, User: head.AliasOf}.String()]
	}
}
