package conversation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation/audit"
	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestLinkedIdentitiesTakeTheOlderConversation: both sides of one user have history; the older one
// goes on.
func TestLinkedIdentitiesTakeTheOlderConversation(t *testing.T) {
	tn := newTown(plainConfig(false), "4915", "US.a")
	tn.deliver("US.a")
	tn.rest()
	tn.nowMs += time.Hour.Milliseconds()
	tn.deliver("4915")
	tn.rest()
	tn.deliver("4915", "US.a")
	tn.rest()
	tn.deliver("4915")
	tn.rest()
	older, younger := tn.worlds["US.a"].c, tn.worlds["4915"].c
	if younger.identities.aliasOf != "US.a" || older.Version() != 3 || younger.Version() != 1 ||
		!slices.Equal(older.identities.names, []string{"4915"}) {
		t.Errorf("older: version %d, names %v; younger: version %d, alias of %q", older.Version(),
			older.identities.names,
			younger.Version(), younger.identities.aliasOf)
	}
	if older.identities.user.WaId != "4915" || older.identities.user.UserId != "US.a" {
		t.Errorf("user %v", older.identities.user)
	}
}

// TestMergedMessagesAreOfNow: the messages that an older conversation takes over are what its
// user wrote last. Its session was over before they came, and the window in which they may be
// answered is open.
func TestMergedMessagesAreOfNow(t *testing.T) {
	cfg := plainConfig(false)
	cfg.Session.Idle, cfg.Sending.Window = time.Hour, 24*time.Hour
	tn := newTown(cfg, "4915", "US.a")
	tn.deliver("US.a")
	tn.rest()
	tn.nowMs += 25 * time.Hour.Milliseconds()
	tn.deliver("4915")
	tn.rest()
	tn.deliver("4915", "US.a")
	tn.rest()
	older := tn.worlds["US.a"]
	var kinds []string
	for _, e := range older.journal() {
		kinds = append(kinds, describeEntry(older, e)[11:])
	}
	if older.c.Version() != 2 || older.c.ledger.head.DeadLetters != 0 || len(older.taken) != 2 ||
		!strings.Contains(strings.Join(kinds, "\n"), "session_expired") {
		t.Errorf("version %d, %d dead letters, replies taken %v, journal:\n%s", older.c.Version(),
			older.c.ledger.head.DeadLetters, older.taken, strings.Join(kinds, "\n"))
	}
}

// TestChangeIsKnownOnceItIsAnswered: the provider tells that a user has another number and another
// BSUID. When that is answered, what comes under both goes to the conversation that there is,
// however slow the new identities are.
func TestChangeIsKnownOnceItIsAnswered(t *testing.T) {
	for _, reported := range []*wactorv1.User{{UserId: "US.b"}, {WaId: "4916", UserId: "US.b"}} {
		tn := newTown(plainConfig(false), "4915", "US.a", "4916", "US.b")
		tn.deliver("4915", "US.a")
		tn.rest()
		old := tn.worlds["4915"]
		old.verdicts = nil
		old.delivered["moved:4915"] = &wactorv1.Message{Id: "moved:4915", Type: typeSystem, SentMs: tn.nowMs}
		old.deliverAs("moved:4915", old.delivered["moved:4915"], reported)
		for len(old.verdicts) == 0 {
			if !tn.move(func(n int) int { return n - 1 }) {
				t.Fatal("the change is not answered")
			}
		}
		for old.performOne() {
		}
		slow := tn.mail // what is on its way is overtaken by all that follows
		tn.mail = nil
		tn.deliver("4916", "US.b")
		for range 100 {
			tn.move(func(int) int { return 0 })
		}
		tn.mail = append(tn.mail, slow...)
		tn.rest()
		for _, name := range []string{"US.a", "4916", "US.b"} {
			if w := tn.worlds[name]; w.c.Version() != 0 {
				t.Errorf("%v: %s had %d turns of its own", reported, name, w.c.Version())
			}
		}
		if turns, letters := int(old.c.Version()), len(old.letters()); turns+letters != 3 {
			t.Errorf("%v: %d turns and %d dead letters of 3 messages", reported, turns, letters)
		}
	}
}

// TestChangeIsAnsweredBeforeTheMerge: the new identity has a conversation of its own, which has
// replies to send before it offers a merge. That may take for hours. The same message again waits
// for no less than the first.
func TestChangeIsAnsweredBeforeTheMerge(t *testing.T) {
	w := newWorld(plainConfig(false))
	w.deliver("m1", w.nowMs)
	w.comeToRest()
	w.verdicts = nil
	moved := &wactorv1.Message{Id: "moved", Type: typeSystem, SentMs: w.nowMs}
	w.delivered["moved"] = moved
	for range 2 {
		w.deliverAs("moved", moved, &wactorv1.User{UserId: "US.b"})
		w.keepUp()
	}
	if len(w.verdicts) > 0 {
		t.Errorf("answered before the new identity was asked: %q", w.verdicts)
	}
	w.step(ResolveReply{Name: "US.b", Owner: notYet})
	w.keepUp()
	if want := []string{"moved accepted", "moved duplicate"}; !slices.Equal(w.verdicts, want) {
		t.Errorf("verdicts %q, want %q", w.verdicts, want)
	}
}

// TestMuchIsMergedInPieces: more waits in the younger conversation than one commit could hold.
// All of it gets its turn in the older one, in order.
func TestMuchIsMergedInPieces(t *testing.T) {
	cfg := plainConfig(false)
	cfg.Limits.Inbox = 20
	tn := newTown(cfg, "4915", "US.a")
	tn.deliver("US.a")
	tn.rest()
	tn.nowMs += time.Hour.Milliseconds()
	younger, older := tn.worlds["4915"], tn.worlds["US.a"]
	tn.deliver("4915", "US.a")
	for younger.c.identities.yieldsTo == "" {
		tn.move(func(int) int { return 0 })
	}
	for i := range 10 {
		id := fmt.Sprintf("large%d:4915", i)
		younger.delivered[id] = &wactorv1.Message{Id: id, Type: "text", Text: strings.Repeat("x", maxTogether/3),
			SentMs: tn.nowMs + int64(i)*1000}
		younger.deliverAs(id, younger.delivered[id], tn.user(id))
		for younger.performOne() {
		}
		younger.apply()
		younger.step(Committed{Revision: younger.revision})
	}
	tn.rest()
	turns := slices.DeleteFunc(older.journal(), func(e *wactorv1.JournalEntry) bool {
		return e.Kind != wactorv1.JournalKind_JOURNAL_KIND_TURN
	})
	if younger.c.identities.aliasOf != "US.a" || older.c.ledger.head.DeadLetters != 0 || len(turns) != 12 {
		t.Fatalf("alias of %q, %d dead letters, %d turns", younger.c.identities.aliasOf,
			older.c.ledger.head.DeadLetters, len(turns))
	}
	for i := 1; i < len(turns); i++ {
		if turns[i].MessageSeqs[0] != turns[i-1].MessageSeqs[0]+1 {
			t.Errorf("message %d had its turn behind %d", turns[i].MessageSeqs[0], turns[i-1].MessageSeqs[0])
		}
	}
}

// TestLargeBurstsAreTakenInPieces: a turn, and the dead letter that it may become, fit into one
// commit.
func TestLargeBurstsAreTakenInPieces(t *testing.T) {
	var inbox []waiting
	for _, size := range []int{maxTogether / 2, maxTogether / 3, maxTogether / 3, 10} {
		inbox = append(inbox, waiting{size: size})
	}
	for from, want := range []int{2, 3, 2, 1} {
		if got := len(together(inbox[from:])); got != want {
			t.Errorf("from %d on %d messages go together, want %d", from, got, want)
		}
	}
	if huge := []waiting{{size: 2 * maxTogether}, inbox[3]}; len(together(huge)) != 1 {
		t.Error("a message that is larger by itself never goes")
	}
}

// TestDeadLettersOfANameGoToItsConversation: a conversation left a dead letter before an older one
// took over. Taken up again, its message gets its turn there, once.
func TestDeadLettersOfANameGoToItsConversation(t *testing.T) {
	dropping := plainConfig(false)
	dropping.Order.Late = policy.Drop
	for _, cfg := range []Config{plainConfig(false), dropping} {
		deadLetterOfAName(t, cfg)
	}
}

func deadLetterOfAName(t *testing.T, cfg Config) {
	tn := newTown(cfg, "4915", "US.a")
	tn.deliver("US.a")
	tn.rest()
	tn.nowMs += time.Hour.Milliseconds()
	tn.deliver("4915")
	younger, older := tn.worlds["4915"], tn.worlds["US.a"]
	for younger.call == nil {
		tn.move(func(int) int { return 0 })
	}
	turn := younger.call.Turn
	younger.call = nil
	younger.step(Failed{Turn: turn, Reason: "status 400"})
	tn.rest()
	tn.nowMs += time.Minute.Milliseconds() // what comes now was sent later than the message of the letter
	tn.deliver("4915", "US.a")
	tn.rest()
	if younger.c.identities.aliasOf != "US.a" || len(younger.letters()) != 1 || older.c.Version() != 2 {
		t.Fatalf("alias of %q, letters %v, the older at version %d", younger.c.identities.aliasOf, younger.letters(),
			older.c.Version())
	}
	younger.retry(1)
	tn.rest()
	last := ""
	for _, e := range older.journal() {
		if e.MessageId != "" {
			last = e.MessageId
		}
	}
	if younger.c.identities.aliasOf != "US.a" || len(younger.letters()) != 0 || older.c.Version() != 3 ||
		!strings.HasPrefix(last, "m2:") {
		t.Errorf("alias of %q, letters %v, the older at version %d after %s", younger.c.identities.aliasOf,
			younger.letters(),
			older.c.Version(), last)
	}
	if violations := audit.Journal(older.journal(), false); len(violations) > 0 {
		t.Error(violations)
	}
}

// TestWaitingMessagesAreBoundedInBytes: what is refused is taken once those before have had their
// turn, also after a crash.
func TestWaitingMessagesAreBoundedInBytes(t *testing.T) {
	w := newWorld(plainConfig(false))
	large := func(i int) *wactorv1.Message {
		return &wactorv1.Message{Id: fmt.Sprint("m", i), Type: "text", Text: strings.Repeat("x", maxInboxBytes/2)}
	}
	for i := range 3 {
		w.deliverMessage(large(i))
		for w.performOne() {
		}
	}
	if want := []string{"m2 overloaded"}; !slices.Equal(w.verdicts, want) {
		t.Fatalf("verdicts %q, want %q", w.verdicts, want)
	}
	w.crash(2)
	if w.deliverMessage(large(2)); w.c.inbox.bytes < maxInboxBytes {
		t.Errorf("%d bytes wait after a crash", w.c.inbox.bytes)
	}
	w.comeToRest()
	if w.c.Version() != 3 || w.c.inbox.bytes != 0 {
		t.Errorf("%d turns, %d bytes wait", w.c.Version(), w.c.inbox.bytes)
	}
}
