package emulator

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Faults are what the Graph API does besides answering. Shares are of all requests, 0 to 1, drawn
// one after the other.
type Faults struct {
	// MinLatency and MaxLatency bound the time until an answer, drawn evenly.
	MinLatency, MaxLatency time.Duration
	// ServerErrors is the share of requests that are answered 500 with the code 131000 and not
	// taken.
	ServerErrors float64
	// RateLimited is the share that is answered 429 with the code 130429 and not taken.
	RateLimited float64
	// BrokenBefore is the share of connections that break before the message is taken, BrokenAfter
	// after.
	BrokenBefore, BrokenAfter float64
	// Seed makes the draws the same in every run, as far as requests come in the same order.
	Seed uint64
}

// fault is what happens to one request.
type fault int

const (
	noFault fault = iota
	serverError
	rateLimited
	brokenBefore
	brokenAfter
)

type dice struct {
	faults Faults
	mu     sync.Mutex
	random *rand.Rand
}

func newDice(faults Faults) *dice {
	return &dice{faults: faults, random: rand.New(rand.NewPCG(faults.Seed, 1))}
}

// draw decides about one request.
func (d *dice) draw() (fault, time.Duration) {
	if d.faults == (Faults{Seed: d.faults.Seed}) {
		return noFault, 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	latency := d.faults.MinLatency
	if spread := d.faults.MaxLatency - d.faults.MinLatency; spread > 0 {
		latency += time.Duration(d.random.Int64N(int64(spread)))
	}
	roll := d.random.Float64()
	for _, f := range []struct {
		share float64
		fault fault
	}{
		{d.faults.ServerErrors, serverError}, {d.faults.RateLimited, rateLimited},
		{d.faults.BrokenBefore, brokenBefore}, {d.faults.BrokenAfter, brokenAfter},
	} {
		if roll < f.share {
			return f.fault, latency
		}
		roll -= f.share
	}
	return noFault, latency
}
