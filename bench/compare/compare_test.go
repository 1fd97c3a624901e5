package compare

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/bench/machine"
	"github.com/wactor/wactor/bench/measure"
	"github.com/wactor/wactor/bench/report"
	"github.com/wactor/wactor/bench/store"
	"github.com/wactor/wactor/bench/system"
)

func TestRotated(t *testing.T) {
	for round, want := range [][]int{{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 1, 2}} {
		if got := rotated(3, round); !slices.Equal(got, want) {
			t.Errorf("round %d: %v", round, got)
		}
	}
}

func TestCommonRates(t *testing.T) {
	system := func(name string, rate float64) report.System {
		step := measure.Step{Rate: rate}
		return report.System{Name: name, Rounds: []report.Round{{Highest: step, Steps: []measure.Step{step}}}}
	}
	for _, c := range []struct {
		systems []report.System
		want    []float64
	}{
		{nil, nil},
		{[]report.System{system("memory", 9000), {Name: "wactor", Failures: []string{"no"}}}, []float64{4500}},
		{[]report.System{system("wactor", 6000), system("redislock", 2310), system("occ", 2200), system("rabbitmq",
			1234)}, []float64{610, 1100}},
		{[]report.System{system("wactor", 6000), system("redislock", 2300), system("rabbitmq", 2200)}, []float64{1100}},
	} {
		if got := commonRates(c.systems); !slices.Equal(got, c.want) {
			t.Errorf("%v, not %v", got, c.want)
		}
	}
}

// TestRun compares two systems that need no store, and one that can't start.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it measures for half a minute")
	}
	folder := t.TempDir()
	build := func(module, name string) string {
		program := filepath.Join(folder, name)
		run := exec.Command("go", "build", "-o", program, "./cmd/"+name)
		run.Dir = module
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return program
	}
	flow, err := filepath.Abs("../../examples/counter/flow.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ports := &machine.Ports{}
	graph, err := ports.Free()
	if err != nil {
		t.Fatal(err)
	}
	o := system.Options{
		Folder: folder, Ports: ports, Stores: &store.Host{Folder: folder, Ports: ports}, Flow: flow,
		Wactor: build("../..", "wactor"), Strategy: build("..", "strategy"), Processes: 2, Connections: 4, Queues: 4,
		QueueType: "classic",
		Graph:     machine.Loopback(graph), PhoneNumberID: "100000000000001", AppSecret: "secret", AccessToken: "token",
	}
	saved := 0
	c := &Comparison{
		Systems: []string{"memory", "wactor", "absent"}, Rounds: 1, TrialRounds: 1, Pairs: 2, Users: 50,
		Duration: 500 * time.Millisecond, Options: o,
		Generator: &measure.Generator{Wactor: o.Wactor, Graph: o.Graph, PhoneNumberID: o.PhoneNumberID,
			AppSecret: o.AppSecret, AccessToken: o.AccessToken},
		Log: testWriter{t}, Save: func(*report.Results) error { saved++; return nil },
	}
	results := &report.Results{}
	if err := c.Run(t.Context(), results); err != nil {
		t.Fatal(err)
	}
	for _, s := range results.Systems[:2] {
		round := s.Rounds[0]
		if s.HighestRate() <= 0 || len(round.Common) != 1 || round.Common[0].CPU <= 0 ||
			len(round.Trials) != len(measure.Trials) || len(s.Failures) > 0 {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	wactor := results.Systems[1].Rounds[0]
	for trial, result := range wactor.Trials {
		if result.Violations > 0 || result.Messages == 0 {
			t.Errorf("wactor, %s: %+v", trial, result)
		}
	}
	if beside := results.Systems[1].Beside; len(beside) == 0 || beside[0].Pairs != 2 || beside[0].Median <= 0 {
		t.Errorf("wactor beside memory: %+v", beside)
	}
	if absent := results.Systems[2]; len(absent.Failures) != 3 || absent.HighestRate() != 0 || saved != 8 {
		t.Errorf("%+v, saved %d times", absent, saved)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 2 { // the programs
		t.Error("left behind:", left, err)
	}
}

// TestRunInterrupted ends where its context does, and fails no system for it.
func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &Comparison{
		Systems: []string{"memory"}, Rounds: 1, Options: system.Options{Folder: t.TempDir(), Ports: &machine.Ports{},
			Strategy: "/bin/true"},
		Log: testWriter{t}, Save: func(*report.Results) error { return nil },
	}
	results := &report.Results{}
	if err := c.Run(ctx, results); err == nil || len(results.Systems[0].Failures) > 0 {
		t.Errorf("%v, %+v", err, results.Systems)
	}
}

func TestHere(t *testing.T) {
	m, err := Here(t.TempDir(), nil)
	if err != nil || m.Cores < 1 || m.MemoryGiB < 1 || m.Kernel == "" || m.FsyncMs <= 0 || !strings.HasPrefix(m.Go,
		"go") {
		t.Errorf("%+v, %v", m, err)
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
