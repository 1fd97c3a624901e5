package conversation

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// A backup takes a view of each shard, one after the other, while everything goes on. These tests
// make one of a town, restore it, let it come to rest, and look at what became of each message.

var cutNames = []string{"4915", "US.a", "4916", "US.b"}

// busyTown plays a town for a while: messages under all names, losses and waits.
func busyTown(random *rand.Rand) *town {
	tn := newTown(plainConfig(false), cutNames...)
	sets := [][]string{{"4915"}, {"US.a"}, {"4915", "US.a"}, {"4916", "US.a"}, {"4916"}, {"US.b"}, {"4916", "US.b"}}
	for range 4 + random.IntN(12) {
		tn.deliver(sets[random.IntN(len(sets))]...)
		tn.play(random, random.IntN(12))
	}
	return tn
}

// play lets some things happen, and time pass.
func (tn *town) play(random *rand.Rand, moves int) {
	for range moves {
		if random.IntN(8) == 0 || !tn.move(random.IntN) {
			tn.nowMs += 1100
			for _, name := range tn.names {
				tn.worlds[name].nowMs = tn.nowMs
				tn.worlds[name].tick()
			}
		}
	}
}

// backedUp is what a backup has of a town.
type backedUp struct {
	records   map[string]map[string][]byte
	revisions map[string]uint64
}

// backUp takes a view of each identity in turn, while everything else goes on.
func (tn *town) backUp(random *rand.Rand, hold bool) backedUp {
	b := backedUp{map[string]map[string][]byte{}, map[string]uint64{}}
	tn.held = hold
	names := slices.Clone(tn.names)
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		w := tn.worlds[name]
		b.records[name], b.revisions[name] = maps.Clone(w.records), w.revision
		tn.play(random, random.IntN(40))
	}
	tn.held = false
	return b
}

// restore makes the town of a backup. What was answered by 200 before the backup was over does not
// come again.
func (tn *town) restore(b backedUp, event *Restored) *town {
	restored := newTown(plainConfig(false), tn.names...)
	restored.nowMs = tn.nowMs + 1
	for _, name := range tn.names {
		old, w := tn.worlds[name], restored.worlds[name]
		w.records, w.revision, w.nowMs = b.records[name], b.revisions[name], restored.nowMs
		w.pending, w.acked = nil, maps.Clone(old.acked)
		for id, message := range old.delivered {
			w.delivered[id] = proto.CloneOf(message)
		}
		if event != nil && w.revision > 0 {
			w.restored(*event)
		}
		w.load()
	}
	return restored
}

// restored steps the event of a restore as backup.Restore does: of its effects only the commit
// counts.
func (w *world) restored(event Restored) {
	loader := NewLoader(w.id, w.cfg)
	for _, key := range slices.Sorted(maps.Keys(w.records)) {
		if err := loader.Record(wactorv1.RecordKind(key[0]), []byte(key[1:]), w.records[key]); err != nil {
			panic(err)
		}
	}
	w.c = loader.Done(w.revision)
	for _, effect := range w.c.Step(w.nowMs, event) {
		if commit, ok := effect.(Commit); ok {
			w.proposed = append(w.proposed, commit)
			w.apply()
		}
	}
}

// wrong says what is wrong with a town at rest, of which some messages must have a fate.
func (tn *town) wrong(must map[string]bool) string {
	fates := map[string]int{}
	known := map[string]bool{}
	for _, name := range tn.names {
		w := tn.worlds[name]
		for id := range w.delivered {
			known[id] = true
		}
		for _, letter := range w.letters() {
			for _, m := range letter.Messages {
				fates[m.Id]++
			}
		}
		accepted := map[uint64]string{}
		for _, e := range w.journal() {
			switch e.Kind {
			case wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED:
				accepted[e.MessageSeq] = e.MessageId
			case wactorv1.JournalKind_JOURNAL_KIND_TURN:
				for _, seq := range e.MessageSeqs {
					fates[accepted[seq]]++
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if fates[id] > 1 || fates[id] == 0 && must[id] {
			return fmt.Sprintf("message %s has %d fates", id, fates[id])
		}
	}
	for _, name := range tn.names {
		for _, other := range tn.worlds[name].c.identities.names {
			if tn.worlds[other].c.Revision() > 0 && tn.home(other) != tn.home(name) {
				return fmt.Sprintf("%s takes %s for its own, which leads to %s", name, other, tn.home(other))
			}
		}
	}
	return ""
}

// playCut makes a backup of a random town, restores it, and says what is wrong then.
func playCut(seed uint64, hold bool) string {
	random := rand.New(rand.NewPCG(seed, 0))
	tn := busyTown(random)
	must := map[string]bool{}
	for _, w := range tn.worlds {
		for id := range w.acked {
			must[id] = true
		}
	}
	b := tn.backUp(random, hold)
	var event *Restored
	if random.IntN(2) == 0 {
		event = &Restored{Hold: random.IntN(2) == 0, TakenMs: tn.nowMs}
	}
	restored := tn.restore(b, event)
	restored.rest()
	return restored.wrong(must)
}

const cutSeeds = 3000

// TestBackupUnderHoldIsConsistent: with the hold, each message that was accepted before the backup
// has one fate in what is restored, and no identity is taken for an alias that is none.
func TestBackupUnderHoldIsConsistent(t *testing.T) {
	for seed := range uint64(cutSeeds) {
		if wrong := playCut(seed, true); wrong != "" {
			t.Fatalf("seed %d: %s", seed, wrong)
		}
	}
}

// TestBackupWithoutHoldIsCaught: the mistake that the hold is for is found by the same play.
func TestBackupWithoutHoldIsCaught(t *testing.T) {
	found := 0
	for seed := range uint64(cutSeeds) {
		if playCut(seed, false) != "" {
			found++
		}
	}
	if found == 0 {
		t.Errorf("%d backups without a hold were all consistent: the play does not see what it should", cutSeeds)
	}
	t.Logf("%d of %d backups without a hold are wrong", found, cutSeeds)
}
