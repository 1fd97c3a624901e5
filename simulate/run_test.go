package simulate

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wactor/wactor/internal/freeport"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nowhere is a bot that does not run.
var nowhere = Target{URL: "http://127.0.0.1:1/"}

func oneMessage(pattern Pattern) Load {
	return Load{Users: 1, Messages: 1, Pattern: pattern, Concurrency: 1}
}

func simulateOn(t *testing.T, fail string, change func(*Options)) *Report {
	t.Helper()
	graph := freeport.Address(t)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	bot := httptest.NewServer(&counter{graph: "http://" + graph, client: client, fail: fail, steps: map[string]int{},
		seen: map[string]bool{}})
	defer bot.Close()
	o := Options{
		Target: Target{URL: bot.URL, PhoneNumberID: "100", AppSecret: "secret"},
		API:    API{Graph: graph, Statuses: []string{"sent", "delivered"}},
		Load: Load{Users: 20, Messages: 4, Pattern: Pairs, FirstUser: 4915100000001, Concurrency: 20,
			Seed: 1},
		GiveUp: 10 * time.Second, Settle: time.Second,
	}
	if change != nil {
		change(&o)
	}
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestHonestBotPasses(t *testing.T) {
	for _, pattern := range Patterns {
		report := simulateOn(t, "", func(o *Options) {
			o.Pattern, o.Duplicates = pattern, 30
			if pattern != Taps {
				o.Swaps = 20
			}
		})
		if report.Violations != 0 || report.Accepted != 80 || report.Replied != 80 {
			t.Errorf("%s: %+v", pattern, report)
		}
	}
}

// TestServersTakeConnectionsInTurn: two servers of one bot, and one that is dead.
func TestServersTakeConnectionsInTurn(t *testing.T) {
	var asked [2]atomic.Int32
	report := simulateOn(t, "", func(o *Options) {
		to, err := url.Parse(o.URL)
		if err != nil {
			t.Fatal(err)
		}
		urls := []string{"http://127.0.0.1:1/"}
		for i := range asked {
			proxy := httputil.NewSingleHostReverseProxy(to)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked[i].Add(1)
				proxy.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			urls = append(urls, server.URL)
		}
		o.URL = strings.Join(urls, ",")
	})
	if report.Violations != 0 || report.Accepted != 80 || report.Replied != 80 {
		t.Errorf("%+v", report)
	}
	if one, two := asked[0].Load(), asked[1].Load(); one < 10 || two < 10 {
		t.Errorf("asked %d and %d times", one, two)
	}
}

func TestSpreadBurstsOfImagesPass(t *testing.T) {
	report := simulateOn(t, "", func(o *Options) { o.Pattern, o.Gap, o.Media = Burst, 40*time.Millisecond, 50 })
	if report.Violations != 0 || report.Replied != 80 || report.Replies != 80 || report.Seconds < 0.06 {
		t.Errorf("%+v", report)
	}
	o := Options{Target: nowhere, Load: oneMessage(Pairs)}
	o.Gap = time.Second
	if _, err := o.check(); err == nil {
		t.Error("a gap that is not kept was let through")
	}
}

func TestFloodIsToldApart(t *testing.T) {
	report := simulateOn(t, "", func(o *Options) {
		o.Pattern, o.Rate, o.Flood, o.Users, o.Messages = Steady, 100, 500,
			50, 10
	})
	flood := report.Flood
	if report.Violations != 0 || report.Replied != 500 || flood.Posted == 0 || flood.Accepted == 0 ||
		flood.Accepted > flood.Posted {
		t.Errorf("%+v, flood %+v", report, flood)
	}
	for ms, want := range map[int64]bool{0: false, 1999: false, 2000: true, 3999: true, 4000: false} {
		if flooded(ms*1e6) != want {
			t.Errorf("after %d ms: flooded %v", ms, !want)
		}
	}
	if flood.Alone.Max == 0 || flood.Beside.Max == 0 {
		t.Errorf("the times beside the flood and without are not kept apart: %+v", flood)
	}
}

func TestOpenLoadPasses(t *testing.T) {
	report := simulateOn(t, "", func(o *Options) { o.Pattern, o.Rate = Steady, 400 })
	if report.Violations != 0 || report.Replied != 80 || report.Seconds < 0.19 {
		t.Errorf("%+v", report)
	}
}

// TestStopEndsTheWriting: what was written before is answered and judged, whatever was planned.
func TestStopEndsTheWriting(t *testing.T) {
	for _, rate := range []float64{0, 400} {
		began, stop := time.Now(), make(chan struct{})
		time.AfterFunc(200*time.Millisecond, func() { close(stop) })
		report := simulateOn(t, "", func(o *Options) {
			o.Rate, o.Duration, o.Messages, o.Stop = rate, time.Hour, 2,
				stop
		})
		if report.Violations != 0 || report.Messages == 0 || report.Accepted != report.Messages ||
			report.Replied != report.Messages {
			t.Errorf("rate %v: %+v", rate, report)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("rate %v: it ended after %v", rate, took)
		}
	}
}

func TestRefusedWebhooksAreSentAgain(t *testing.T) {
	report := simulateOn(t, "busy", nil)
	if report.Violations != 0 || report.Replied != 80 || report.Posts["503"] == 0 {
		t.Errorf("%+v", report)
	}
}

func TestMistakesAreFound(t *testing.T) {
	for fail, found := range map[string]func(*Report) int{
		"lose":   func(r *Report) int { return r.Lost },
		"race":   func(r *Report) int { return r.Raced },
		"double": func(r *Report) int { return r.Doubled },
	} {
		report := simulateOn(t, fail, func(o *Options) { o.Duplicates = 30 })
		if found(report) == 0 || report.Violations == 0 {
			t.Errorf("%s was not found: %+v", fail, report)
		}
	}
}

func TestBrokenConnectionsExcuseResending(t *testing.T) {
	report := simulateOn(t, "", func(o *Options) {
		o.Faults = emulator.Faults{BrokenAfter: 0.2, ServerErrors: 0.1,
			Seed: 3}
	})
	if report.Resent == 0 || report.Resent != report.ResentBroken || report.Violations != 0 {
		t.Errorf("%+v", report)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	o := Options{Target: nowhere, API: API{Graph: "127.0.0.1:0"}, Load: oneMessage(Steady)}
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	for want, change := range map[string]func(*Options){
		"is the bot running":     func(o *Options) {},
		"name the bot's webhook": func(o *Options) { o.URL = refusing.URL },
		"no http address":        func(o *Options) { o.URL = "x" },
		"no pattern":             func(o *Options) { o.Pattern = "zigzag" },
		"can't listen":           func(o *Options) { o.Graph = refusing.Listener.Addr().String() },
	} {
		o := o
		change(&o)
		if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestABotThatSendsElsewhere: who forgot to point the bot to the fake Graph API reads more than
// that all is lost.
func TestABotThatSendsElsewhere(t *testing.T) {
	const hint = "the fake Graph API got no request: does the bot send to --graph?"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer elsewhere.Close()
	var out strings.Builder
	report := simulateOn(t, "", func(o *Options) { o.URL, o.Settle, o.Users = elsewhere.URL, 100*time.Millisecond, 2 })
	if report.Write(&out); report.Lost == 0 || !strings.Contains(out.String(), hint) {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	report = simulateOn(t, "", nil)
	if report.Write(&out); report.GraphRequests < report.Replies || strings.Contains(out.String(), hint) {
		t.Errorf("%d requests: %s", report.GraphRequests, out.String())
	}
}

// TestTheServerIsAwaited: the users begin when the bot's server is ready, and a server that never
// is ends the run with an error.
func TestTheServerIsAwaited(t *testing.T) {
	graph := freeport.Address(t)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	honest := &counter{graph: "http://" + graph, client: client, steps: map[string]int{}, seen: map[string]bool{}}
	var asked atomic.Int32
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 3 { // a proxy whose server starts
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		honest.ServeHTTP(w, r)
	}))
	defer bot.Close()
	o := Options{
		Target: Target{URL: bot.URL, PhoneNumberID: "100", AppSecret: "secret", Wait: 30 * time.Second},
		API:    API{Graph: graph},
		Load:   Load{Users: 2, Messages: 2, Pattern: Steady, FirstUser: 4915100000001, Concurrency: 2, Seed: 1},
		Settle: time.Second,
	}
	report, err := Run(context.Background(), o)
	if err != nil || report.Violations != 0 || report.Accepted != 4 || report.Posts["503"] != 0 {
		t.Errorf("%+v, %v, want 4 accepted at once", report, err)
	}
	o.Wait = 150 * time.Millisecond
	asked.Store(-1_000_000)
	if _, err := Run(context.Background(), o); err == nil ||
		!strings.Contains(err.Error(), "was not ready within 150ms (at last it answered 503): is the bot running") {
		t.Errorf("of a server that is never ready: %v", err)
	}
	o.URL = "http://" + freeport.Address(t)
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("of no server: %v", err)
	}
	stop := make(chan struct{})
	close(stop)
	o.Wait, o.Stop = time.Hour, stop
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("of a run that is stopped: %v", err)
	}
}
