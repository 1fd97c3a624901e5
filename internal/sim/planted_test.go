//go:build planted

package sim

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/internal/planted"
)

// withinSeeds is how many seeds may pass without that a mistake is caught.
const withinSeeds = 2000

// caughtBy lists the mistakes, each with a seed that has caught it, which is played first. It is
// written anew with -update: what the simulation draws otherwise after a change makes it old, and
// the test slow, but no less certain.
const caughtBy = "testdata/planted"

var update = flag.Bool("update", false, "write "+caughtBy+" anew")

// TestPlantedBugsAreCaught plants one mistake after the other, and plays seeds until one of them
// fails.
func TestPlantedBugsAreCaught(t *testing.T) {
	defer planted.Plant("")
	known, found := readCaughtBy(t), ""
	for _, bug := range planted.All {
		t.Run(string(bug), func(t *testing.T) {
			planted.Plant(bug)
			seed := catch(t, known[string(bug)])
			found += fmt.Sprintln(bug, seed)
		})
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(caughtBy, []byte(found), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// catch returns the first seed that fails.
func catch(t *testing.T, known uint64) uint64 {
	began := time.Now()
	if err := verdict(Run(known, nil)); err != nil {
		t.Logf("caught by seed %d again: %.200v", known, err)
		return known
	}
	for seed := *simFirst; seed < *simFirst+withinSeeds; seed++ {
		if err := verdict(Run(seed, nil)); err != nil {
			t.Logf("caught by seed %d in %v: %.200v", seed, time.Since(began).Round(time.Millisecond), err)
			return seed
		}
	}
	t.Errorf("not caught within %d seeds", withinSeeds)
	return 0
}

func readCaughtBy(t *testing.T) map[string]uint64 {
	text, err := os.ReadFile(caughtBy)
	if err != nil {
		t.Fatal(err)
	}
	seeds := map[string]uint64{}
	for line := range strings.Lines(string(text)) {
		var bug string
		var seed uint64
		if _, err := fmt.Sscan(line, &bug, &seed); err != nil {
			t.Fatalf("%s: %q: %v", caughtBy, line, err)
		}
		seeds[bug] = seed
	}
	return seeds
}
