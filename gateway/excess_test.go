package gateway

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/provider"
)

// flood is a webhook with many messages of one user, and one of each of five others.
func flood(messages int) string {
	parts := make([]string, 0, messages+5)
	for i := range messages {
		parts = append(parts, text("49150", fmt.Sprintf("wamid.%030d", i)))
	}
	for i := range 5 {
		parts = append(parts, text(fmt.Sprint("4916", i), fmt.Sprint("wamid.other", i)))
	}
	return envelope(change("111", parts...))
}

// TestFloodInOneWebhookHoldsNoUserHostage: what an inbox can never take at once is kept in one dead
// letter, so that the provider's next try ends, and the others' messages are not sent again for a
// week.
func TestFloodInOneWebhookHoldsNoUserHostage(t *testing.T) {
	r := &router{}
	if response := post(newGateway(r, nil), "/webhooks/shop", "new", flood(9000)); response.Code != 200 {
		t.Fatalf("status %d", response.Code)
	}
	of := map[conversation.ID]int{}
	var letter []byte
	for _, d := range r.got {
		if of[d.To]++; d.To.User == provider.UnreadUser {
			letter = d.Message().Raw
		}
	}
	if got := of[conversation.ID{Channel: "shop", User: "49150"}]; got != 1000 {
		t.Errorf("the user gets %d messages, want 1000", got)
	}
	for i := range 5 {
		if got := of[conversation.ID{Channel: "shop", User: fmt.Sprint("4916", i)}]; got != 1 {
			t.Errorf("another user gets %d messages", got)
		}
	}
	if got := of[conversation.ID{Channel: "shop", User: provider.UnreadUser}]; got != 1 {
		t.Errorf("%d dead letters, want 1", got)
	}
	var kept []map[string]any
	if err := json.Unmarshal(letter, &kept); err != nil || len(kept) < 1000 || len(letter) > maxExcess {
		t.Errorf("the letter holds %d messages in %d bytes: %v", len(kept), len(letter), err)
	}
	again := &router{}
	post(newGateway(again, nil), "/webhooks/shop", "new", flood(9000))
	if last, first := again.got[len(again.got)-1].Message(), r.got[len(r.got)-1].Message(); last.Id != first.Id {
		t.Error("the letter of the next try has another id")
	}
}

// TestUnreadPiecesAreFolded: a webhook of ten thousand pieces that can't be read makes a hundred
// and one dead letters.
func TestUnreadPiecesAreFolded(t *testing.T) {
	var pieces []string
	for i := range 9000 {
		pieces = append(pieces, fmt.Sprintf(`{"x":%d}`, i))
	}
	r := &router{}
	if response := post(newGateway(r, nil), "/webhooks/shop", "new",
		envelope(change("111", pieces...))); response.Code != 200 {
		t.Fatalf("status %d", response.Code)
	}
	if len(r.got) != maxUnread+1 || !strings.Contains(r.got[maxUnread].Message().Text, "8900 pieces") {
		t.Errorf("%d dead letters", len(r.got))
	}
}

// TestWebhookTakesFiveTimesItsBody: what is made of a webhook stays within five times its bytes.
func TestWebhookTakesFiveTimesItsBody(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates beside the program")
	}
	body := []byte(flood(9000))
	g := newGateway(&router{}, nil)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nothing is freed between the two looks
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out := g.sort(g.setup.Load(), g.setup.Load().byName["shop"], nil, body, time.Now())
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 5*uint64(len(body)) {
		t.Errorf("%d deliveries of %d bytes took %d bytes, %.1f times the body", len(out), len(body), took,
			float64(took)/float64(len(body)))
	}
}
