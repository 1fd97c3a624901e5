package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/simulate"
)

// slowBot answers once for all messages of a turn, after it thought, as examples/slow-bot does.
func slowBot(t *testing.T, thinks time.Duration) (url string) {
	t.Helper()
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var turn struct {
			State    struct{ Turns int }
			Messages []struct{ Text string }
		}
		if err := json.NewDecoder(r.Body).Decode(&turn); err != nil {
			t.Error(err)
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
	}))
	t.Cleanup(bot.Close)
	return bot.URL
}

// TestKilledUnderPolicies kills the server with -9 while users write as people do: bursts to a slow
// bot that merges them or is interrupted, drumming on buttons, phones that are withheld, numbers
// that change. WACTOR_KILLS sets the number of kills of each.
func TestKilledUnderPolicies(t *testing.T) {
	needSystem(t)
	kills, err := strconv.Atoi(os.Getenv("WACTOR_KILLS"))
	if err != nil {
		kills = 1
	}
	const each = 1200 * time.Millisecond
	slow := func(t *testing.T, burst string) *server {
		return newServerOf(t, fmt.Sprintf("{ http: { url: %q }, burst: %s, retry: { min: 50ms } }",
			slowBot(t, 150*time.Millisecond), burst))
	}
	bursts := func(o *simulate.Options) {
		o.Pattern, o.Gap, o.Media, o.Messages, o.Duration = simulate.Burst, 100*time.Millisecond, 30, 5,
			time.Duration(kills+1)*each
	}
	for name, c := range map[string]struct {
		server func(t *testing.T) *server
		load   func(o *simulate.Options)
		merges bool
	}{
		"merge": {func(t *testing.T) *server { return slow(t, "{ policy: merge, quiet: 60ms }") }, bursts, true},
		"interrupt": {func(t *testing.T) *server { return slow(t, "{ policy: interrupt, quiet: 60ms }") }, bursts,
			true},
		// A tap that comes again after a restart is one too, however long that takes here.
		"taps": {func(t *testing.T) *server {
			return newServerOf(t, fmt.Sprintf("{ flow: %q, debounce: 1m }", counterFlow(t)))
		}, func(o *simulate.Options) {
			o.Pattern, o.Duration = simulate.Taps,
				time.Duration(kills+1)*each
		}, false},
		"hidden": {newServer, func(o *simulate.Options) {
			o.Names, o.Rate, o.Messages = simulate.NamesHidden, 200,
				6+6*kills
		}, false},
		"changing": {newServer, func(o *simulate.Options) {
			o.Names, o.Rate, o.Messages = simulate.NamesChanging, 200,
				6+6*kills
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.server(t)
			s.start(t)
			options := simulate.Options{
				Target: simulate.Target{URL: "http://" + s.http + "/webhooks/shop",
					PhoneNumberID: "100000000000001", AppSecret: "simulate-app-secret"},
				API: simulate.API{Graph: s.graph, AccessToken: "token", Statuses: []string{"sent", "delivered"}},
				Load: simulate.Load{Users: 40, Messages: 8, Pattern: simulate.Pairs, FirstUser: 4915100000001,
					Duplicates: 20, Concurrency: 40, Seed: uint64(time.Now().UnixNano())},
				GiveUp: time.Minute, Settle: 30 * time.Second, AllowResent: true,
			}
			c.load(&options)
			report := s.survive(t, options, kills, each)
			if report.Accepted != report.Messages || c.merges != (report.Replies < report.Replied) {
				t.Errorf("seed %d: %d of %d accepted, %d answered in %d replies", options.Seed, report.Accepted,
					report.Messages, report.Replied, report.Replies)
			}
		})
	}
}
