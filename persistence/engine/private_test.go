package engine

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// TestAFileThatVanishesIsNoError: the engine that had the directory before removes its last files
// while it is made private.
func TestAFileThatVanishesIsNoError(t *testing.T) {
	dir := t.TempDir()
	var stop atomic.Bool
	var churn sync.WaitGroup
	churn.Go(func() {
		for i := 0; !stop.Load(); i++ {
			name := filepath.Join(dir, strconv.Itoa(i%50))
			if os.WriteFile(name, nil, filePerm) != nil || os.Remove(filepath.Join(dir,
				strconv.Itoa((i+25)%50))) != nil {
				continue // it is not there yet
			}
		}
	})
	defer func() { stop.Store(true); churn.Wait() }()
	for range 300 {
		if err := keepPrivate(dir); err != nil {
			t.Fatal(err)
		}
	}
}
