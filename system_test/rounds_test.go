//go:build linux

package system_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// Rounds are the faults of one test, drawn from a seed.
type rounds struct {
	*rand.Rand
	seed               uint64
	count, nodes, rate int
	long               bool
	people             people
}

// newRounds reads the variables that change a run. A failing test prints the command that runs it
// again with the same seed: the same faults of the same nodes and durations, though not the same
// moment of a process.
func newRounds(t *testing.T) *rounds {
	t.Helper()
	needSandbox(t)
	r := &rounds{
		seed: uint64(time.Now().UnixNano()) % 1_000_000, count: variable(t, "WACTOR_ROUNDS", 1), nodes: variable(t,
			"WACTOR_NODES", 3),
		rate: variable(t, "WACTOR_RATE", 300), long: os.Getenv("WACTOR_LONG") != "",
	}
	if os.Getenv("WACTOR_SEED") != "" {
		r.seed = uint64(variable(t, "WACTOR_SEED", 0))
	}
	r.people = people{channel: "shop", first: firstUser, flags: append(r.pairs(), "--names", "mixed", "--swaps", "10")}
	r.Rand = rand.New(rand.NewPCG(r.seed, 0))
	t.Logf("seed %d", r.seed)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("again: %s", r.command(t.Name()))
		}
	})
	return r
}

// people are users, and how they write: the flags of wactor simulate.
type people struct {
	channel string
	flags   []string
	// merged says that a turn may take several messages.
	merged bool
	// prefix stands before the digits of the name by which they are known; first is the first of
	// them.
	prefix string
	first  int
}

// pairs are people who write two messages at once, at the rate of these rounds.
func (r *rounds) pairs() []string {
	return []string{"--messages", "2", "--rate", strconv.Itoa(r.rate), "--pattern", "pairs"}
}

func variable(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < 0 {
		t.Fatalf("%s=%s is no number", name, text)
	}
	return number
}

func (r *rounds) command(test string) string {
	long := ""
	if r.long {
		long = "WACTOR_LONG=1 "
	}
	return fmt.Sprintf("%sWACTOR_SYSTEM=1 WACTOR_SEED=%d WACTOR_ROUNDS=%d WACTOR_NODES=%d WACTOR_RATE=%d "+
		"go test ./system_test -run '^%s$' -count=1 -v -timeout 1h",
		long, r.seed, r.count, r.nodes, r.rate, test)
}

// between draws a duration.
func (r *rounds) between(least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1))
}

// while draws how long a fault lasts: up to 30 s in a long run.
func (r *rounds) while() time.Duration {
	if r.long {
		return r.between(time.Second, 30*time.Second)
	}
	return r.between(time.Second, 4*time.Second)
}

// pick draws a node.
func (r *rounds) pick(c *cluster) *member { return c.members[r.IntN(len(c.members))] }

// within is how soon webhooks of every shard must be accepted again after a fault began, where most
// nodes are left. The promise is 2 s on a machine of its own, which a run by hand reads from what
// is printed; a machine that runs other tests beside these is given more.
const within = 5 * time.Second

// patience is how long to wait on this machine for what takes at most d on one that has nothing
// else to do: where three processes wait for each processor, everything takes three times as long.
func patience(d time.Duration) time.Duration {
	text, err := os.ReadFile("/proc/loadavg")
	var load float64 // of the last minute, the faults' own part of it included
	if _, scanned := fmt.Sscan(string(text), &load); err != nil || scanned != nil {
		return d
	}
	return time.Duration(float64(d) * max(1, load/float64(runtime.NumCPU())))
}
