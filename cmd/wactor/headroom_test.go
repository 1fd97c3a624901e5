package main

import (
	"errors"
	"runtime"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// TestKeepHeadroom: the next collection is further away, and not where the operator has a say.
func TestKeepHeadroom(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	goal := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NextGC
	}
	before := goal()
	release := keepHeadroom()
	if with := goal(); with < before+minHeadroom {
		t.Errorf("the next collection is at %d, and was at %d", with, before)
	}
	release()
	t.Setenv("GOGC", "100")
	before = goal()
	release = keepHeadroom()
	if with := goal(); with > before+minHeadroom/2 {
		t.Errorf("the next collection is at %d in spite of GOGC, and was at %d", with, before)
	}
	release()
}

func TestHeadroom(t *testing.T) {
	const mib = 1 << 20
	unknown := func() (uint64, error) { return 0, errors.New("not known") }
	for _, test := range []struct {
		name   string
		limits []memlimit.Provider
		want   uint64
	}{
		{"nothing is known", []memlimit.Provider{unknown, unknown}, 512 * mib},
		{"a large machine", []memlimit.Provider{memlimit.Limit(64 << 30), unknown}, 512 * mib},
		{"4 GiB", []memlimit.Provider{memlimit.Limit(4 << 30), unknown}, 128 * mib},
		{"a container on a large machine", []memlimit.Provider{memlimit.Limit(64 << 30), memlimit.Limit(8 << 30)},
			256 * mib},
		{"no limit", []memlimit.Provider{memlimit.Limit(0), memlimit.Limit(1 << 63)}, 512 * mib},
		{"little", []memlimit.Provider{memlimit.Limit(512 * mib), unknown}, 64 * mib},
	} {
		if got := headroom(test.limits...); got != test.want {
			t.Errorf("%s: %d MiB, want %d", test.name, got/mib, test.want/mib)
		}
	}
}
