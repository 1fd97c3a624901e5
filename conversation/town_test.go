package conversation

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// town is several identities, each with a world of its own, that ask each other.
type town struct {
	worlds map[string]*world
	names  []string
	nowMs  int64
	mail   []func() // what is on its way between them
	// held is what does not arrive while a backup is made: all of mail but forwarded messages.
	held   bool
	onward []func() // forwarded messages that are on their way
	next   int
}

func newTown(cfg Config, names ...string) *town {
	tn := &town{worlds: map[string]*world{}, names: names, nowMs: historyStartMs}
	for _, name := range names {
		w := newWorld(cfg)
		w.id.User = name
		w.resets = true
		w.town = tn
		w.load()
		w.pending = nil
		tn.worlds[name] = w
	}
	return tn
}

// perform does what a world wants of the town; true where it was such an effect.
func (tn *town) perform(w *world, effect Effect) bool {
	from := w.id.User
	switch e := effect.(type) {
	case Forward:
		id := w.refs[e.Ref]
		delete(w.refs, e.Ref)
		tn.onward = append(tn.onward, func() { tn.worlds[e.To.User].deliverAs(id, tn.delivered(id), tn.user(id)) })
	case RequestResolve:
		tn.mail = append(tn.mail, func() {
			to := tn.worlds[e.To.User]
			to.nextRef++
			ref := to.nextRef
			to.asks[ref] = func(answer ReplyPeer) {
				tn.worlds[from].step(ResolveReply{Name: e.To.User,
					Owner: answer.Owner})
			}
			to.step(ResolveRequest{Ref: ref, By: e.By, CreatedMs: e.CreatedMs})
		})
	case OfferMerge:
		var messages []*wactorv1.Message
		size := 0
		for _, m := range e.Messages {
			messages = append(messages, proto.CloneOf(m))
			size += proto.Size(m)
		}
		if len(messages) > 1 && size > maxTogether {
			panic("a merge offer holds more than a commit has room for")
		}
		tn.mail = append(tn.mail, func() {
			to := tn.worlds[e.To.User]
			to.nextRef++
			ref := to.nextRef
			to.asks[ref] = func(answer ReplyPeer) {
				tn.worlds[from].step(MergeResult{By: e.To.User, Owner: answer.Owner, Taken: answer.Taken,
					Claims: len(e.Claims)})
			}
			var known []bool
			for _, m := range messages {
				known = append(known, to.known(m.Id))
			}
			to.step(MergeOffer{Ref: ref, From: e.From, User: e.User, Names: e.Names, Claims: e.Claims,
				Messages: messages, Known: known, UserMs: e.UserMs})
		})
	case ReplyPeer:
		if answer := w.asks[e.Ref]; answer != nil {
			delete(w.asks, e.Ref)
			tn.mail = append(tn.mail, func() { answer(e) })
		}
	default:
		return false
	}
	return true
}

func (tn *town) delivered(id string) *wactorv1.Message {
	for _, w := range tn.worlds {
		if m := w.delivered[id]; m != nil {
			return m
		}
	}
	panic("unknown message " + id)
}

// user is who a webhook says has sent a message: it is written in the message's id.
func (tn *town) user(id string) *wactorv1.User {
	parts := strings.Split(id, ":")
	user := &wactorv1.User{}
	for _, name := range strings.Split(parts[1], "+") {
		if strings.HasPrefix(name, "US.") {
			user.UserId = name
		} else {
			user.WaId = name
		}
	}
	return user
}

// deliver delivers a message with a set of identities; the gateway takes it to the first.
func (tn *town) deliver(names ...string) {
	tn.next++
	id := fmt.Sprintf("m%d:%s", tn.next, strings.Join(names, "+"))
	tn.again(id)
}

func (tn *town) again(id string) {
	first, _, _ := strings.Cut(strings.SplitN(id, ":", 2)[1], "+")
	w := tn.worlds[first]
	w.nowMs = tn.nowMs
	if w.delivered[id] == nil {
		w.delivered[id] = &wactorv1.Message{Id: id, Type: "text", Text: id, SentMs: tn.nowMs}
	}
	w.deliverAs(id, w.delivered[id], tn.user(id))
}

// move lets one thing happen; false where nothing can.
func (tn *town) move(pick func(n int) int) bool {
	var moves []func()
	arrive := func(mail *[]func()) {
		for i := range *mail {
			moves = append(moves, func() {
				letter := (*mail)[i]
				*mail = slices.Delete(*mail, i, i+1)
				letter()
			})
		}
	}
	arrive(&tn.onward)
	if !tn.held {
		arrive(&tn.mail)
	}
	for _, name := range tn.names {
		w := tn.worlds[name]
		w.nowMs = tn.nowMs
		switch {
		case len(w.pending) > 0:
			moves = append(moves, func() { w.performOne() })
		case w.call != nil:
			moves = append(moves, w.answer, func() {
				turn := w.call.Turn
				w.call = nil
				w.step(Failed{Turn: turn, Reason: "status 400"})
			})
		case w.inFlight != nil:
			moves = append(moves, func() { w.runProvider(4) })
		}
		if len(w.proposed) > 0 {
			moves = append(moves, func() { w.apply(); w.step(Committed{Revision: w.revision}) })
		}
	}
	if len(moves) == 0 {
		return false
	}
	moves[pick(len(moves))]()
	return true
}

// rest lets everything come to its end.
func (tn *town) rest() {
	for range 200_000 {
		if tn.move(func(int) int { return 0 }) {
			continue
		}
		next := int64(0)
		for _, w := range tn.worlds {
			if w.alarm > tn.nowMs && (next == 0 || w.alarm < next) {
				next = w.alarm
			}
		}
		if next > 0 {
			tn.nowMs = next
			for _, name := range tn.names {
				tn.worlds[name].nowMs = next
				tn.worlds[name].tick()
			}
			continue
		}
		again := false
		for _, w := range tn.worlds {
			for id := range w.delivered {
				if !tn.acked(id) {
					tn.again(id)
					again = true
				}
			}
		}
		if !again {
			return
		}
	}
	panic("the town does not come to rest")
}

func (tn *town) acked(id string) bool {
	for _, w := range tn.worlds {
		if w.acked[id] {
			return true
		}
	}
	return false
}

// retry lets an operator take a dead letter up again; false where there is none of that number.
func (w *world) retry(seq uint64) bool {
	letter := w.letter(seq)
	if letter == nil {
		return false
	}
	w.nextRef++
	w.refs[w.nextRef] = "operator"
	w.step(Retried{Ref: w.nextRef, Letter: letter})
	return true
}

// letters reads all dead letters.
func (w *world) letters() (letters []*wactorv1.DeadLetter) {
	for seq := uint64(1); seq < w.c.ledger.head.NextDead; seq++ {
		if letter := w.letter(seq); letter != nil {
			letters = append(letters, letter)
		}
	}
	return letters
}

// home follows aliases to the conversation of an identity.
func (tn *town) home(name string) string {
	for range len(tn.names) {
		alias := tn.worlds[name].c.identities.aliasOf
		if alias == "" {
			return name
		}
		name = alias
	}
	panic("aliases form a circle")
}

// TestOnePersonIsOneConversation: messages of one person come under phones and BSUIDs in any
// combination and order, with duplicates, and everything crashes at any moment. In the end all
// identities that were seen together lead to one conversation, and each message has exactly one
// fate: a turn, a dead letter, or that a policy absorbed it.
func TestOnePersonIsOneConversation(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { runTown(t, plainConfig(false)) })
	})
	t.Run("policies", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			cfg := drawPolicies(t)
			cfg.Inline = false
			runTown(t, cfg)
		})
	})
}

func runTown(t *rapid.T, cfg Config) {
	names := []string{"4915", "US.a", "4916", "US.b"}
	tn := newTown(cfg, names...)
	kin := map[string]string{}
	for _, name := range names {
		kin[name] = name
	}
	var find func(string) string
	find = func(name string) string {
		if kin[name] == name {
			return name
		}
		return find(kin[name])
	}
	sets := [][]string{{"4915"}, {"US.a"}, {"4915", "US.a"}, {"4916", "US.a"}, {"4916"}, {"US.b"}, {"4916", "US.b"},
		{"4915", "US.b"}}
	t.Repeat(map[string]func(*rapid.T){
		"message": func(t *rapid.T) {
			set := rapid.SampledFrom(sets).Draw(t, "identities")
			for _, other := range set[1:] {
				kin[find(other)] = find(set[0])
			}
			tn.deliver(set...)
		},
		"again": func(t *rapid.T) {
			if tn.next == 0 {
				t.Skip("nothing was sent")
			}
			var ids []string
			for _, w := range tn.worlds {
				for id := range w.delivered {
					ids = append(ids, id)
				}
			}
			slices.Sort(ids)
			tn.again(rapid.SampledFrom(ids).Draw(t, "message"))
		},
		"moves": func(t *rapid.T) {
			for range rapid.IntRange(1, 12).Draw(t, "moves") {
				if !tn.move(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "move") }) {
					return
				}
			}
		},
		"wait": func(*rapid.T) {
			tn.nowMs += 1100
			for _, name := range tn.names {
				tn.worlds[name].nowMs = tn.nowMs
				tn.worlds[name].tick()
			}
		},
		"retry": func(t *rapid.T) {
			w := tn.worlds[rapid.SampledFrom(names).Draw(t, "identity")]
			w.nowMs = tn.nowMs
			if !w.retry(rapid.Uint64Range(1, 4).Draw(t, "dead letter")) {
				t.Skip("no such dead letter")
			}
		},
		"lost letter": func(t *rapid.T) {
			tn.mail, tn.onward = tn.mail[min(1, len(tn.mail)):], tn.onward[min(1, len(tn.onward)):]
		},
		"crash": func(t *rapid.T) {
			w := tn.worlds[rapid.SampledFrom(names).Draw(t, "identity")]
			w.nowMs = tn.nowMs
			w.crash(rapid.IntRange(0, 3).Draw(t, "survive"))
		},
	})
	tn.rest()
	for _, a := range names {
		for _, b := range names {
			met := tn.worlds[a].c.Revision() > 0
			if find(a) == find(b) && met && tn.worlds[b].c.Revision() > 0 && tn.home(a) != tn.home(b) {
				t.Fatalf("%s and %s are one person, and lead to %s and %s", a, b, tn.home(a), tn.home(b))
			}
		}
	}
	tn.checkFates(t)
}

func (tn *town) checkFates(t *rapid.T) {
	fates := map[string]int{}
	for _, name := range tn.names {
		w := tn.worlds[name]
		for _, letter := range w.letters() {
			for _, m := range letter.Messages {
				fates[m.Id]++
			}
		}
		if !w.c.Idle() || len(w.refs) > 0 {
			t.Fatalf("%s is not at rest: %d deliveries open", name, len(w.refs))
		}
		accepted := map[uint64]string{}
		var version uint64
		for _, e := range w.journal() {
			switch e.Kind {
			case wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED:
				accepted[e.MessageSeq] = e.MessageId
			case wactorv1.JournalKind_JOURNAL_KIND_TURN:
				if version++; e.VersionAfter != version {
					t.Fatalf("%s: turn %d follows %d", name, e.VersionAfter, version-1)
				}
				for _, seq := range e.MessageSeqs {
					fates[accepted[seq]]++
				}
			case wactorv1.JournalKind_JOURNAL_KIND_ABSORBED:
				if e.Reason != reasonMerged {
					fates[accepted[e.MessageSeqs[0]]]++
				}
			}
		}
	}
	for _, w := range tn.worlds {
		for id := range w.delivered {
			if fates[id] != 1 {
				for _, name := range tn.names {
					t.Logf("%s: %v", name, tn.worlds[name].c.ledger.head)
					for _, e := range tn.worlds[name].journal() {
						t.Logf("  %s", describeEntry(tn.worlds[name], e))
					}
				}
				t.Fatalf("message %s has %d fates", id, fates[id])
			}
		}
	}
}
