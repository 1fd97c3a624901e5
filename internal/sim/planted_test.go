//go:build planted

package sim

import (
	"testing"
	"time"

	"github.com/wactor/wactor/internal/planted"
)

// withinSeeds is how many seeds may pass without that a mistake is caught.
const withinSeeds = 2000

// TestPlantedBugsAreCaught plants one mistake after the other, and plays seeds until one of them
// fails.
func TestPlantedBugsAreCaught(t *testing.T) {
	defer planted.Plant("")
	for _, bug := range planted.All {
		t.Run(string(bug), func(t *testing.T) {
			began := time.Now()
			planted.Plant(bug)
			for seed := *simFirst; seed < *simFirst+withinSeeds; seed++ {
				if err := verdict(Run(seed, nil)); err != nil {
					t.Logf("caught by seed %d in %v: %.200v", seed, time.Since(began).Round(time.Millisecond), err)
					return
				}
			}
			t.Errorf("not caught within %d seeds", withinSeeds)
		})
	}
}
