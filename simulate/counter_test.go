package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// counter is a bot under test, with a choice of mistakes.
type counter struct {
	graph  string
	client *http.Client
	fail   string

	mu    sync.Mutex
	steps map[string]int
	seen  map[string]bool
	count int
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	webhook, err := cloudapi.Decode(body)
	if err != nil || !provider.Authentic(&cloudapi.Codec{AppSecrets: []string{"secret"}}, r.Header, body) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	c.mu.Lock()
	c.count++
	n := c.count
	c.mu.Unlock()
	if c.fail == "busy" && n%3 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, m := range webhook.Messages {
		c.handle(m, n)
	}
}

func (c *counter) handle(m provider.Message, n int) {
	user := m.User.WaId
	c.mu.Lock()
	locked := true
	defer func() {
		if locked {
			c.mu.Unlock()
		}
	}()
	if prompt := m.Message.ContextId; prompt != "" && c.fail != "drummed" {
		if c.seen[prompt] {
			return
		}
		c.seen[prompt] = true
	}
	if c.fail != "double" && c.seen[m.Message.Id] || c.fail == "lose" && n%5 == 0 {
		return
	}
	c.seen[m.Message.Id] = true
	step := c.steps[user] + 1
	if c.fail == "race" { // reads, thinks, writes, and lets others in meanwhile
		c.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		c.mu.Lock()
	}
	c.steps[user] = step
	if c.fail == "race" {
		c.mu.Unlock()
		locked = false
	}
	c.reply(user, fmt.Sprintf("step %d: %s", step, m.Message.Text))
}

func (c *counter) reply(user, text string) {
	body, _ := json.Marshal(map[string]any{
		"messaging_product": "whatsapp", "to": user, "type": "text", "text": map[string]string{"body": text},
		"biz_opaque_callback_data": user + text,
	})
	for range 10 {
		response, err := c.client.Post(c.graph+"/100/messages", "application/json", bytes.NewReader(body))
		if err != nil {
			continue
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return
		}
	}
}
