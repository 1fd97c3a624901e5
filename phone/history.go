package phone

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// Kind says what an Event is.
type Kind string

// The kinds of events.
const (
	// KindSent is a message that the person sent.
	KindSent Kind = "sent"
	// KindWebhook is one try to post a webhook, and its answer.
	KindWebhook Kind = "webhook"
	// KindReply is a message of the bot.
	KindReply Kind = "reply"
	// KindRead says that the bot has read a message of the person, and all before it.
	KindRead Kind = "read"
)

// Event is something that the page shows.
type Event struct {
	// Seq grows with every event, of all users. It stays below 2^53, so that JavaScript can read
	// it.
	Seq uint64 `json:"seq"`
	// User is the person's number in digits.
	User string `json:"user"`
	Kind Kind   `json:"kind"`
	// ID is the message's.
	ID string `json:"id"`
	// AtMs is the time in Unix milliseconds.
	AtMs int64 `json:"atMs"`
	// Name is the profile name, in what the person sent.
	Name string `json:"name,omitempty"`
	// Content is a message in the form of the Graph API: a reply as the bot sent it, or what the
	// person sent.
	Content json.RawMessage `json:"content,omitempty"`
	// About is what a webhook carries: message, or the status of a reply (sent, delivered, read).
	About string `json:"about,omitempty"`
	// Try counts the posts of one webhook, from 1; Status and Millis are the answer and how long it
	// took. Status 0 is no answer.
	Try    int     `json:"try,omitempty"`
	Status int     `json:"status,omitempty"`
	Millis float64 `json:"millis,omitempty"`
	// Typing says that the bot shows that it is writing.
	Typing bool `json:"typing,omitempty"`
}

// size is about what an event takes in memory, in bytes.
func (e *Event) size() int { return 200 + len(e.ID) + len(e.Name) + len(e.Content) }

// Bounds of what is kept: the page is for trying things, and may be left open for weeks.
const (
	// maxEvents of one user: 500 messages with what became of them.
	maxEvents = 2000
	// maxBytes of one user.
	maxBytes = 1 << 20
	// maxUsers that are kept; the one that was silent longest goes first.
	maxUsers = 100
	// maxListeners at once: pages that are open.
	maxListeners = 64
	// maxBehind is how many events a page may lag behind before it must read again.
	maxBehind = 256
)

// history keeps the events of each user and hands new ones to all listeners.
type history struct {
	mu        sync.Mutex
	seq       uint64
	threads   map[string]*thread
	order     []string // users, the one that was active last at the end
	authors   map[string]string
	listeners map[chan Event]bool
	closed    bool
}

// thread is what is kept of one user.
type thread struct {
	events []Event
	bytes  int
}

// newHistory begins to count at the time, so that a page that was open before does not take new
// events for old ones.
func newHistory(now time.Time) *history {
	return &history{
		seq: uint64(now.UnixMilli()) * 1000, threads: map[string]*thread{}, authors: map[string]string{},
		listeners: map[chan Event]bool{},
	}
}

// add notes an event and tells it. A listener that does not keep up is cut off; it comes back and
// reads what it missed.
func (h *history) add(user string, e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	e.Seq, e.User, e.AtMs = h.seq, user, time.Now().UnixMilli()
	h.touch(user)
	t := h.threads[user]
	t.events, t.bytes = append(t.events, e), t.bytes+e.size()
	if e.Kind == KindSent {
		h.authors[e.ID] = user
	}
	for len(t.events) > maxEvents || t.bytes > maxBytes && len(t.events) > 1 {
		t.bytes -= t.events[0].size()
		delete(h.authors, t.events[0].ID)
		t.events[0] = Event{} // the array is shared until it grows
		t.events = t.events[1:]
	}
	for listener := range h.listeners {
		select {
		case listener <- e:
		default:
			h.drop(listener)
		}
	}
}

// touch makes a user the one that was active last, and forgets who was silent longest.
func (h *history) touch(user string) {
	h.order = append(slices.DeleteFunc(h.order, func(u string) bool { return u == user }), user)
	if h.threads[user] == nil {
		h.threads[user] = &thread{}
	}
	if len(h.order) > maxUsers {
		for _, e := range h.threads[h.order[0]].events {
			delete(h.authors, e.ID)
		}
		delete(h.threads, h.order[0])
		h.order = slices.Delete(h.order, 0, 1)
	}
}

// author returns who sent a message, as long as it is kept.
func (h *history) author(id string) (user string, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	user, known = h.authors[id]
	return user, known
}

// since returns the events after a number, in their order, and a channel of those that follow. The
// channel is closed when the listener is too slow, and at the end; it is nil where there are too
// many.
func (h *history) since(seq uint64) ([]Event, chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) >= maxListeners {
		return nil, nil
	}
	var out []Event
	for _, t := range h.threads {
		from, _ := slices.BinarySearchFunc(t.events, seq+1, func(e Event, want uint64) int {
			return cmp.Compare(e.Seq,
				want)
		})
		out = append(out, t.events[from:]...)
	}
	slices.SortFunc(out, func(a, b Event) int { return cmp.Compare(a.Seq, b.Seq) })
	listener := make(chan Event, maxBehind)
	h.listeners[listener] = true
	if h.closed {
		h.drop(listener)
	}
	return out, listener
}

func (h *history) leave(listener chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(listener)
}

func (h *history) drop(listener chan Event) {
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
		h.drop(listener)
	}
}
