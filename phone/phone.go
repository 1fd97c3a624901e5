package phone

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/whatsapp/emulator"
)

// Options configure a Phone.
type Options struct {
	// Number is that of the channel.
	Number emulator.Number
	// AccessToken is what the bot shows to the Graph API.
	AccessToken string
	// WebhookURL returns the address of the channel's webhook.
	WebhookURL func() string
	// Bot is the name that the page shows.
	Bot string
}

// Phone is the phone's server: a handler of the page and what it needs.
type Phone struct {
	options Options
	mux     *http.ServeMux
	client  *http.Client
	history *history
	count   atomic.Uint64
	run     string

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// New returns a Phone. Close ends what it began.
func New(options Options) *Phone {
	p := &Phone{
		options: options, mux: http.NewServeMux(), history: newHistory(), run: strconv.FormatInt(time.Now().UnixMilli(), 36),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.routes()
	return p
}

// ServeHTTP answers the page.
func (p *Phone) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// Disconnect ends the page's streams. The page connects again and reads what it missed.
func (p *Phone) Disconnect() { p.history.disconnect() }

// Close ends the page's streams and waits for what is under way.
func (p *Phone) Close() {
	p.cancel()
	p.history.close()
	p.work.Wait()
	p.client.CloseIdleConnections()
}

// GraphHandler is the Graph API that the bot answers to.
func (p *Phone) GraphHandler() http.Handler {
	return emulator.NewGraph(p.options.AccessToken, emulator.Faults{}, p.took)
}

// took shows a reply, and tells the bot that it was delivered and read.
func (p *Phone) took(m emulator.Taken) {
	p.history.add(m.To, Event{Kind: "reply", ID: m.ID, Content: m.Body})
	if p.ctx.Err() != nil {
		return
	}
	p.work.Go(func() {
		for _, word := range []string{"sent", "delivered", "read"} {
			p.post(p.options.Number.Statuses(emulator.Status{
				ID: m.ID, ReplyID: m.ReplyID, User: m.To, Status: word, AtMs: time.Now().UnixMilli(),
			}))
		}
	})
}
