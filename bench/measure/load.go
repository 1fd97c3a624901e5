package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/wactor/wactor/simulate"
)

// Generator runs `wactor simulate`, as a process of its own, so that its CPU is not that of what it
// measures.
type Generator struct {
	// Wactor is the program.
	Wactor string
	// Graph is the address of the fake Graph API; PhoneNumberID, AppSecret and AccessToken are the
	// channel's.
	Graph, PhoneNumberID, AppSecret, AccessToken string
	// Statuses are posted for each reply: "sent,delivered"; empty for none.
	Statuses string
}

// Load is what users do.
type Load struct {
	Pattern  simulate.Pattern
	Users    int
	Messages int
	// Rate in messages a second for Duration; 0 is as fast as replies come, with Concurrency users
	// in flight.
	Rate        float64
	Duration    time.Duration
	Concurrency int
	// Duplicates and Swaps are percentages.
	Duplicates, Swaps int
	// AllowResent and Settle are for a bot that is killed meanwhile.
	AllowResent bool
	Settle      time.Duration
	// FirstUser is the number of the first user: others are new to the bot.
	FirstUser int64
}

// Outcome is what came of a load.
type Outcome struct {
	*simulate.Report
	// GeneratorCPU is what the load generator used.
	GeneratorCPU time.Duration
}

// violated is the exit status of a run that found violations, and has a report.
const violated = 1

// Run puts the load on a bot. Where it takes longer than within, it fails.
func (g *Generator) Run(ctx context.Context, url string, l Load, within time.Duration) (*Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var out, problems bytes.Buffer
	run := exec.CommandContext(ctx, g.Wactor, g.arguments(url, l)...)
	run.Stdout, run.Stderr = &out, &problems
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err := run.Run()
	var ended *exec.ExitError
	if err != nil && !(errors.As(err, &ended) && ended.ExitCode() == violated) {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("measure: the load was not possible: %w: %s", err, bytes.TrimSpace(problems.Bytes()))
	}
	report := &simulate.Report{}
	if err := json.Unmarshal(out.Bytes(), report); err != nil {
		return nil, fmt.Errorf("measure: the report can't be read: %w", err)
	}
	return &Outcome{report, run.ProcessState.UserTime() + run.ProcessState.SystemTime()}, nil
}

func (g *Generator) arguments(url string, l Load) []string {
	settle := l.Settle
	if settle == 0 {
		settle = 5 * time.Second
	}
	out := []string{
		"simulate", "--json", "--url", url, "--graph", g.Graph, "--phone-number-id", g.PhoneNumberID, "--app-secret",
		g.AppSecret,
		"--access-token", g.AccessToken, "--statuses", g.Statuses, "--pattern", string(l.Pattern), "--users",
		strconv.Itoa(l.Users),
		"--first-user", strconv.FormatInt(l.FirstUser, 10), "--settle", settle.String(), "--give-up", "20s",
		"--duplicates", strconv.Itoa(l.Duplicates), "--swaps", strconv.Itoa(l.Swaps),
	}
	if l.Messages > 0 {
		out = append(out, "--messages", strconv.Itoa(l.Messages))
	}
	if l.Rate > 0 {
		out = append(out, "--rate", strconv.FormatFloat(l.Rate, 'f', -1, 64))
	}
	if l.Duration > 0 {
		out = append(out, "--duration", l.Duration.String())
	}
	if l.Concurrency > 0 {
		out = append(out, "--concurrency", strconv.Itoa(l.Concurrency))
	}
	if l.AllowResent {
		out = append(out, "--allow-resent")
	}
	return out
}
