package conversation

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// identities says who the user is and whose conversation this is. Of the head it owns the user,
// when that was reported, and the links to other identities.
//
// One person may come under several identities: a phone number, a BSUID, and new ones of either
// after a change. Each identity has a record of its own, at its own place. Where a webhook tells
// that two belong to one person, one of them becomes an alias: a record that says to which
// conversation it belongs, and forwards what still arrives for it.
//
// There is no transaction over two records. The conversation that sees a new identity writes down
// that it claims it, sends it a resolve request, and runs no turn until it has the reply; each
// reply is a commit of the one that replies, and a repeated request yields the same. Where both are
// conversations the older one stays, by an order that both sides compute alike, and the other is
// merged into it.
type identities struct {
	ledger *ledger
	user   *wactorv1.User
	// userMs is the provider's time of the newest webhook that named the user.
	userMs int64
	// aliasOf is set where this is only a name of another conversation, yieldsTo while this one is
	// merged into an older one.
	aliasOf, yieldsTo string
	// names are the user's other identities, claims those that have not answered yet.
	names, claims []string
	linking       linking
}

// linking is how far the questions about other identities are.
type linking struct {
	// againMs is when resolve requests, or the merge offer, are sent again.
	againMs int64
	// settled are the claimed identities that take no messages of their own any more; unlinked
	// answer messages that tell of new identities, once all are.
	settled  []string
	unlinked []response
}

// linkAgainMs is how long a reply is awaited.
const linkAgainMs = 1000

// notYet is the owner of an identity while that is not known.
const notYet = ""

func (i *identities) load(h *wactorv1.Head) {
	i.user, i.userMs, i.aliasOf, i.yieldsTo, i.names, i.claims =
		h.User, h.ToldMs, h.AliasOf, h.YieldsTo, h.Names, h.Claims
}

func (i *identities) save(h *wactorv1.Head) {
	h.User, h.ToldMs, h.AliasOf, h.YieldsTo, h.Names, h.Claims =
		i.user, i.userMs, i.aliasOf, i.yieldsTo, i.names, i.claims
}

// open reports whether it is open to whom this conversation belongs: no turn runs then.
func (i *identities) open() bool { return len(i.claims) > 0 || i.yieldsTo != "" }

// alias reports whether this is only a name of another conversation.
func (i *identities) alias() bool { return i.aliasOf != "" }

func (i *identities) sibling(user string) ID { return ID{Channel: i.ledger.id.Channel, User: user} }

// now lets what waits be asked in this step.
func (i *identities) now() { i.linking.againMs = i.ledger.nowMs }

// wakeMs is when something is to be asked again; 0 where nothing is.
func (i *identities) wakeMs() int64 {
	if i.open() && i.linking.againMs > i.ledger.nowMs {
		return i.linking.againMs
	}
	return 0
}

// claim claims the identities that a webhook tells besides this one.
func (i *identities) claim(names ...string) {
	for _, name := range names {
		known := name == "" || name == i.ledger.id.User || name == i.yieldsTo ||
			slices.Contains(i.names, name) || slices.Contains(i.claims, name)
		if !known {
			i.claims = append(i.claims, name)
			i.ledger.touch()
			i.now()
		}
	}
}

// request sends each claimed identity a resolve request, again and again until all have replied.
func (i *identities) request() {
	if len(i.claims) == 0 || i.yieldsTo != "" || i.ledger.committing() || i.ledger.nowMs < i.linking.againMs {
		return
	}
	for _, name := range i.claims {
		i.ledger.effect(RequestResolve{To: i.sibling(name), By: i.ledger.id.User, CreatedMs: i.ledger.head.CreatedMs})
	}
	i.linking.againMs = i.ledger.nowMs + linkAgainMs
}

// resolveRequest replies to whom this identity belongs. One that no message has used becomes an
// alias of the first one that asks. A younger conversation sends no owner to the one that it is
// merged into: that one waits until it has taken everything.
func (i *identities) resolveRequest(e ResolveRequest) {
	owner := notYet
	switch {
	case i.alias():
		owner = i.aliasOf
	case i.ledger.chain.revision == 0:
		i.aliasOf, owner = e.By, e.By
		i.ledger.note(linked("a name of another conversation"))
	case i.yieldsTo == e.By:
	case i.yieldsTo != "":
		owner = i.yieldsTo
	case i.olderThan(e.By, e.CreatedMs) && !planted.Is(planted.BothYield):
		owner = i.ledger.id.User
	default:
		i.yield(e.By)
	}
	reply := ReplyPeer{Ref: e.Ref, Owner: owner}
	if planted.Is(planted.ResolvedBeforeCommit) {
		i.ledger.effect(reply)
		return
	}
	i.ledger.whenApplied(reply)
}

// olderThan is the order in which conversations that turn out to be one user's yield to each other.
func (i *identities) olderThan(user string, createdMs int64) bool {
	if created := i.ledger.head.CreatedMs; created != createdMs {
		return created < createdMs
	}
	return i.ledger.id.User < user
}

// unsettled reports whether a claimed identity may still take messages of its own. One that is
// merged into this one does not, nor does this one once it is merged itself.
func (i *identities) unsettled() bool {
	return i.yieldsTo == "" && slices.ContainsFunc(i.claims, func(name string) bool {
		return !slices.Contains(i.linking.settled, name)
	})
}

// hold keeps the answer to a report of new identities back until answerLinked; false where there is
// nothing to wait for.
func (i *identities) hold(ref uint64, verdict Verdict) bool {
	if !i.unsettled() {
		return false
	}
	i.linking.unlinked = append(i.linking.unlinked, response{ref: ref, verdict: verdict})
	return true
}

// answerLinked answers what reported new identities once they are settled: a message under one of
// them that is posted behind the answer must not begin a conversation of its own. It does not wait
// until they are merged, which may take as long as a provider is down.
func (i *identities) answerLinked() {
	if len(i.linking.unlinked) == 0 || i.unsettled() {
		return
	}
	for _, r := range i.linking.unlinked {
		i.ledger.whenApplied(Respond{Ref: r.ref, Verdict: r.verdict})
	}
	i.linking.unlinked = nil
}

// resolveReply takes the reply of a claimed identity.
func (i *identities) resolveReply(e ResolveReply) {
	at := slices.Index(i.claims, e.Name)
	if at < 0 || i.yieldsTo != "" {
		return
	}
	switch {
	case e.Owner == notYet:
		i.linking.settled = append(i.linking.settled, e.Name)
		return
	case e.Owner == i.ledger.id.User || slices.Contains(i.names, e.Owner):
		i.claims = slices.Delete(i.claims, at, at+1)
		i.names = append(i.names, e.Name)
		i.ledger.note(linked("another name of the user leads here"))
	case e.Owner == e.Name:
		i.yield(e.Name) // it is a conversation, and older
	default:
		// It is a name of a third one, which is the user's too: that one is asked instead. The name
		// leads there already.
		i.claims = slices.Delete(i.claims, at, at+1)
		if !slices.Contains(i.claims, e.Owner) {
			i.claims = append(i.claims, e.Owner)
		}
		i.ledger.touch()
	}
	i.now()
}

func linked(reason string) *wactorv1.JournalEntry {
	return &wactorv1.JournalEntry{Kind: wactorv1.JournalKind_JOURNAL_KIND_LINKED, Reason: reason}
}

// greet updates what is known of the user by a webhook of a time. The user is replaced, never
// changed: a turn and a send under way read the old one.
func (i *identities) greet(user *wactorv1.User, userMs int64) {
	known := i.user
	if known == nil {
		i.ledger.begin()
	}
	now := filled(known, user)
	if userMs/1000 >= i.userMs/1000 { // the provider knows whole seconds: within one the later arrival counts
		now = learned(known, user)
		i.userMs = max(userMs, i.userMs)
	}
	now.Id = i.ledger.id.User
	if !proto.Equal(known, now) {
		i.user = now
	}
}

// begin begins a conversation with a user who has not written: all that is known is the identity.
func (i *identities) begin() {
	if i.user != nil {
		return
	}
	user := &wactorv1.User{}
	if id := i.ledger.id.User; digits(id) {
		user.WaId = id
	} else {
		user.UserId = id
	}
	i.greet(user, 0)
}

// digits reports whether an identity is a phone number: BSUIDs begin with letters.
func digits(id string) bool {
	return !strings.ContainsFunc(id, func(r rune) bool { return r < '0' || r > '9' })
}

// learned is what is known after a webhook. What it leaves out was not unlearned: WhatsApp
// withholds phones and tells them again. But a BSUID changes with the phone number, so with a new
// one the phone is another, too, and the old may be a stranger's.
func learned(known, reported *wactorv1.User) *wactorv1.User {
	now := &wactorv1.User{WaId: reported.GetWaId(), UserId: reported.GetUserId(), Name: reported.GetName(),
		Username: reported.GetUsername()}
	renamed := known.GetUserId() != "" && now.UserId != "" && now.UserId != known.GetUserId()
	if now.WaId == "" && !renamed {
		now.WaId = known.GetWaId()
	}
	if now.UserId == "" {
		now.UserId = known.GetUserId()
	}
	if now.Name == "" {
		now.Name = known.GetName()
	}
	if now.Username == "" {
		now.Username = known.GetUsername()
	}
	return now
}

// filled is what is known after a webhook that is older than what is known already: it may be from
// before a change of the number, so it only fills what was never known, and a phone only beside the
// same BSUID.
func filled(known, reported *wactorv1.User) *wactorv1.User {
	now := &wactorv1.User{WaId: known.GetWaId(), UserId: known.GetUserId(), Name: known.GetName(),
		Username: known.GetUsername()}
	if now.UserId == "" {
		now.UserId = reported.GetUserId()
	}
	if now.WaId == "" && now.UserId == reported.GetUserId() {
		now.WaId = reported.GetWaId()
	}
	if now.Name == "" {
		now.Name = reported.GetName()
	}
	if now.Username == "" {
		now.Username = reported.GetUsername()
	}
	return now
}
