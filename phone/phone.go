package phone

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// Options configure a Phone.
type Options struct {
	// Number is that of the channel.
	Number emulator.Number
	// AccessToken is what the bot shows to the Graph API.
	AccessToken string
	// WebhookURL returns the address of the channel's webhook. It is called for every post, on any
	// goroutine, since a node that was started again may have another one.
	WebhookURL func() string
	// Bot is the name that the page shows.
	Bot string
}

// Bounds of what is under way at once.
const (
	maxPosts = 64  // requests to the bot
	maxWork  = 512 // messages and replies that wait for one
)

// Phone is the phone's server: a handler of the page and what it needs. It is safe for concurrent
// use.
type Phone struct {
	options Options
	handler http.Handler
	graph   http.Handler
	// emulated answers what comes to graph, and keeps the files of both sides.
	emulated *emulator.Graph
	client   *http.Client
	history  *history
	posts    chan struct{} // holds a token for each request under way

	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	count   uint64 // messages so far
	run     string // tells message ids of this run from those of another
	pending int    // goroutines of work
	closed  bool
	work    sync.WaitGroup
}

// New returns a Phone. Close ends what it began.
func New(options Options) *Phone {
	now := time.Now()
	p := &Phone{
		options: options, history: newHistory(now), posts: make(chan struct{}, maxPosts),
		run:    strconv.FormatInt(now.UnixMilli(), 36),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: maxPosts}},
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.handler = p.routes()
	p.emulated = emulator.NewGraph(options.AccessToken, emulator.Faults{}, p.took)
	p.graph = watchReceipts(p.emulated, p.seen)
	return p
}

// ServeHTTP answers the page.
func (p *Phone) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// GraphHandler is the Graph API that the bot answers to.
func (p *Phone) GraphHandler() http.Handler { return p.graph }

// Disconnect ends the page's streams. The page connects again and reads what it missed.
func (p *Phone) Disconnect() { p.history.disconnect() }

// Close ends the page's streams and the posts under way, and returns when nothing runs any more. It
// may be called again.
func (p *Phone) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.history.close()
	p.work.Wait()
	p.client.CloseIdleConnections()
}

// begin runs work beside its caller; Close waits for it. It is false, and nothing is run, when the
// phone is closed or when as many as it may are under way.
func (p *Phone) begin(work func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.pending >= maxWork {
		return false
	}
	p.pending++
	p.work.Go(func() {
		work()
		p.mu.Lock()
		p.pending--
		p.mu.Unlock()
	})
	return true
}
