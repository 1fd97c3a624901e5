package sim

import (
	"encoding/binary"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// letters are the dead letters that a bot makes in some seeds, where it fails for good now and
// then. Principals of the admin API take them up again or skip them, through any node, sometimes
// two of them the same one at once: in the end there is none, and each message has one fate.
type letters struct{ w *World }

var errPoison = conversation.Permanent("sim: the bot can't read this")

// poisoned draws whether the bot fails for good.
func (l letters) poisoned() bool { return l.w.rules.letters && !l.w.healed && l.w.chance(0.2) }

// look has a principal look after one conversation from time to time.
func (l letters) look() {
	w := l.w
	w.after(w.between(20*time.Millisecond, 200*time.Millisecond), func() {
		l.operate(w.users[w.rng.IntN(len(w.users))])
		l.look()
	})
}

// operate takes a dead letter of a conversation up again, where it has one, or skips it.
func (l letters) operate(u *user) {
	p := l.w.leader(u.shard)
	if p == nil {
		return
	}
	waiting := l.of(p, u)
	if len(waiting) == 0 {
		return
	}
	seq, times := waiting[l.w.rng.IntN(len(waiting))], 1
	if l.w.chance(0.2) {
		times = 2
	}
	for range times {
		through := l.w.nodes[l.w.rng.IntN(len(l.w.nodes))]
		if !through.up() {
			continue
		}
		var request proto.Message = &wactorv1.RetryRequest{Seq: seq}
		if l.w.chance(0.2) {
			request = &wactorv1.SkipRequest{Seq: seq}
		}
		l.w.record.note("node %d is asked about letter %d of conversation %d", uint64(through.index), seq,
			uint64(u.index))
		e := delivery.Envelope{To: u.id, Body: delivery.Operation{By: "ana", Request: request}}
		through.proc.router.Deliver(e, func(o delivery.Outcome) {
			if o.Err == nil && o.Verdict == conversation.Accepted {
				l.w.Stats.Operations++
			}
		})
	}
}

// of are the numbers of a conversation's dead letters.
func (l letters) of(p *process, u *user) (seqs []uint64) {
	err := p.store.Scan(u.shard, u.id.String(), wactorv1.RecordKind_RECORD_KIND_DEAD, func(suffix, _ []byte) error {
		seqs = append(seqs, binary.BigEndian.Uint64(suffix))
		return nil
	})
	if err != nil {
		l.w.fail("conversation %d: %v", u.index, err)
	}
	return seqs
}
