package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/wactor/wactor/internal/freeport"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
	"github.com/wactor/wactor/simulate"
)

// TestMain lets the test's own binary be the program, so that a test can kill a real process.
func TestMain(m *testing.M) {
	if os.Getenv("WACTOR_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// needSystem skips a test that needs the machine for itself, unless WACTOR_SYSTEM is set: one that
// kills a loaded process, or a browser, which takes its time. make system runs them.
func needSystem(t *testing.T) {
	t.Helper()
	if os.Getenv("WACTOR_SYSTEM") == "" {
		t.Skip("make system runs it, or WACTOR_SYSTEM=1")
	}
}

// server is a process of `wactor serve` with the counter flow.
type server struct {
	config, http, admin, graph string
	program                    string // that of this checkout where it is empty
	process                    *exec.Cmd
}

// newServer makes a server whose bot is the counter flow.
func newServer(t *testing.T) *server {
	t.Helper()
	return newServerOf(t, fmt.Sprintf("{ flow: %q }", counterFlow(t)))
}

func counterFlow(t *testing.T) (path string) {
	t.Helper()
	path, err := filepath.Abs("../../examples/counter/flow.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// newServerOf makes a server with a bot, as its configuration says, and with these keys of its
// channel. Without any it resolves in-doubt replies soon, and sends as fast as it can.
func newServerOf(t *testing.T, bot string, channel ...string) *server {
	t.Helper()
	if len(channel) == 0 {
		channel = []string{"in_doubt: { wait: 1s, max: 1s }", "pace: off"}
	}
	s := &server{http: freeport.Address(t), admin: freeport.Address(t), graph: freeport.Address(t)}
	s.configure(t, "node-1", "", bot, channel...)
	return s
}

// configure writes the configuration of a server that does not run, into a folder of its own. More
// are further lines at its top.
func (s *server) configure(t *testing.T, name, more, bot string, channel ...string) {
	t.Helper()
	s.config = filepath.Join(t.TempDir(), "wactor.yaml")
	source := fmt.Sprintf(`
node: { name: %s, data_dir: data }
listen: { http: %q, admin: %q }
%schannels:
  - name: shop
    provider: whatsapp_cloud
    phone_number_id: "100000000000001"
    verify_token: verify
    app_secret: simulate-app-secret
    access_token: token
    graph_url: http://%s
    bot: bot
    %s
bots:
  bot: %s
`, name, s.http, s.admin, more, s.graph, strings.Join(channel, "\n    "), bot)
	if err := os.WriteFile(s.config, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
}

// start starts the process and returns how long it took until it was ready.
func (s *server) start(t *testing.T) time.Duration {
	t.Helper()
	begin := time.Now()
	s.launch(t)
	s.awaitReady(t)
	return time.Since(begin)
}

func (s *server) launch(t *testing.T) {
	t.Helper()
	program := s.program
	if program == "" {
		program = os.Args[0]
	}
	s.process = exec.Command(program, "serve", "-c", s.config)
	s.process.Env = append(os.Environ(), "WACTOR_TEST_MAIN=1")
	s.process.Stderr = t.Output()
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
}

func (s *server) awaitReady(t *testing.T) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(5 * time.Millisecond) {
		response, err := http.Get("http://" + s.admin + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatal("the server does not get ready")
}

// stopped ends the process as an operator does, and waits for it.
func (s *server) stopped() {
	if s.process != nil {
		_ = s.process.Process.Signal(os.Interrupt)
		_ = s.process.Wait()
		s.process = nil
	}
}

// kill ends the process as a crash does.
func (s *server) kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}

// TestKilledUnderLoad kills the server with -9 again and again while users write in pairs, with
// duplicates and swaps. Nothing may be lost, doubled, raced or out of order; a reply may come twice
// only where its conversation noted it as in doubt. WACTOR_KILLS sets the number of kills.
func TestKilledUnderLoad(t *testing.T) {
	needSystem(t)
	kills, err := strconv.Atoi(os.Getenv("WACTOR_KILLS"))
	if err != nil {
		kills = 3
	}
	s := newServer(t)
	s.start(t)
	const users, rate, each = 200, 600, 1200 * time.Millisecond
	options := simulate.Options{
		Target: simulate.Target{URL: "http://" + s.http + "/webhooks/shop", PhoneNumberID: "100000000000001",
			AppSecret: "simulate-app-secret"},
		API: simulate.API{Graph: s.graph, AccessToken: "token", Statuses: []string{"sent", "delivered"}},
		Load: simulate.Load{
			Users: users, Messages: 2 * (1 + int(rate*each.Seconds()*float64(kills+1))/users/2),
			Pattern: simulate.Pairs, Names: simulate.NamesMixed, FirstUser: 4915100000001,
			Duplicates: 20, Swaps: 10, Concurrency: 64, Rate: rate, Seed: uint64(time.Now().UnixNano()),
		},
		GiveUp: time.Minute, Settle: 30 * time.Second, AllowResent: true,
	}
	t.Logf("seed %d, %d messages, %d kills", options.Seed, users*options.Messages, kills)
	report := s.survive(t, options, kills, each)
	if report.Accepted != users*options.Messages {
		t.Errorf("%d of %d accepted", report.Accepted, users*options.Messages)
	}
	for _, c := range s.traces(t, options) {
		if c.Version != uint64(options.Messages) {
			t.Errorf("version %d of %d", c.Version, options.Messages)
		}
	}
}

// survive kills the server again and again while users write, and holds the outcome to the
// promises: nothing lost, doubled, raced or out of order, no dead letter; a reply comes twice only
// where its conversation noted it as in doubt.
func (s *server) survive(t *testing.T, options simulate.Options, kills int, each time.Duration) *simulate.Report {
	t.Helper()
	type outcome struct {
		report *simulate.Report
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		report, err := simulate.Run(context.Background(), options)
		done <- outcome{report, err}
	}()
	for range kills {
		time.Sleep(each)
		s.kill()
		t.Logf("ready again after %v", s.start(t).Round(time.Millisecond))
	}
	out := <-done
	if out.err != nil {
		t.Fatal(out.err)
	}
	report := out.report
	report.Write(t.Output())
	inDoubt, resent := 0, 0
	for _, c := range s.traces(t, options) {
		if len(c.Violations) > 0 || c.DeadLetters > 0 {
			t.Errorf("%d dead letters, %v", c.DeadLetters, c.Violations)
		}
		for _, e := range c.Entries {
			switch e.Kind {
			case wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT:
				inDoubt++
			case wactorv1.JournalKind_JOURNAL_KIND_RESENT:
				resent++
			}
		}
	}
	t.Logf("%d replies in doubt, %d sent again, %d taken twice", inDoubt, resent, report.Resent)
	if report.Violations > 0 || report.Resent > resent || resent > inDoubt {
		t.Errorf("%d violations; %d replies came twice, %d were sent again, %d were in doubt", report.Violations,
			report.Resent, resent, inDoubt)
	}
	return report
}

// traces reads the timelines of all users, each by the phone that the user began with.
func (s *server) traces(t *testing.T, options simulate.Options) (traces []*wactorv1.ConversationTrace) {
	t.Helper()
	client := wactorv1connect.NewAdminServiceClient(http.DefaultClient, "http://"+s.admin)
	for user := range options.Users {
		number := strconv.FormatInt(options.FirstUser+int64(user), 10)
		if options.Names == simulate.NamesHidden {
			number = "DE.1" + number
		}
		response, err := client.Trace(context.Background(), connect.NewRequest(&wactorv1.TraceRequest{User: number}))
		if err != nil {
			t.Fatal(err)
		}
		if len(response.Msg.Conversations) != 1 {
			t.Errorf("user %s has %d conversations", number, len(response.Msg.Conversations))
		}
		traces = append(traces, response.Msg.Conversations...)
	}
	return traces
}
