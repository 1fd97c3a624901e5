//go:build linux

package system_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Beside the counter's channel each cluster has two of a slow bot, which the tests that want it let
// run: merge and interrupt are the names of the channels and of the policies of their bots.

const slowAddress = loadAddress + ":3000"

// slowNumbers are their phone number ids.
var slowNumbers = map[string]string{"merge": "100000000000002", "interrupt": "100000000000003"}

func slowChannels() (out string) {
	for name, number := range slowNumbers {
		out += fmt.Sprintf(`  - { name: %s, provider: whatsapp_cloud, phone_number_id: %q, verify_token: verify, app_secret: %s, access_token: token,
      graph_url: "http://%s:9090", bot: %[1]s, in_doubt: { wait: 1s, max: 1s }, pace: off }
`, name, number, appSecret, loadAddress)
	}
	return out
}

func slowBots() (out string) {
	for name := range slowNumbers {
		out += fmt.Sprintf("  %s: { http: { url: http://%s/ }, burst: { policy: %[1]s, quiet: 100ms }, retry: { min: "+
			"50ms } }\n", name, slowAddress)
	}
	return out
}

// runSlowBot runs a bot until the test ends that thinks for a while, and answers once for all
// messages of a turn.
func runSlowBot(t *testing.T) {
	t.Helper()
	const thinks = 200 * time.Millisecond
	listener, err := net.Listen("tcp", slowAddress)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var turn struct {
			State    struct{ Turns int }
			Messages []struct{ Text string }
		}
		if json.NewDecoder(r.Body).Decode(&turn) != nil {
			w.WriteHeader(http.StatusInternalServerError) // its node was killed
			return
		}
		select {
		case <-time.After(thinks):
		case <-r.Context().Done():
			return
		}
		var texts []string
		for _, m := range turn.Messages {
			texts = append(texts, m.Text)
		}
		n := turn.State.Turns + 1
		fmt.Fprintf(w, `{"state":{"turns":%d},"replies":[{"text":"step %d: %s"}]}`, n, n, strings.Join(texts, " | "))
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
}

// TestPolicies kills nodes, and with them leaders, while users write as people do: bursts to a slow
// bot that merges them or is interrupted, drumming on buttons, phones that are withheld.
func TestPolicies(t *testing.T) {
	r := newRounds(t)
	c := startCluster(t, r.nodes)
	runSlowBot(t)
	bursts := []string{"--pattern", "burst", "--gap", "200ms", "--messages", "5", "--media", "30", "--concurrency",
		"100"}
	for _, p := range []people{
		{channel: "merge", flags: append(bursts, "--phone-number-id", slowNumbers["merge"]), merged: true,
			first: firstUser},
		{channel: "interrupt", flags: append(bursts, "--phone-number-id", slowNumbers["interrupt"]), merged: true,
			first: firstUser},
		{channel: "shop", flags: []string{"--messages", "2", "--pattern", "taps", "--concurrency", "50"},
			first: firstUser},
		{channel: "shop", flags: append(r.pairs(), "--names", "hidden"), prefix: "DE.1", first: firstUser + manyUsers},
	} {
		name := p.channel
		switch {
		case p.prefix != "":
			name = "hidden"
		case p.channel == "shop":
			name = "taps"
		}
		t.Run(name, func(t *testing.T) {
			rounds := *r
			rounds.people = p
			var faults []fault
			for range max(1, r.count/3) {
				faults = append(faults, killing(r.pick(c), r.between(time.Second, 3*time.Second)))
			}
			rounds.endure(t, c, faults)
		})
	}
}
