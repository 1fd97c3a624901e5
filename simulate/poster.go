package simulate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// poster sends webhooks, again and again until they are answered 200, as the provider does.
type poster struct {
	options     *Options
	record      *record
	number      emulator.Number
	connections *connections
}

func newPoster(o *Options, r *record, to []*url.URL) *poster {
	return &poster{
		options: o, record: r, number: emulator.Number{PhoneNumberID: o.PhoneNumberID, AppSecret: o.AppSecret},
		connections: newConnections(to),
	}
}

// webhook is one body on its way.
type webhook struct {
	body      []byte
	signature string
}

func (p *poster) sign(body []byte) webhook { return webhook{body, p.number.Sign(body)} }

// refusedError is an answer that sending again won't change, while nothing was ever accepted.
type refusedError int

func (e refusedError) Error() string {
	reason := "WhatsApp takes 200 alone for an answer"
	switch {
	case e == http.StatusUnauthorized || e == http.StatusForbidden:
		reason = "is --app-secret the one by which the bot checks signatures?"
	case e == http.StatusNotFound || e == http.StatusMethodNotAllowed:
		reason = "does --url name the bot's webhook?"
	}
	return fmt.Sprintf("simulate: the bot answered %d: %s", int(e), reason)
}

// final tells the statuses that do not change by themselves. Once a webhook was accepted none is:
// it may be a proxy that answers for a bot that starts again.
func (p *poster) final(status int) bool {
	return status > http.StatusOK && status < http.StatusInternalServerError && status != http.StatusTooManyRequests &&
		status != http.StatusRequestTimeout && p.record.accepted.Load() == 0
}

// Waits between two tries of a webhook. They are shorter than the provider's, so that a bot that
// starts again gets all of them soon.
const (
	firstWait   = 50 * time.Millisecond
	longestWait = 2 * time.Second
)

// errSilent ends the posting: the bot takes nothing any more, and the users who are still to write
// would all wait in vain.
var errSilent = errors.New("simulate: no webhook was answered 200 for as long as one is sent again")

// silence is errSilent where nothing was accepted for GiveUp.
func (p *poster) silence() error {
	if p.options.GiveUp > 0 && time.Duration(p.record.now()-p.record.acceptedNs.Load()) > p.options.GiveUp {
		return errSilent
	}
	return nil
}

// post sends a webhook until it is answered 200, or given up (false).
func (p *poster) post(ctx context.Context, w webhook) (bool, error) {
	begin := time.Now()
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		status, err := p.connections.post(ctx, w.body, w.signature)
		if err != nil {
			status = 0
		}
		p.record.answered(status, wait > firstWait)
		switch {
		case status == http.StatusOK:
			return true, nil
		case p.final(status):
			return false, refusedError(status)
		case time.Since(begin) > p.options.GiveUp:
			return false, p.silence()
		}
		if !pause.For(ctx, wait) {
			return false, ctx.Err()
		}
	}
}

// awaitServer returns when the bot's server answers a webhook without messages: with any status but
// those of a server, or of a proxy before it, that is not ready (5xx). It fails after Options.Wait,
// when ctx ends, and when Options.Stop is closed.
func awaitServer(ctx context.Context, o *Options, to []*url.URL) error {
	if o.Wait == 0 {
		return nil
	}
	const look = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, o.Wait)
	defer cancel()
	body := []byte(`{"object":"whatsapp_business_account","entry":[]}`)
	number := emulator.Number{PhoneNumberID: o.PhoneNumberID, AppSecret: o.AppSecret}
	last := "no answer"
	for try := 0; ; try++ {
		status, err := ask(ctx, to[try%len(to)], body, number.Sign(body))
		switch {
		case err == nil && status < http.StatusInternalServerError:
			return nil
		case err == nil:
			last = fmt.Sprintf("at last it answered %d", status)
		case ctx.Err() == nil:
			last = fmt.Sprintf("at last: %v", err)
		}
		select {
		case <-time.After(look):
		case <-o.Stop:
			return errors.New("simulate: interrupted while the server at --url was awaited")
		case <-ctx.Done():
			return fmt.Errorf("simulate: the server at --url was not ready within %s (%s): is the bot running there?",
				o.Wait, last)
		}
	}
}

// ask posts one webhook over a connection of its own, and waits two seconds for the answer.
func ask(ctx context.Context, to *url.URL, body []byte, signature string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	connections := newConnections([]*url.URL{to})
	defer connections.close()
	defer context.AfterFunc(ctx, connections.close)()
	return connections.post(ctx, body, signature)
}
