package simulate

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// record keeps what was sent and what came back. It is safe for concurrent use.
type record struct {
	options *Options
	run     string // names the run in ids and texts, so that two runs on one bot do not meet
	began   time.Time
	users   []user
	name    string // begins every message id
	counters

	mu     sync.Mutex
	accept latencies
	posts  map[int]int // by status; 0 where there was no answer
}

// counters are what the report says of the whole run.
type counters struct {
	posted, accepted, replied, others atomic.Int64
	duplicates, swaps, retries        atomic.Int64
	lastNs, acceptedNs                atomic.Int64 // when the last reply came, and the last 200
}

func newRecord(o *Options, run string) *record {
	return &record{
		options: o, run: run, began: time.Now(), users: make([]user, o.Users), posts: map[int]int{},
		name: "wamid.s" + run + ".",
	}
}

func (r *record) now() int64 { return time.Since(r.began).Nanoseconds() }

// write notes the messages of a webhook that is about to be posted, and returns them.
func (r *record) write(p post, due time.Time) []emulator.Message {
	now, dueNs := r.now(), due.Sub(r.began).Nanoseconds()
	messages := make([]emulator.Message, len(p.messages))
	for i, m := range p.messages {
		phone, userID := r.identity(m)
		text := m.text(r.run)
		id := r.name + text[len(r.run)+1:]
		messages[i] = emulator.Message{
			ID: id, User: phone, UserID: userID, Name: "Simulated", Text: text, SentMs: r.users[m.user].write(m.k,
				p.swapped, due, dueNs, now),
		}
		if p.media {
			messages[i].Media = &emulator.Media{Type: "image", ID: id, MIMEType: "image/jpeg", SHA256: "c2ltdWxhdGVk",
				Caption: text}
		}
		if p.tap > 0 {
			messages[i].ID = id + "." + strconv.Itoa(p.tap)
			messages[i].Tap = &emulator.Tap{ID: "go", Title: text, Prompt: id + ".prompt"}
		}
	}
	if p.tap <= 1 {
		r.posted.Add(int64(len(messages)))
	}
	if p.swapped {
		r.swaps.Add(int64(len(messages)))
	}
	if p.again {
		r.duplicates.Add(1)
	}
	return messages
}

// took notes a reply that the Graph API took.
func (r *record) took(t emulator.Taken) {
	index, known := r.userOf(t.To)
	step, run, to, counter := readReply(t.Text)
	if !known || counter && run != r.run {
		r.others.Add(1) // to another user, or what was left of a run before
		return
	}
	now := r.now()
	one := reply{step: step, id: t.ReplyID, broken: t.Broken, atNs: now}
	for _, m := range to {
		if m.user != index {
			one.ks = nil
			break
		}
		one.ks = append(one.ks, m.k)
	}
	r.replied.Add(r.users[index].take(one, now))
	r.lastNs.Store(now)
}

// answered notes the answer to one try of a webhook: its status, or 0 where there was none.
func (r *record) answered(status int, again bool) {
	if again {
		r.retries.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts[status]++
}

// acceptedAll notes that a webhook was answered 200, so long after it was due.
func (r *record) acceptedAll(messages []ref, took time.Duration) {
	now := r.now()
	r.acceptedNs.Store(now)
	for _, m := range messages {
		if r.users[m.user].accept(m.k, now) {
			r.accepted.Add(1)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accept.add(took)
}

// outstanding is how many accepted messages have no reply.
func (r *record) outstanding() (n int) {
	for i := range r.users {
		u := &r.users[i]
		u.mu.Lock()
		n += u.open
		u.mu.Unlock()
	}
	return n
}

// check judges all users. It names the first few whose conversations went wrong, for a look at
// their timelines, and gives an example of each kind of violation.
func (r *record) check() (c Counts, suspects []string, found examples) {
	for i := range r.users {
		one, violations := r.users[i].check()
		c.add(one)
		if one.Violations(r.options.AllowResent) == 0 {
			continue
		}
		if len(suspects) < 5 {
			suspects = append(suspects, r.phone(i))
		}
		found.add(r, i, violations)
	}
	return c, suspects, found
}

// phone is the number under which a user begins.
func (r *record) phone(user int) string {
	return strconv.FormatInt(r.options.FirstUser+int64(user), 10)
}
