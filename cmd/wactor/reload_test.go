package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wactor/wactor/simulate"
)

// TestReloadUnderLoad changes rules and reloads, by the command and by SIGHUP, while users write:
// every webhook is answered 200 at its first try, and every message once, in order. A mistake
// changes nothing, and the command says so.
func TestReloadUnderLoad(t *testing.T) {
	s := newServer(t)
	s.start(t)
	source, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan *simulate.Report, 1)
	go func() {
		report, err := simulate.Run(context.Background(), simulate.Options{
			Target: simulate.Target{URL: "http://" + s.http + "/webhooks/shop", PhoneNumberID: "100000000000001",
				AppSecret: "simulate-app-secret"},
			API: simulate.API{Graph: s.graph, AccessToken: "token", Statuses: []string{"sent"}},
			Load: simulate.Load{Users: 20, Messages: 20, Pattern: simulate.Steady, Names: simulate.NamesMixed,
				FirstUser: 4915100000001, Concurrency: 16, Rate: 100, Seed: 1},
			GiveUp: time.Minute, Settle: 30 * time.Second,
		})
		if err != nil {
			t.Error(err)
		}
		done <- report
	}()
	var report *simulate.Report
	for i := 0; report == nil; i++ {
		debounce := []string{"debounce: 1s }", "debounce: 2s }"}[i%2]
		save(t, s.config, strings.TrimSuffix(strings.TrimSpace(string(source)), "}")+", "+debounce+"\n")
		out, problems, code := runMain(t, t.TempDir(), "reload", "--admin", s.admin)
		if code != 0 || !strings.Contains(out, "node-1: changed: bots.bot.debounce") {
			t.Fatalf("reload: %s%s, exit status %d", out, problems, code)
		}
		if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		select {
		case report = <-done:
		case <-time.After(300 * time.Millisecond):
		}
	}
	if len(report.Posts) != 1 || report.Posts["200"] == 0 {
		t.Errorf("webhooks were answered %v", report.Posts)
	}
	if violations := report.Lost + report.Doubled + report.Raced + report.OutOfOrder; violations > 0 {
		t.Errorf("%d violations: %+v", violations, report)
	}
	save(t, s.config, string(source)+"bogus: 1\n")
	_, problems, code := runMain(t, t.TempDir(), "reload", "--admin", s.admin)
	if code != 1 || !strings.Contains(problems, "bogus: unknown key") {
		t.Errorf("a mistake: %s, exit status %d", problems, code)
	}
}
