package report

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/bench/measure"
	"github.com/wactor/wactor/simulate"
)

var update = flag.Bool("update", false, "write testdata anew")

// example has a system of two rounds, one that could not be measured at the common rates, and one
// that did not start.
func example() *Results {
	step := func(rate, p99 float64) measure.Step {
		latency := simulate.Percentiles{P50: p99 / 10, P90: p99 / 2, P99: p99}
		return measure.Step{Rate: rate, Accept: latency, EndToEnd: latency, CPU: 0.15, GeneratorCPU: 0.05, Borne: true}
	}
	failed := measure.Step{Rate: 8000, Why: "p99 700 ms"}
	result := func(raced, resent int) (r measure.Result) {
		r.Messages, r.Raced, r.Resent, r.Violations, r.Slowest = 1000, raced, resent, raced, 1500
		return r
	}
	round := func(rate float64) Round {
		return Round{
			Highest: step(rate, 300), Steps: []measure.Step{step(rate/2, 20), step(rate, 300), failed},
			Common: []measure.Step{step(550, 4), step(1100, 8)},
			Trials: map[measure.Trial]measure.Result{measure.Bursts: result(0, 0), measure.Kill: result(0, 3)},
		}
	}
	slow := Round{
		Highest: step(1100, 400), Steps: []measure.Step{step(1100, 400), failed}, Common: []measure.Step{step(550, 90),
			failed},
		Trials: map[measure.Trial]measure.Result{measure.Bursts: result(17, 0)},
	}
	return &Results{
		Command: "make bench-alternatives", Began: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC), StepSeconds: 3,
		Users: 2000, CommonRates: []float64{550, 1100},
		Machine: Machine{Processor: "A", Cores: 2, MemoryGiB: 24, Kernel: "6", Go: "go1", FsyncMs: 0.14, Load: "0.1",
			Stores: []string{"Redis 7"}},
		Systems: []System{
			{Name: "wactor", Promises: "message and turn, fsync", Processes: 1, Rounds: []Round{round(6000),
				round(7000)}},
			{Name: "redislock", Promises: "session, fsync", Processes: 2, Rounds: []Round{slow}},
			{Name: "rabbitmq", Promises: "message", Processes: 2, Rounds: []Round{{}},
				Failures: []string{"highest rate, round 1: <it> did not start"}},
		},
	}
}

func TestTable(t *testing.T) {
	var table strings.Builder
	if err := example().Table(&table); err != nil {
		t.Fatal(err)
	}
	golden(t, "table.md", table.String())
}

func TestPlots(t *testing.T) {
	for name, plot := range map[string]string{"throughput.svg": example().Throughput(),
		"latency.svg": example().Latency()} {
		for decoder := xml.NewDecoder(strings.NewReader(plot)); ; {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		golden(t, name, plot)
	}
}

// TestNothing tells of a comparison that was ended before it measured anything.
func TestNothing(t *testing.T) {
	r := &Results{Systems: []System{{Name: "wactor"}}}
	var table strings.Builder
	if err := r.Table(&table); err != nil || !strings.Contains(table.String(), "| wactor | 0 |  | 0 | - | - | - |") {
		t.Errorf("%v\n%s", err, table.String())
	}
	for _, plot := range []string{r.Throughput(), r.Latency()} {
		if !strings.HasSuffix(plot, "</svg>\n") {
			t.Error(plot)
		}
	}
}

func TestWriteAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.json")
	if err := example().Write(path); err != nil {
		t.Fatal(err)
	}
	read, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var before, after strings.Builder
	if err := errors.Join(example().Table(&before), read.Table(&after)); err != nil ||
		before.String() != after.String() {
		t.Errorf("%v\n%s", err, after.String())
	}
}

// TestCurve takes rates within a tenth together, and leaves out what was not borne.
func TestCurve(t *testing.T) {
	curve := example().Systems[0].curve()
	var printed []string
	for _, p := range curve {
		printed = append(printed, p.String())
	}
	if got := strings.Join(printed, " "); got != "550:4 1100:8 3000:20 3500:20 6000:300 7000:300" {
		t.Error(got)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s differs (-update writes it anew): %v\n%s", name, err, got)
	}
}
