package strategy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	wait "github.com/wactor/wactor/internal/pause"
)

// Graph sends replies to the provider's Graph API over kept connections.
type Graph struct {
	url, token string
	client     *http.Client
}

// replyTries is how often a reply is sent before it is given up.
const replyTries = 4

// NewGraph returns a client. The address is that of the number's messages:
// https://graph.facebook.com/v26.0/<id>/messages.
func NewGraph(address, token string) *Graph {
	return &Graph{url: address, token: "Bearer " + token, client: &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			MaxIdleConns:        512,
			MaxIdleConnsPerHost: 512,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true,
		},
	}}
}

// textMessage is the request that sends a text.
type textMessage struct {
	MessagingProduct string `json:"messaging_product"`
	To               string `json:"to"`
	Type             string `json:"type"`
	Text             struct {
		Body string `json:"body"`
	} `json:"text"`
	// CallbackData comes back with every status of the reply. It is the id of the message that is
	// answered.
	CallbackData string `json:"biz_opaque_callback_data"`
}

// Reply sends a text to the user of a message. Failures that may pass are tried again, three times
// within a second.
func (g *Graph) Reply(ctx context.Context, m Message, text string) error {
	out := textMessage{MessagingProduct: "whatsapp", To: m.User, Type: "text", CallbackData: m.ID}
	out.Text.Body = text
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("strategy: a reply can't be written: %w", err)
	}
	for try := 1; ; try++ {
		again, err := g.post(ctx, body)
		if err == nil {
			return nil
		}
		if !again || try == replyTries || !pause(ctx, time.Duration(try)*100*time.Millisecond) {
			return fmt.Errorf("strategy: a reply was not sent: %w", err)
		}
	}
}

// post sends one request; again says that another try may help.
func (g *Graph) post(ctx context.Context, body []byte) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", g.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := g.client.Do(request)
	if err != nil {
		return true, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return true, err
	}
	if response.StatusCode == http.StatusOK {
		return false, nil
	}
	again = response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests
	return again, fmt.Errorf("the Graph API answered %d", response.StatusCode)
}

// Close closes the idle connections.
func (g *Graph) Close() { g.client.CloseIdleConnections() }

// pause waits for about d, a half more or less; false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	return wait.For(ctx, d/2+rand.N(d))
}
