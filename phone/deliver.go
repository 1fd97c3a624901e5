package phone

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// errBusy: more messages are under way than the phone keeps.
var errBusy = errors.New("phone: too many messages are under way, or the phone is closed")

// deliver notes messages as sent and posts each in a webhook of its own, all at the same moment. It
// returns when the posts have begun.
func (p *Phone) deliver(messages []draft, times int) error {
	start := make(chan struct{})
	defer close(start)
	for _, d := range messages {
		m := p.stamp(d)
		body := p.options.Number.Messages(m)
		for i := range times {
			begun := p.begin(func() {
				<-start
				p.postUntilTaken(m.User, Event{ID: m.ID, About: "message"}, body)
			})
			if !begun {
				return errBusy
			}
			if i == 0 {
				content := draft{message: m}.content()
				p.history.add(m.User, Event{Kind: KindSent, ID: m.ID, Name: m.Name, Content: content})
			}
		}
	}
	return nil
}

// stamp gives a message its id and time.
func (p *Phone) stamp(d draft) emulator.Message {
	m := d.message
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	m.ID, m.SentMs = fmt.Sprintf("wamid.phone.%s.%d", p.run, p.count), time.Now().UnixMilli()
	if m.Media != nil {
		file := *m.Media
		p.keep(&file, d.file)
		m.Media = &file
	}
	return m
}

// WhatsApp repeats a webhook that is not answered 200 for up to 7 days; a person at the page has
// less patience. The wait doubles from the first to the last.
const (
	firstWait = 250 * time.Millisecond
	lastWait  = 32 * time.Second
)

// postUntilTaken posts a webhook and, as WhatsApp does, posts it again where it is not answered
// 200. It gives up after about a minute.
func (p *Phone) postUntilTaken(user string, e Event, body []byte) {
	e.Kind = KindWebhook
	for wait := firstWait; ; wait *= 2 {
		begin := time.Now()
		e.Status = p.post(body)
		if p.ctx.Err() != nil {
			return
		}
		e.Try, e.Millis = e.Try+1, float64(time.Since(begin).Microseconds())/1000
		p.history.add(user, e)
		if e.Status == http.StatusOK || wait > lastWait {
			return
		}
		if !pause.For(p.ctx, wait) {
			return
		}
	}
}

// post sends a webhook and returns the status; 0 where there was no answer.
func (p *Phone) post(body []byte) int {
	select {
	case p.posts <- struct{}{}:
		defer func() { <-p.posts }()
	case <-p.ctx.Done():
		return 0
	}
	request, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.options.WebhookURL(), bytes.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(cloudapi.SignatureHeader, p.options.Number.Sign(body))
	response, err := p.client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)) // so that the connection can be used again
	return response.StatusCode
}
