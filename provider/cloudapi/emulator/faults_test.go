package emulator

import "testing"

func TestFaultsComeInTheirShares(t *testing.T) {
	d := newDice(Faults{ServerErrors: 0.1, RateLimited: 0.2, BrokenBefore: 0.1, BrokenAfter: 0.3, Seed: 7})
	counts := map[fault]int{}
	const rolls = 20_000
	for range rolls {
		f, _ := d.draw()
		counts[f]++
	}
	for f, share := range map[fault]float64{noFault: 0.3, serverError: 0.1, rateLimited: 0.2, brokenBefore: 0.1,
		brokenAfter: 0.3} {
		if got := float64(counts[f]) / rolls; got < share-0.02 || got > share+0.02 {
			t.Errorf("fault %d: %.3f of all, want %.1f", f, got, share)
		}
	}
}
