package replication

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestBusyLaneTakesLargerPieces posts proposals at a rate and counts the cycles that take them.
func TestBusyLaneTakesLargerPieces(t *testing.T) {
	for name, load := range map[string]struct {
		every  time.Duration
		cycles int // a second
	}{
		"idle": {100 * time.Millisecond, 10},
		"slow": {time.Second / busyRate / 900, 900 * busyRate},
		"busy": {time.Second / busyRate / 1100, int(time.Second / busyInterval)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLane(&Host{options: Options{Shards: 1}.withDefaults()})
				cycles, taken, posted := 0, 0, 0
				second := func() {
					for end := time.Now().Add(time.Second); time.Now().Before(end); {
						time.Sleep(load.every)
						if err := l.post(&proposal{}); err != nil {
							t.Fatal(err)
						}
						posted++
						synctest.Wait()
						if len(l.wake) > 0 {
							<-l.wake
							in, _ := l.take()
							cycles, taken = cycles+1, taken+len(in.proposals)
						}
					}
				}
				second()
				cycles = 0
				second()
				if cycles < load.cycles*8/10 || cycles > load.cycles*11/10 {
					t.Errorf("%d cycles in a second, want about %d", cycles, load.cycles)
				}
				if waiting := posted - taken; waiting > int(busyInterval/load.every)+1 {
					t.Errorf("%d proposals wait", waiting)
				}
			})
		})
	}
}

// TestBusyLaneLetsOthersWait: only proposals wait for the interval to be over, and a lane that was
// busy takes the first of a quiet time at once.
func TestBusyLaneLetsOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(&Host{options: Options{Shards: 1}.withDefaults()})
		woken := func(what string, want bool) {
			t.Helper()
			synctest.Wait()
			if got := len(l.wake) > 0; got != want {
				t.Fatalf("%s: woken %v", what, got)
			}
			if want {
				<-l.wake
				l.take()
			}
		}
		for range 2 { // a window that begins, and one that ends
			time.Sleep(paceWindow)
			for range busyRate * 20 {
				if err := l.post(&proposal{}); err != nil {
					t.Fatal(err)
				}
			}
			woken("many proposals", true)
		}
		_ = l.post(&proposal{})
		woken("a proposal", false)
		_ = l.receive(Message{})
		woken("a proposal and a message", true)
		_ = l.post(&proposal{})
		woken("a proposal", false)
		_ = l.control(func() {})
		woken("a proposal and a control", true)
		_ = l.post(&proposal{lazy: true})
		_ = l.post(&proposal{})
		time.Sleep(busyInterval - 1)
		woken("a lazy proposal and another, too early", false)
		time.Sleep(1)
		woken("a lazy proposal and another", true)
		time.Sleep(time.Second)
		_ = l.post(&proposal{})
		woken("a proposal after a quiet time", true)
	})
}
