package sim

import (
	"flag"
	"io"
	"os"
	"testing"
	"time"
)

var (
	simSeeds = flag.Int("sim.seeds", 0, "how many seeds to play; 0: 200, with -short 30")
	simFirst = flag.Uint64("sim.first", 1, "the first of them")
	simSeed  = flag.Uint64("sim.seed", 0, "play this one only, and print what happens")
)

// TestSeeds plays seeds.
func TestSeeds(t *testing.T) {
	first, seeds := *simFirst, *simSeeds
	var out io.Writer
	switch {
	case *simSeed > 0:
		first, seeds, out = *simSeed, 1, os.Stdout
	case seeds == 0 && testing.Short():
		seeds = 30
	case seeds == 0:
		seeds = 200
	}
	began := time.Now()
	var sum Stats
	for i := range seeds {
		seed := first + uint64(i)
		r := Run(seed, out)
		sum.add(r.Stats)
		if err := verdict(r); err != nil {
			t.Errorf("seed %d: %v\nreplay it: go test ./internal/sim -run TestSeeds -sim.seed=%d", seed, err, seed)
		}
	}
	t.Logf("%d seeds in %v, one in %v: %+v", seeds, time.Since(began).Round(time.Millisecond),
		(time.Since(began) / time.Duration(seeds)).Round(time.Microsecond), sum)
}

// verdict is what is wrong with a run; nil where nothing is.
func verdict(r Result) error {
	if r.Failure != nil {
		return r.Failure
	}
	for _, h := range r.Histories {
		if err := checkLinear(h); err != nil {
			return err
		}
	}
	return nil
}

// TestSameSeedSameRun plays seeds twice.
func TestSameSeedSameRun(t *testing.T) {
	seeds := uint64(120)
	if testing.Short() {
		seeds = 10
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		if a, b := Run(seed, nil), Run(seed, nil); a.Digest != b.Digest || a.Stats != b.Stats {
			t.Errorf("seed %d: two runs differ: %x %+v and %x %+v", seed, a.Digest, a.Stats, b.Digest, b.Stats)
		}
	}
}
