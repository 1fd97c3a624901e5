package conversation

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLinkedIdentitiesTakeTheOlderConversation: both sides of one user have history; the older one goes on.
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
	if younger.head.AliasOf != "US.a" || older.Version() != 3 || younger.Version() != 1 || !slices.Equal(older.head.Names, []string{"4915"}) {
		t.Errorf("older: version %d, names %v; younger: version %d, alias of %q", older.Version(), older.head.Names, younger.Version(), younger.head.AliasOf)
	}
	if older.head.User.WaId != "4915" || older.head.User.UserId != "US.a" {
		t.Errorf("user %v", older.head.User)
	}
}

// TestTakenOverMessagesAreOfNow: the messages that an older conversation takes over are what its user wrote last. Its session
// was over before they came, and the window in which they may be answered is open.
func TestTakenOverMessagesAreOfNow(t *testing.T) {
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
	if older.c.Version() != 2 || older.c.head.DeadLetters != 0 || len(older.taken) != 2 || !strings.Contains(strings.Join(kinds, "\n"), "session_expired") {
		t.Errorf("version %d, %d dead letters, replies taken %v, journal:\n%s", older.c.Version(), older.c.head.DeadLetters, older.taken, strings.Join(kinds, "\n"))
	}
}

// TestDeadLettersOfANameGoToItsConversation: a conversation left a dead letter before an older one took over. Taken up again, its
// message gets its turn there, once.
func TestDeadLettersOfANameGoToItsConversation(t *testing.T) {
	tn := newTown(plainConfig(false), "4915", "US.a")
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
	tn.deliver("4915", "US.a")
	tn.rest()
	if younger.c.head.AliasOf != "US.a" || len(younger.letters()) != 1 || older.c.Version() != 2 {
		t.Fatalf("alias of %q, letters %v, the older at version %d", younger.c.head.AliasOf, younger.letters(), older.c.Version())
	}
	younger.retry(1)
	tn.rest()
	last := ""
	for _, e := range older.journal() {
		if e.MessageId != "" {
			last = e.MessageId
		}
	}
	if younger.c.head.AliasOf != "US.a" || len(younger.letters()) != 0 || older.c.Version() != 3 || !strings.HasPrefix(last, "m2:") {
		t.Errorf("alias of %q, letters %v, the older at version %d after %s", younger.c.head.AliasOf, younger.letters(), older.c.Version(), last)
	}
	if violations := Audit(older.journal(), false); len(violations) > 0 {
		t.Error(violations)
	}
}
