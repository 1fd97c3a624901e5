// Package report tells the results of a comparison: as JSON, as a Markdown table, and as plots in
// SVG.
package report

import (
	"encoding/json"
	"os"
	"slices"
	"time"

	"github.com/wactor/wactor/bench/measure"
	"github.com/wactor/wactor/bench/pairs"
)

// Results are those of a comparison.
type Results struct {
	// Command is what was typed.
	Command string    `json:"command"`
	Began   time.Time `json:"began"`
	Machine Machine   `json:"machine"`
	// StepSeconds is how long each rate was held; Users wrote.
	StepSeconds float64 `json:"stepSeconds"`
	// Headroom is how much garbage processes of the strategies let be before they collect any, in
	// MiB; 0 is Go's own setting.
	Headroom int `json:"headroom,omitempty"`
	// Statuses are posted for each reply: "sent,delivered"; empty for none.
	Statuses string `json:"statuses,omitempty"`
	Users    int    `json:"users"`
	// CommonRates are asked of all systems, in messages a second: half the lowest of the highest
	// rates, and half the lower one of redislock and occ, where that is another.
	CommonRates []float64 `json:"commonRates"`
	Systems     []System  `json:"systems"`
}

// Machine is where it was measured.
type Machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	MemoryGiB int    `json:"memoryGiB"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
	// FsyncMs is the median time of a write of 1 KiB with its fsync.
	FsyncMs float64 `json:"fsyncMs"`
	// Load is the load average of the last minute when the comparison began: what else ran.
	Load   string   `json:"load"`
	Stores []string `json:"stores"`
	// Remarks are what the one who ran it has to say of it.
	Remarks string `json:"remarks,omitempty"`
}

// System is one of the systems that were compared.
type System struct {
	Name string `json:"name"`
	// Promises says what is on disk before the 200.
	Promises  string  `json:"promises"`
	Processes int     `json:"processes"`
	Rounds    []Round `json:"rounds"`
	// Beside compares it with the first system, B with A; none for the first.
	Beside []pairs.Row `json:"beside,omitempty"`
	// Failures say what could not be measured, and why.
	Failures []string `json:"failures,omitempty"`
}

// Round is what one round found of a system.
type Round struct {
	// Highest is the step at the highest rate that was borne; its rate is 0 where none was.
	Highest measure.Step `json:"highest"`
	// Steps are all that were tried to find it.
	Steps []measure.Step `json:"steps"`
	// Common are the steps at the common rates.
	Common []measure.Step `json:"common"`
	// Trials by name; none in a round that made none.
	Trials map[measure.Trial]measure.Result `json:"trials,omitempty"`
}

// Write writes the results as JSON.
func (r *Results) Write(path string) error {
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(out, '\n'), 0o644)
}

// Read reads what Write wrote.
func Read(path string) (*Results, error) {
	in, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Results{}
	return r, json.Unmarshal(in, r)
}

// spread is a median with the least and the most.
type spread struct {
	median, least, most float64
	// rounds is of how many; 0 where nothing was measured.
	rounds int
}

// of is the spread of what is read of each round; false leaves a round out.
func (s System) of(read func(Round) (float64, bool)) spread {
	var values []float64
	for _, round := range s.Rounds {
		if value, ok := read(round); ok {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return spread{}
	}
	slices.Sort(values)
	half := len(values) / 2
	median := values[half]
	if len(values)%2 == 0 {
		median = (values[half-1] + values[half]) / 2
	}
	return spread{median, values[0], values[len(values)-1], len(values)}
}

// HighestRate is the median of the highest rates that were borne.
func (s System) HighestRate() float64 { return s.highest().median }

// highest leaves out the rounds that were not measured; in one that was, and in which no rate was
// borne, it is 0.
func (s System) highest() spread {
	return s.atHighest(func(step measure.Step) float64 { return step.Rate })
}

func (s System) atHighest(read func(measure.Step) float64) spread {
	return s.of(func(r Round) (float64, bool) { return read(r.Highest), len(r.Steps) > 0 })
}

// atCommon is read of the steps at a common rate that were borne.
func (s System) atCommon(i int, read func(measure.Step) float64) spread {
	return s.of(func(r Round) (float64, bool) {
		if i >= len(r.Common) || !r.Common[i].Borne {
			return 0, false
		}
		return read(r.Common[i]), true
	})
}

// trial adds up the rounds.
func (s System) trial(name measure.Trial) (sum measure.Result) {
	for _, round := range s.Rounds {
		one := round.Trials[name]
		sum.Messages += one.Messages
		sum.Accepted += one.Accepted
		sum.Violations += one.Violations
		sum.Lost += one.Lost
		sum.Doubled += one.Doubled
		sum.Raced += one.Raced
		sum.OutOfOrder += one.OutOfOrder
		sum.Skipped += one.Skipped
		sum.Stray += one.Stray
		sum.Resent += one.Resent
		sum.Slowest = max(sum.Slowest, one.Slowest)
	}
	return sum
}
