package actors

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestLongChainOfAliasesLeadsToItsEnd: a hundred numbers of one person, each with a conversation
// that is older than that of the number before, were linked one by one. What is delivered to the
// first arrives at the last, once.
func TestLongChainOfAliasesLeadsToItsEnd(t *testing.T) {
	const links = 100
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		b := start(t, store, inlineCounter{}, nil)
		defer b.stop()
		name := func(i int) string { return fmt.Sprintf("49151%04d", i) }
		deliver := func(i int, id, other string) *outcome {
			return b.deliverFrom(name(i), &wactorv1.User{Id: name(i), WaId: name(i), UserId: other}, id, id)
		}
		for i := range links + 1 { // the later, the younger
			deliver(i, fmt.Sprint("first", i), "").want(t, conversation.Accepted, nil)
			time.Sleep(time.Millisecond)
		}
		for i := links; i > 0; i-- {
			deliver(i, fmt.Sprint("link", i), name(i-1)).want(t, conversation.Accepted, nil)
			time.Sleep(5 * time.Second)
		}
		before := len(b.phone.texts(name(0)))
		deliver(links, "m", "").want(t, conversation.Accepted, nil)
		deliver(links, "m", "").want(t, conversation.Duplicate, nil)
		// One in the middle took this one, before it became an alias itself.
		deliver(links, fmt.Sprint("link", links/2), "").want(t, conversation.Duplicate, nil)
		time.Sleep(time.Second)
		if got := len(b.phone.texts(name(0))) - before; got != 1 {
			t.Errorf("%d replies to the message that all the aliases forward", got)
		}
	})
}
