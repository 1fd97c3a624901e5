package actors

import (
	"context"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/cluster/placement"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/planted"
)

// Options configure a Runtime.
type Options struct {
	Store Store
	// Channels are those to begin with, by name.
	Channels map[string]*Channel
	// Shards is the number of shards, 1 to Shards.
	Shards uint32
	// Elsewhere takes the deliveries that conversations send to each other, to wherever they are
	// led. Default: Deliver.
	Elsewhere func(delivery.Envelope, delivery.Done)
	// MaxActive bounds the conversations in memory. Near it those that have had nothing to do for a
	// second leave; where that does not help, a message for one more is rejected. Those that other
	// conversations need, to resolve an identity or to forward to, may be as many again. Default
	// 500,000.
	MaxActive int
	// MaxMailbox bounds the deliveries that wait in one conversation's mailbox. Default 10,000,
	// what one webhook may hold: one that does not fit would be repeated for days, and never fit.
	MaxMailbox int
	// IdleAfter is how long a conversation stays in memory without anything to do. Default 1
	// minute.
	IdleAfter time.Duration
	// RetryAfter is the wait before a conversation with unfinished work is activated again after
	// its activation failed. Default 1 second.
	RetryAfter time.Duration
	// Scheduler runs it all. Default: goroutines of the runtime's own, on the machine's clock.
	Scheduler Scheduler
	// Random draws numbers. Default: of package math/rand/v2.
	Random func() uint64
	Logger *slog.Logger
	// LogName names a conversation in the log. Default: by channel and user, which shows who it is.
	LogName    func(conversation.ID) string
	Registerer prometheus.Registerer
	// LettersChanged is called when a conversation has so many more dead letters (or less, where
	// negative). It must not block. Default: nothing.
	LettersChanged func(shard uint32, channel string, change int)

	// timersAtOnce bounds the conversations that one look at the timers of a shard activates.
	// Default defaultTimersAtOnce.
	timersAtOnce int
}

func (o Options) withDefaults() Options {
	if o.LogName == nil {
		o.LogName = conversation.ID.String
	}
	if o.MaxActive == 0 {
		o.MaxActive = 500_000
	}
	if o.MaxMailbox == 0 {
		o.MaxMailbox = 10_000
	}
	if o.IdleAfter == 0 {
		o.IdleAfter = time.Minute
	}
	if o.RetryAfter == 0 {
		o.RetryAfter = time.Second
	}
	if o.timersAtOnce == 0 {
		o.timersAtOnce = defaultTimersAtOnce
	}
	if o.Random == nil {
		o.Random = rand.Uint64
	}
	if o.LettersChanged == nil {
		o.LettersChanged = func(uint32, string, int) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Runtime holds the activations of this node.
type Runtime struct {
	options    Options
	scheduler  Scheduler
	own        *protoactor // the scheduler where it is the runtime's own
	metrics    *metrics
	channels   channels
	complaints complaints
	tables     []*table // by shard; 0 is not used

	links links
	lifetime
	stopping atomic.Bool
	room     room
	// work counts the tasks and activations that Stop waits for; nothing is added from nothing
	// once stopping is set.
	work     sync.WaitGroup
	starting sync.Mutex
	hashSeed maphash.Seed
}

// room is how many conversations are in memory.
type room struct {
	active  atomic.Int64
	most    atomic.Int64  // Options.MaxActive
	crowded atomic.Uint32 // the table that makes room next
}

// lifetime says how long a Runtime works.
type lifetime struct {
	// ctx ends when Stop gives up waiting: bot calls and sends are cancelled.
	ctx    context.Context
	cancel context.CancelFunc
	// running ends when Stop begins.
	running context.Context
	halt    context.CancelFunc
}

// New returns a Runtime that leads no shard yet.
func New(options Options) *Runtime {
	options = options.withDefaults()
	r := &Runtime{
		options: options, scheduler: options.Scheduler, tables: make([]*table, options.Shards+1),
		hashSeed: maphash.MakeSeed(),
	}
	if r.scheduler == nil {
		r.own = newProtoactor(options.Logger)
		r.scheduler = r.own
	}
	if r.options.Elsewhere == nil {
		r.options.Elsewhere = r.Deliver
	}
	r.metrics = newMetrics(options.Registerer, r)
	r.channels.metrics = r.metrics
	r.channels.replace(options.Channels)
	r.room.most.Store(int64(options.MaxActive))
	r.complaints = newComplaints(options.Logger, r.scheduler.Now)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.running, r.halt = context.WithCancel(r.ctx)
	for shard := range r.tables {
		r.tables[shard] = &table{runtime: r, shard: uint32(shard), activations: newRoster(),
			retrying: map[conversation.ID]bool{}}
	}
	r.goWork(r.watchTimers)
	return r
}

// Deliver takes a delivery to its conversation, if this node leads it. It never blocks. Deliveries
// of one conversation by one goroutine arrive in their order.
func (r *Runtime) Deliver(e delivery.Envelope, done delivery.Done) {
	if r.channels.of(e.To.Channel) == nil {
		done(delivery.Outcome{Err: delivery.ErrUnknownChannel})
		return
	}
	r.table(e.To).deliver(e, done)
}

// NoteStatus notes that a status of any message came on a channel, here or for another program:
// where in-doubt replies wait for one, it is not the webhooks that fail.
func (r *Runtime) NoteStatus(channel string) {
	if c := r.channels.of(channel); c != nil {
		c.statusMs.Store(r.scheduler.Now().UnixMilli())
	}
}

func (r *Runtime) table(id conversation.ID) *table { return r.tables[r.Shard(id)] }

// Shard is that of a conversation.
func (r *Runtime) Shard(id conversation.ID) uint32 {
	return placement.ShardOf(id.String(), r.options.Shards)
}

// LeadershipChanged reports that this node leads a shard in a term and may activate its
// conversations (ready), or that it no longer does. It does not block. Conversations with
// unfinished work are taken up at once.
func (r *Runtime) LeadershipChanged(shard uint32, term uint64, ready bool) {
	t := r.tables[shard]
	if !t.changeLeadership(term, ready) || planted.Is(planted.WorkNotTakenUp) {
		return
	}
	r.goWork(func() { t.takeUp(term) })
}

// goWork runs a task that Stop waits for; not any more once it stops.
func (r *Runtime) goWork(task func()) {
	r.starting.Lock()
	defer r.starting.Unlock()
	if !r.stopping.Load() {
		r.goCounted(task)
	}
}

// goCounted runs a task that Stop waits for. Its caller is one itself, or an activation.
func (r *Runtime) goCounted(task func()) {
	r.work.Add(1)
	r.scheduler.Go(func() {
		defer r.work.Done()
		task()
	})
}

// Active returns the number of conversations in memory.
func (r *Runtime) Active() int { return int(r.room.active.Load()) }

// makeRoom lets conversations leave that have nothing to do, when there are nearly as many as there
// may be: more than one that comes can take the place of. They are drawn, as by caches that can't
// pay for a list in the order of use: nearly all have long had their reply, and the few that come
// back soon are loaded again.
func (r *Runtime) makeRoom() {
	const atOnce = 4
	most := int(r.room.most.Load())
	if int(r.room.active.Load()) < most-most/8 {
		return
	}
	asked := 0
	for range r.options.Shards {
		t := r.tables[1+r.room.crowded.Add(1)%r.options.Shards]
		if asked += t.askToLeave(atOnce - asked); asked == atOnce {
			return
		}
	}
}

// Stop ends all activations and returns when nothing runs any more. Deliveries are refused from now
// on. Bot calls are cancelled; sends under way are awaited until ctx ends, so that their outcome is
// committed and no reply is left in doubt.
func (r *Runtime) Stop(ctx context.Context) {
	r.starting.Lock()
	r.stopping.Store(true)
	r.starting.Unlock()
	r.halt()
	for _, t := range r.tables {
		t.each(func(a *activation) { a.mailbox.Post(stopGracefully{}) })
	}
	done := make(chan struct{})
	go func() {
		r.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		r.cancel()
		for _, t := range r.tables {
			t.each(func(a *activation) { a.mailbox.Post(stopNow{delivery.ErrStopping}) })
		}
		<-done
	}
	r.cancel()
	if r.own != nil {
		r.own.stop()
	}
}
