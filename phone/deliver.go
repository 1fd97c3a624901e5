package phone

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/wactor/wactor/whatsapp"
	"github.com/wactor/wactor/whatsapp/emulator"
)

// deliver posts each message in a webhook of its own, all at the same moment, and waits for the answers.
func (p *Phone) deliver(request *sendRequest) {
	var messages []emulator.Message
	for _, text := range request.Texts {
		messages = append(messages, p.message(request, text, nil))
	}
	if tap := request.Tap; tap != nil {
		messages = append(messages, p.message(request, tap.Title, &emulator.Tap{List: tap.List, ID: tap.ID, Title: tap.Title, Prompt: tap.Prompt}))
	}
	for _, m := range messages {
		p.history.add(m.User, Event{Kind: "sent", ID: m.ID, Text: m.Text})
	}
	start := make(chan struct{})
	var posts sync.WaitGroup
	for _, m := range messages {
		body := p.options.Number.Messages(m)
		times := 1
		if request.Twice {
			times = 2
		}
		for range times {
			posts.Go(func() {
				<-start
				p.postMessage(m, body)
			})
		}
	}
	close(start)
	posts.Wait()
}

func (p *Phone) message(request *sendRequest, text string, tap *emulator.Tap) emulator.Message {
	return emulator.Message{
		ID: fmt.Sprintf("wamid.phone.%s.%d", p.run, p.count.Add(1)), User: request.User, Name: request.Name,
		SentMs: time.Now().UnixMilli(), Text: text, Tap: tap,
	}
}

// postMessage sends a webhook and, as WhatsApp does, sends it again where it is not answered 200. It gives up after a minute.
func (p *Phone) postMessage(m emulator.Message, body []byte) {
	for wait := 250 * time.Millisecond; ; wait *= 2 {
		begin := time.Now()
		status := p.post(body)
		p.history.add(m.User, Event{Kind: "webhook", ID: m.ID, Status: status, Millis: float64(time.Since(begin).Microseconds()) / 1000})
		if status == http.StatusOK || wait > 30*time.Second {
			return
		}
		select {
		case <-time.After(wait):
		case <-p.ctx.Done():
			return
		}
	}
}

// post sends a webhook and returns the status; 0 where there was no answer.
func (p *Phone) post(body []byte) int {
	request, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.options.WebhookURL(), bytes.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(whatsapp.SignatureHeader, p.options.Number.Sign(body))
	response, err := p.client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}
