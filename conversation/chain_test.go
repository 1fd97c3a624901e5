package conversation

import (
	"fmt"
	"strconv"
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestChainsOfAliasesBecomeShort: a user who changed number again and again is found from each of
// the old ones by ever fewer steps.
func TestChainsOfAliasesBecomeShort(t *testing.T) {
	const links = 14
	var names []string
	for n := range links + 1 {
		names = append(names, fmt.Sprint("US.", n))
	}
	tn := newTown(plainConfig(false), names...)
	for n := 1; n <= links; n++ {
		w := tn.worlds[names[n]]
		w.pending, w.revision = nil, 1
		w.records[recordKey(wactorv1.RecordKind_RECORD_KIND_HEAD, nil)] = encode(&wactorv1.Head{
			NextInbox: 1, NextOutbox: 1, NextDead: 1, NextJournal: 1, FirstJournal: 1, AliasOf: names[n-1],
		})
		w.load()
	}
	last := fmt.Sprint("US.", links)
	steps := func() (n int) {
		for name := last; tn.worlds[name].c.identities.alias(); n++ {
			name = tn.worlds[name].c.identities.aliasOf
		}
		return n
	}
	for i, want := range []int{links, 7, 4, 2, 1, 1} {
		if got := steps(); got > want {
			t.Errorf("%d steps lead from the last name to the conversation before message %d, want %d", got, i, want)
		}
		tn.deliver(last)
		tn.rest()
		tn.nowMs += 2 * shortenAgainMs
	}
	if first := tn.worlds["US.0"]; first.c.Version() != 6 {
		t.Errorf("%d turns of 6 messages", first.c.Version())
	}
}

// TestReplyIDsAreComparedWhole: an id whose numbers are written in another way is no reply's, so
// that a status of it makes no dead letter.
func TestReplyIDsAreComparedWhole(t *testing.T) {
	w := newWorld(plainConfig(false))
	w.deliver("m1", w.nowMs)
	w.comeToRest()
	created := w.c.ledger.head.CreatedMs
	for _, id := range []string{
		fmt.Sprintf("w1.%s.01.%s", strconv.FormatInt(created, 36), w.id.User), fmt.Sprintf("w1.%s.+1.%s",
			strconv.FormatInt(created, 36), w.id.User),
		fmt.Sprintf("w1.0%s.1.%s", strconv.FormatInt(created, 36), w.id.User), replyID(created, 1, "49152"),
	} {
		w.status(&OutboxView{Seq: 1, ID: id}, "failed")
		w.comeToRest()
	}
	if letters := w.letters(); len(letters) > 0 {
		t.Errorf("%d dead letters: %v", len(letters), letters)
	}
	w.status(&OutboxView{Seq: 1, ID: replyID(created, 1, w.id.User)}, "failed")
	if w.comeToRest(); len(w.letters()) != 1 {
		t.Error("the reply's own id is not known")
	}
}
