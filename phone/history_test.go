package phone

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestHistoryIsBounded(t *testing.T) {
	h := newHistory(time.Now())
	for i := range maxEvents + 10 {
		h.add("1", Event{Kind: KindSent, ID: fmt.Sprint(i)})
	}
	if n := len(h.threads["1"].events); n != maxEvents || len(h.authors) != maxEvents {
		t.Errorf("%d events, %d authors", n, len(h.authors))
	}
	large := json.RawMessage(`"` + strings.Repeat("a", maxBytes/3) + `"`)
	for i := range 9 {
		h.add("2", Event{Kind: KindReply, ID: fmt.Sprint("large", i), Content: large})
	}
	if thread := h.threads["2"]; len(thread.events) != 2 || thread.bytes > maxBytes {
		t.Errorf("%d large events, %d bytes", len(thread.events), thread.bytes)
	}
	for i := range maxUsers {
		h.add(fmt.Sprint("user", i), Event{Kind: KindSent, ID: fmt.Sprint("user", i)})
	}
	if len(h.threads) != maxUsers || len(h.order) != maxUsers || len(h.authors) != maxUsers {
		t.Errorf("%d threads, %d in order, %d authors", len(h.threads), len(h.order), len(h.authors))
	}
}

func TestSinceReturnsWhatFollows(t *testing.T) {
	h := newHistory(time.Now())
	first := h.seq
	for i := range 6 {
		h.add(fmt.Sprint(i%2), Event{Kind: KindSent, ID: fmt.Sprint(i)})
	}
	for skip := range uint64(8) {
		events, listener := h.since(first + skip)
		h.leave(listener)
		h.leave(listener)
		var got []string
		for _, e := range events {
			got = append(got, e.ID)
		}
		if want := "012345"[min(skip, 6):]; strings.Join(got, "") != want {
			t.Errorf("after %d: %v, want %s", skip, got, want)
		}
	}
	if len(h.listeners) != 0 {
		t.Errorf("%d listeners are left", len(h.listeners))
	}
}

func TestLaterHistoryContinuesTheNumbers(t *testing.T) {
	now := time.Now()
	before := newHistory(now)
	before.add("1", Event{})
	after := newHistory(now.Add(time.Second))
	after.add("1", Event{})
	if events, _ := after.since(before.seq); len(events) != 1 || events[0].Seq > 1<<53 {
		t.Errorf("a page that was open before sees %v", events)
	}
}

func TestSlowListenerIsCutOff(t *testing.T) {
	h := newHistory(time.Now())
	_, listener := h.since(0)
	for range maxBehind + 1 {
		h.add("1", Event{Kind: KindSent})
	}
	n := 0
	for range listener {
		n++
	}
	if n != maxBehind || len(h.listeners) != 0 {
		t.Errorf("it received %d events, %d listeners are left", n, len(h.listeners))
	}
}

func TestListenersAreBounded(t *testing.T) {
	h := newHistory(time.Now())
	for range maxListeners {
		if _, listener := h.since(0); listener == nil {
			t.Fatal("a page is refused too early")
		}
	}
	if _, listener := h.since(0); listener != nil {
		t.Error("there is no bound")
	}
	h.close()
	if _, listener := h.since(0); len(listener) != 0 || len(h.listeners) != 0 {
		t.Error("a closed history has listeners")
	}
}
