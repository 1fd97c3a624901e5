package gateway

import (
	"net/http"
	"testing"
)

// TestChannelsAndLimitsAreReplacedTogether: a channel that is gone is unknown, a new one is served,
// and the new bound holds for the next webhook.
func TestChannelsAndLimitsAreReplacedTogether(t *testing.T) {
	g := newGateway(&router{}, func(*Options) {})
	first := g.setup.Load()
	renamed := *first.byName["shop"]
	renamed.Name = "store"
	g.Set([]Channel{renamed}, Limits{MaxBody: 10})
	now := g.setup.Load()
	if now.byName["shop"] != nil || now.byName["store"] == nil || now.MaxMessages != 1000 {
		t.Fatalf("channels %v, limits %+v", now.byName, now.Limits)
	}
	for path, want := range map[string]int{"/webhooks/shop": http.StatusNotFound,
		"/webhooks/store": http.StatusRequestEntityTooLarge} {
		if got := post(g, path, "new", envelope(change("1", text("4915100000001", "m1")))).Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}
