package gateway

import (
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
)

// asked are the ids of what the router got so far, in order.
func (r *router) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, d := range r.got {
		ids = append(ids, d.Message().Id)
	}
	return ids
}

// end ends the delivery of a message.
func (r *router) end(t *testing.T, id string, verdict conversation.Verdict, err error) {
	t.Helper()
	r.mu.Lock()
	at := slices.IndexFunc(r.got, func(d delivered) bool { return d.Message().Id == id })
	r.mu.Unlock()
	if at < 0 {
		t.Fatalf("%s was not delivered; %v were", id, r.asked())
	}
	r.got[at].done(delivery.Outcome{Verdict: verdict, Err: err})
}

// TestOneUserOneAfterTheOther: what one webhook brings of a user is never taken in another order,
// whatever happens to its first message on the way.
func TestOneUserOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &router{silent: true}
		g := newGateway(r, nil)
		want := func(ids ...string) {
			t.Helper()
			synctest.Wait()
			if got := r.asked(); !slices.Equal(got, ids) {
				t.Errorf("delivered %v, want %v", got, ids)
			}
		}
		response := make(chan *httptest.ResponseRecorder)
		body := envelope(change("111", text("1", "a"), text("2", "p"), text("1", "b"), text("1", "c"), text("2", "q")))
		go func() { response <- post(g, "/webhooks/shop", "new", body) }()
		want("a", "p")
		r.end(t, "a", conversation.Duplicate, nil)
		want("a", "p", "b")
		r.end(t, "p", 0, delivery.ErrNotLeader)
		want("a", "p", "b") // q would overtake p
		r.end(t, "b", conversation.Accepted, nil)
		want("a", "p", "b", "c")
		r.end(t, "c", conversation.Accepted, nil)
		if got := <-response; got.Code != 503 {
			t.Errorf("status %d", got.Code)
		}
	})
}

// TestNothingIsTriedAfterTheAnswer: once a webhook is answered, what is left of it is not begun any
// more.
func TestNothingIsTriedAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &router{silent: true}
		g := newGateway(r, func(o *Options) { o.Timeout = time.Second })
		if got := post(g, "/webhooks/shop", "new", envelope(change("111", text("1", "a"),
			text("1", "b")))); got.Code != 503 {
			t.Errorf("status %d", got.Code)
		}
		r.end(t, "a", conversation.Accepted, nil)
		if got := r.asked(); len(got) != 1 {
			t.Errorf("delivered %v", got)
		}
	})
}
