package main

import (
	"runtime"
	"testing"
)

// TestHeadroom: the next collection is further away, and not where the operator has a say.
func TestHeadroom(t *testing.T) {
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
	if with := goal(); with < before+headroom {
		t.Errorf("the next collection is at %d, and was at %d", with, before)
	}
	release()
	t.Setenv("GOGC", "100")
	before = goal()
	release = keepHeadroom()
	if with := goal(); with > before+headroom/2 {
		t.Errorf("the next collection is at %d in spite of GOGC, and was at %d", with, before)
	}
	release()
}
