package simulate

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/whatsapp/emulator"
)

// record keeps what was sent and what came back. It is safe for concurrent use.
type record struct {
	options *Options
	run     string // names the run in ids and texts, so that two runs on one bot do not meet
	began   time.Time

	messages []message // acceptedNs and repliedNs are atomic while the run lasts

	locks   [64]sync.Mutex // of the users' replies, by user
	replies [][]reply

	accepted, replied, resent atomic.Int64
	lastNs                    atomic.Int64 // when the last reply came

	mu     sync.Mutex
	accept latencies
	posts  map[int]int // by status; 0 where there was no answer
}

func newRecord(o *Options, run string) *record {
	return &record{
		options: o, run: run, began: time.Now(), messages: make([]message, o.Users*o.Messages), replies: make([][]reply, o.Users),
		posts: map[int]int{},
	}
}

func (r *record) now() int64 { return time.Since(r.began).Nanoseconds() }

// message builds a message by its number.
func (r *record) message(number int, sent time.Time) emulator.Message {
	user := r.options.FirstUser + int64(number/r.options.Messages)
	n := strconv.Itoa(number)
	return emulator.Message{
		ID: "wamid." + r.run + "." + n, User: strconv.FormatInt(user, 10), Name: "Simulated", SentMs: sent.UnixMilli(), Text: r.run + " " + n,
	}
}

// took notes a reply that the Graph API took.
func (r *record) took(m emulator.Taken) {
	at := r.now()
	user, err := strconv.ParseInt(m.To, 10, 64)
	user -= r.options.FirstUser
	if err != nil || user < 0 || user >= int64(r.options.Users) {
		return // not one of ours
	}
	step, number := readReply(r.run, m.Text)
	lock := &r.locks[user%int64(len(r.locks))]
	lock.Lock()
	r.replies[user] = append(r.replies[user], reply{step: step, number: number, id: m.ReplyID, broken: m.Broken})
	lock.Unlock()
	r.lastNs.Store(at)
	if number >= 0 && number < len(r.messages) && number/r.options.Messages == int(user) {
		if atomic.CompareAndSwapInt64(&r.messages[number].repliedNs, 0, at) {
			r.replied.Add(1)
		}
	}
}

// answered notes the answer to one try of a webhook: its status, or 0 where there was none.
func (r *record) answered(status int, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts[status]++
	if status == 200 {
		r.accept.add(took)
	}
}

// acceptedAll notes that a webhook was answered 200.
func (r *record) acceptedAll(numbers []int) {
	at := r.now()
	for _, number := range numbers {
		if atomic.CompareAndSwapInt64(&r.messages[number].acceptedNs, 0, at) {
			r.accepted.Add(1)
		}
	}
}

// outstanding is how many accepted messages have no reply yet.
func (r *record) outstanding() int64 { return r.accepted.Load() - r.replied.Load() }

// check judges all users, and names the first few whose conversations went wrong, for a look at their timelines.
func (r *record) check() (c Counts, suspects []string) {
	for user := range r.replies {
		first := user * r.options.Messages
		lock := &r.locks[user%len(r.locks)]
		lock.Lock()
		one := checkUser(r.messages[first:first+r.options.Messages], first, r.replies[user])
		lock.Unlock()
		c.add(one)
		if one.Violations(r.options.AllowResent) > 0 && len(suspects) < 5 {
			suspects = append(suspects, strconv.FormatInt(r.options.FirstUser+int64(user), 10))
		}
	}
	return c, suspects
}
