package sim

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	"github.com/wactor/wactor/conversation"
)

// World is one run. All of it happens on one goroutine, one event after the other.
type World struct {
	seed   uint64
	rng    *mathrand.Rand
	rules  rules
	config *conversation.Config
	timeline
	machines
	network
	crowd
	provider  messenger
	operators []*operator // by shard
	faults    faults
	checks    checks
	record    record
	// Stats count what happened.
	Stats Stats
}

// timeline is what happens when.
type timeline struct {
	now   time.Duration // true time, since the beginning
	queue queue
	// healed: faults happen no more. over: the run is.
	healed, over bool
	// failure is the first promise that was found broken.
	failure error
}

// machines are the cluster.
type machines struct {
	nodes []*node
	// nodeOf finds a node by the id that its store has drawn.
	nodeOf map[uint64]*node
	// hints are the leaders last reported, by shard.
	hints map[uint32]*node
}

// crowd is who writes.
type crowd struct {
	persons []*person
	users   []*user // of all persons
	// userOf finds one by the name of the conversation.
	userOf map[string]*user
}

// Stats are what happened in a run.
type Stats struct {
	Events    uint64
	Simulated time.Duration
	Faults
	Traffic
	Replicas
}

// Faults are what was done to the cluster.
type Faults struct{ Crashes, Traps, Pauses, Cuts, Stalls uint64 }

// Traffic is what came from users, and went to them.
type Traffic struct{ Messages, Posts, Acknowledged, Replies, Doubled, Operations uint64 }

// Replicas are what the groups did, and their conversations.
type Replicas struct {
	Commits, Stale, Unknown, Loads           uint64
	Elections, LeasedReads, Moves, Snapshots uint64
}

// Result is the outcome of a run.
type Result struct {
	// Digest is of every event: two runs of one seed have the same.
	Digest  uint64
	Failure error
	Stats   Stats
	// Histories are what was done to each conversation, for a check of linearizability.
	Histories []History
}

// one lets one run happen at a time: runs share the process's source of random bytes.
var one sync.Mutex

// Run plays a seed. What happens is written to out, unless that is nil.
func Run(seed uint64, out io.Writer) (result Result) {
	one.Lock()
	defer one.Unlock()
	w := newWorld(seed, out)
	// The consensus core draws election timeouts, and stores their ids, from here.
	before := rand.Reader
	rand.Reader = &entropy{mathrand.New(mathrand.NewPCG(seed, 2))}
	defer func() { rand.Reader = before }()
	defer func() {
		if p := recover(); p != nil {
			result.Failure = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	w.play()
	w.Stats.Simulated = w.now
	return Result{Digest: w.record.hash, Failure: w.failure, Stats: w.Stats, Histories: w.checks.histories()}
}

// entropy is a source of bytes that are the same in every run of a seed.
type entropy struct{ rng *mathrand.Rand }

func (e *entropy) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(e.rng.Uint32())
	}
	return len(b), nil
}

func newWorld(seed uint64, out io.Writer) *World {
	rng := mathrand.New(mathrand.NewPCG(seed, 1))
	w := &World{seed: seed, rng: rng, rules: drawRules(seed, rng)}
	w.nodeOf, w.hints, w.userOf = map[uint64]*node{}, map[uint32]*node{}, map[string]*user{}
	w.record = record{out: out, now: &w.now}
	w.record.comment("rules %+v", w.rules)
	w.network = *newNetwork(w, w.rules.nodes, w.rules.network)
	w.config = w.rules.conversation()
	w.settleUsers()
	w.checks, w.provider, w.faults = newChecks(w), newMessenger(w), faults{w: w}
	for i := range w.rules.nodes {
		drift := (rng.Float64()*2 - 1) * w.rules.drift
		w.nodes = append(w.nodes, &node{
			w: w, index: i, disk: newDisk(),
			clock: clock{begin: time.Duration(rng.Int64N(int64(time.Hour))), rate: 1 + drift},
		})
	}
	return w
}

// play is the plan of a run: the cluster is formed, faults happen under load, all is healed, and
// what was promised is checked.
func (w *World) play() {
	defer w.stop()
	w.form()
	w.write()
	w.look()
	if w.rules.letters {
		letters{w}.look()
	}
	w.until(w.now+w.rules.trouble, nil)
	w.faults.heal()
	quiet := func() bool { return w.unwell() == "" }
	w.until(w.now+healingTime, quiet)
	if w.failure == nil && !quiet() {
		w.fail("not well %v after all faults were healed: %s", healingTime, w.unwell())
	}
	w.until(w.now+answeringTime, func() bool { return w.unanswered() == 0 && quiet() })
	if n := w.unanswered(); w.failure == nil && (n > 0 || !quiet()) {
		w.fail("%d deliveries have no outcome %v after all was well %s", n, answeringTime, w.unwell())
	}
	if w.failure == nil {
		w.checkEnd()
	}
}

// form starts the nodes and gives each shard its replicas, before faults begin, or while they
// happen.
func (w *World) form() {
	for _, n := range w.nodes {
		n.start()
	}
	for shard := range w.rules.shards {
		o := &operator{w: w, shard: uint32(shard + 1)}
		w.operators = append(w.operators, o)
		if w.rules.expect == 0 {
			o.wish(3)
			o.run()
		}
	}
	formed := func() bool {
		for _, o := range w.operators {
			if p := w.leader(o.shard); p == nil || !o.placed(p) {
				return false
			}
		}
		return true
	}
	if !w.rules.early {
		weather := w.network.weather
		w.network.weather = fair
		w.until(w.now+healingTime, formed)
		if w.failure == nil && !formed() {
			w.fail("no cluster has formed")
		}
		w.network.weather = weather
	}
	w.faults.begin()
}

// look reads from time to time what was accepted.
func (w *World) look() {
	w.after(w.between(0, 200*time.Millisecond), func() {
		w.read(w.users[w.rng.IntN(len(w.users))])
		w.look()
	})
}

// healingTime is how long everything may take once no fault happens any more.
const healingTime = 40 * time.Second

// answeringTime is how long a delivery may take then.
const answeringTime = 10 * time.Second

// after lets something happen.
func (w *World) after(d time.Duration, do func()) { w.queue.put(w.now+d, do) }

// until lets time go on up to a moment, or until it is enough, which is asked from time to time.
func (w *World) until(end time.Duration, enough func() bool) {
	ask := w.now
	for w.failure == nil && len(w.queue.heap) > 0 && w.queue.heap[0].at <= end {
		e := w.queue.take()
		w.now = e.at
		w.Stats.Events++
		e.do()
		if w.rules.expect > 0 {
			endPatience(w.nodes)
		}
		if enough != nil && w.now >= ask {
			if enough() {
				return
			}
			ask = w.now + 100*time.Millisecond
		}
	}
	if w.failure == nil {
		w.now = end
	}
}

// fail notes that a promise was broken; the first is reported.
func (w *World) fail(format string, args ...any) {
	if w.failure == nil {
		w.failure = fmt.Errorf("at %.3fs: "+format, append([]any{w.now.Seconds()}, args...)...)
		w.record.comment("BROKEN: %v", w.failure)
	}
}

// stop closes what is open.
func (w *World) stop() {
	w.over = true
	for _, n := range w.nodes {
		if n.proc != nil {
			n.proc.fall("the end")
		}
	}
}

// wallMs is what the clocks on the wall show, in Unix milliseconds.
func (w *World) wallMs() int64 { return 1_700_000_000_000 + w.now.Milliseconds() }

func (w *World) logger(node int) *slog.Logger {
	if w.record.out == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w.record.out, &slog.HandlerOptions{Level: slog.LevelInfo})).With("node", node)
}

func (w *World) chance(p float64) bool { return w.rng.Float64() < p }

// between draws a time.
func (w *World) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)))
}

func (s *Stats) add(other Stats) { sum(reflect.ValueOf(s).Elem(), reflect.ValueOf(other)) }

func sum(to, from reflect.Value) {
	for i := range to.NumField() {
		switch to := to.Field(i); {
		case to.CanUint():
			to.SetUint(to.Uint() + from.Field(i).Uint())
		case to.CanInt():
			to.SetInt(to.Int() + from.Field(i).Int())
		default:
			sum(to, from.Field(i))
		}
	}
}

// event is something that will happen.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

func (e event) before(other event) bool {
	return e.at < other.at || e.at == other.at && e.seq < other.seq
}

// queue is a heap of events by time; those of one time are in the order in which they were put.
type queue struct {
	heap []event
	seq  uint64
}

func (q *queue) put(at time.Duration, do func()) {
	q.seq++
	q.heap = append(q.heap, event{at, q.seq, do})
	for i := len(q.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if q.heap[parent].before(q.heap[i]) {
			break
		}
		q.heap[parent], q.heap[i] = q.heap[i], q.heap[parent]
		i = parent
	}
}

// take removes the first event; there must be one.
func (q *queue) take() event {
	first, last := q.heap[0], len(q.heap)-1
	q.heap[0] = q.heap[last]
	q.heap[last] = event{}
	q.heap = q.heap[:last]
	for i := 0; ; {
		least := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < last && q.heap[child].before(q.heap[least]) {
				least = child
			}
		}
		if least == i {
			return first
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}
