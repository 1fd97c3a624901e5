package simulate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/wactor/wactor/whatsapp"
	"github.com/wactor/wactor/whatsapp/emulator"
)

// poster sends webhooks, again and again until they are answered 200, as the provider does.
type poster struct {
	options *Options
	record  *record
	number  emulator.Number
	client  *http.Client
	slots   chan struct{}
}

func newPoster(o *Options, r *record) *poster {
	return &poster{
		options: o, record: r, number: emulator.Number{PhoneNumberID: o.PhoneNumberID, AppSecret: o.AppSecret},
		slots: make(chan struct{}, o.Concurrency),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConns:        o.Concurrency + 16,
			MaxIdleConnsPerHost: o.Concurrency + 16,
			DisableCompression:  true,
		}},
	}
}

// webhook is one body on its way.
type webhook struct {
	body      []byte
	signature string
}

func (p *poster) sign(body []byte) webhook { return webhook{body, p.number.Sign(body)} }

// refusedError is an answer that sending again won't change.
type refusedError int

func (e refusedError) Error() string {
	switch int(e) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("simulate: the webhook answered %d: --app-secret is not the channel's", int(e))
	case http.StatusNotFound:
		return "simulate: the webhook answered 404: --url names no webhook"
	}
	return fmt.Sprintf("simulate: the webhook answered %d", int(e))
}

// post sends a webhook until it is answered 200, or given up (false). since is when it was due.
func (p *poster) post(ctx context.Context, w webhook, since time.Time) (bool, error) {
	const first, longest = 50 * time.Millisecond, 2 * time.Second
	begin, wait := since, first
	for {
		status := p.once(ctx, w)
		p.record.answered(status, time.Since(begin))
		switch {
		case status == http.StatusOK:
			return true, nil
		case status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
			return false, refusedError(status)
		case time.Since(since) > p.options.GiveUp || ctx.Err() != nil:
			return false, ctx.Err()
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false, ctx.Err()
		}
		begin, wait = time.Now(), min(2*wait, longest)
	}
}

// once posts a webhook and returns the status; 0 where there was no answer.
func (p *poster) once(ctx context.Context, w webhook) int {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.options.URL, bytes.NewReader(w.body))
	if err != nil {
		return 0
	}
	request.Header["Content-Type"] = contentType
	request.Header.Set(whatsapp.SignatureHeader, w.signature)
	response, err := p.client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}

var contentType = []string{"application/json"}
