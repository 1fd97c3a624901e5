package sim

import (
	"math/rand/v2"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/policy"
)

// rules are what a seed says once, before the run begins.
type rules struct {
	nodes, shards int
	people
	// trouble is how long faults happen.
	trouble time.Duration
	// pace is the mean time between two faults.
	pace time.Duration
	// drift is by how much of a second clocks go wrong in one, at most.
	drift float64
	// logBytes is Options.LogBytes: small logs make snapshots.
	logBytes int
	lanes    int
	network  weather
	turns
	// expect is how many nodes found the cluster; 0 where it is there at the beginning, and an
	// operator moves replicas.
	expect int
	// twins is how often a delivery meets a second activation of its conversation, which should not
	// be there.
	twins float64
	memory
	// rejects: commits are rejected now and then.
	rejects bool
	// moves: operators move replicas.
	moves bool
	// early: faults begin before the cluster is formed.
	early bool
}

// people is who writes.
type people struct {
	users    int
	messages int // of each
	// linked: they are known under several identities.
	linked bool
}

// turns is how messages become turns.
type turns struct {
	// inline: the bot answers within the commit of the message's acceptance.
	inline bool
	merge  bool // burst policy
	// letters: the bot makes dead letters.
	letters bool
}

// memory is how long conversations stay in memory, and how many: as in actors.Options.
type memory struct {
	idleAfter time.Duration
	maxActive int
}

// weather is how the network is where it is not cut.
type weather struct {
	least, jitter time.Duration
	loss, double  float64
	// ordered: a link never reorders.
	ordered bool
}

var fair = weather{least: 200 * time.Microsecond, jitter: 2 * time.Millisecond, ordered: true}

func drawRules(seed uint64, rng *rand.Rand) rules {
	r := rules{
		nodes: 3, shards: 1 + rng.IntN(2), people: people{messages: 4 + rng.IntN(8)}, lanes: 1 + rng.IntN(2),
		trouble:  time.Duration(1500+rng.IntN(3500)) * time.Millisecond,
		pace:     time.Duration(40+rng.IntN(300)) * time.Millisecond,
		logBytes: 1 << (8 + rng.IntN(11)),
		turns:    turns{inline: rng.IntN(3) > 0, merge: rng.IntN(4) == 0},
		moves:    rng.IntN(3) > 0,
		early:    rng.IntN(6) == 0,
		network:  drawWeather(rng),
	}
	r.users = 1 + rng.IntN(4)
	r.idleAfter = []time.Duration{2 * time.Millisecond, 50 * time.Millisecond, time.Second, time.Minute}[rng.IntN(4)]
	if rng.IntN(8) == 0 {
		r.maxActive = 2
	}
	r.linked = rng.IntN(2) == 0
	if rng.IntN(3) == 0 {
		r.nodes, r.shards = 5, 1
	}
	if rng.IntN(2) == 0 {
		r.drift = 0.005
	}
	if rng.IntN(2) == 0 {
		r.twins = 0.1
	}
	if rng.IntN(4) == 0 {
		r.expect = r.nodes
	}
	if r.merge {
		r.inline = false
	}
	r.rejects = seed%8 == 1
	r.letters = !r.linked && seed%4 == 0
	return r
}

func drawWeather(rng *rand.Rand) weather {
	out := fair
	out.ordered = rng.IntN(2) == 0
	switch rng.IntN(4) {
	case 0:
		out.jitter = 100 * time.Millisecond
	case 1:
		out.least, out.jitter = 20*time.Millisecond, 20*time.Millisecond
	}
	if rng.IntN(2) == 0 {
		out.loss = []float64{0.01, 0.05, 0.2}[rng.IntN(3)]
	}
	if rng.IntN(3) == 0 {
		out.double = 0.05
	}
	return out
}

// conversation is how conversations behave: as in production, but for shorter waits.
func (r *rules) conversation() *conversation.Config {
	cfg := conversation.Config{
		Inline:  r.inline,
		Retry:   policy.Retry{MaxAttempts: 1000, Min: 20 * time.Millisecond, Max: 200 * time.Millisecond},
		InDoubt: policy.InDoubt{Wait: 600 * time.Millisecond, Max: 1500 * time.Millisecond},
		Limits:  conversation.Limits{Journal: 10_000},
	}
	if r.merge {
		cfg.Burst = policy.Burst{Policy: policy.Merge, Quiet: 30 * time.Millisecond}
	}
	return cfg.WithDefaults()
}
