package phone

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// Event is something that the page shows.
type Event struct {
	// Seq counts the events of all users, from 1.
	Seq  uint64 `json:"seq"`
	User string `json:"user"`
	// Kind is sent (by the person), webhook (what became of it), or reply (of the bot).
	Kind string `json:"kind"`
	// ID is the message's.
	ID   string `json:"id"`
	AtMs int64  `json:"atMs"`
	// Text is what the person wrote or tapped.
	Text string `json:"text,omitempty"`
	// Status and Millis are the webhook's answer and how long it took; status 0 is no answer.
	Status int     `json:"status,omitempty"`
	Millis float64 `json:"millis,omitempty"`
	// Content is the reply as the bot sent it to the Graph API.
	Content json.RawMessage `json:"content,omitempty"`
}

// Bounds of what is kept: the page is for trying things, and a test may run for days.
const (
	maxEvents = 500 // of one user
	maxUsers  = 100
)

// history keeps the events of each user and hands new ones to whoever listens.
type history struct {
	mu        sync.Mutex
	seq       uint64
	events    map[string][]Event
	order     []string // users, the one that was active last at the end
	listeners map[chan Event]bool
	closed    bool
}

func newHistory() *history {
	return &history{events: map[string][]Event{}, listeners: map[chan Event]bool{}}
}

// add notes an event and tells it. A listener that does not keep up is cut off; it comes back and reads what it missed.
func (h *history) add(user string, e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	e.Seq, e.User, e.AtMs = h.seq, user, time.Now().UnixMilli()
	h.order = append(slices.DeleteFunc(h.order, func(u string) bool { return u == user }), user)
	if len(h.order) > maxUsers {
		delete(h.events, h.order[0])
		h.order = h.order[1:]
	}
	events := append(h.events[user], e)
	h.events[user] = events[max(0, len(events)-maxEvents):]
	for listener := range h.listeners {
		select {
		case listener <- e:
		default:
			delete(h.listeners, listener)
			close(listener)
		}
	}
}

// since returns the events after a number, in their order, and a channel of those that follow. The channel is closed when the
// listener is too slow, and at the end.
func (h *history) since(seq uint64) ([]Event, chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Event
	for _, events := range h.events {
		for _, e := range events {
			if e.Seq > seq {
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, func(a, b Event) int { return int(a.Seq) - int(b.Seq) })
	listener := make(chan Event, 256)
	if h.closed {
		close(listener)
	} else {
		h.listeners[listener] = true
	}
	return out, listener
}

func (h *history) leave(listener chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[listener] {
		delete(h.listeners, listener)
		close(listener)
	}
}

func (h *history) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.disconnect()
}

func (h *history) disconnect() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for listener := range h.listeners {
		delete(h.listeners, listener)
		close(listener)
	}
}
