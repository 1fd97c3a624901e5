//go:build linux

package system_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wactor/wactor/cluster/placement"
)

// outages measures how long webhooks of a shard were not accepted: from the arrival of the first
// that is not answered 200, or not yet, until the next answer of 200 for any webhook of the shard.
// Without a fault that is the latency of an accept. The longest gap between accepted webhooks of
// all shards was refused: two thirds of the shards go on while one node is dead, and would hide
// what the others' users see. The time until one webhook is accepted was refused, too: it is that
// of the sender's back-off.
type outages struct {
	shards uint32

	mu     sync.Mutex
	states map[uint32]*shardState
	from   time.Time     // of the span that is looked at
	worst  time.Duration // of the span, without what is still out
}

// shardState is what waits in one shard.
type shardState struct {
	since   time.Time // arrival of the first webhook that waits; zero: none does
	waiting int       // requests without an answer
}

func newOutages(shards int) *outages {
	return &outages{shards: uint32(shards), states: map[uint32]*shardState{}}
}

// arrived notes a webhook; the caller tells answered how it ended.
func (o *outages) arrived(shard uint32, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.states[shard]
	if s == nil {
		s = &shardState{}
		o.states[shard] = s
	}
	s.waiting++
	if s.since.IsZero() {
		s.since = now
	}
}

func (o *outages) answered(shard uint32, accepted bool, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.states[shard]
	s.waiting--
	if !accepted {
		return
	}
	if !s.since.IsZero() {
		o.worst = max(o.worst, o.lasted(s, now))
	}
	s.since = time.Time{}
	if s.waiting > 0 { // the others have waited, but not for the shard
		s.since = now
	}
}

// lasted is how long a shard was out in the span.
func (o *outages) lasted(s *shardState, now time.Time) time.Duration {
	if s.since.Before(o.from) {
		return now.Sub(o.from)
	}
	return now.Sub(s.since)
}

// begin begins a new span.
func (o *outages) begin(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.worst = now, 0
}

// longest returns the longest outage of a shard since begin, those that have not ended included.
func (o *outages) longest(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	worst := o.worst
	for _, s := range o.states {
		if !s.since.IsZero() {
			worst = max(worst, o.lasted(s, now))
		}
	}
	return worst
}

// shardOf returns the shard to which a webhook goes, by the first user whom it names. A user who
// writes under another name than that of the conversation is counted where that name would be; from
// there the webhook goes on to the conversation.
func (o *outages) shardOf(body []byte) uint32 {
	var webhook struct {
		Entry []struct {
			Changes []struct {
				Value struct {
					Messages []struct {
						From   string `json:"from"`
						UserID string `json:"from_user_id"`
					} `json:"messages"`
				} `json:"value"`
			} `json:"changes"`
		} `json:"entry"`
	}
	if json.Unmarshal(body, &webhook) != nil || len(webhook.Entry) == 0 || len(webhook.Entry[0].Changes) == 0 ||
		len(webhook.Entry[0].Changes[0].Value.Messages) == 0 {
		return 0 // statuses: they do not count
	}
	first := webhook.Entry[0].Changes[0].Value.Messages[0]
	user := first.From
	if user == "" {
		user = first.UserID
	}
	return placement.ShardOf("shop/"+user, o.shards)
}

// spans are the longest outages of the rounds of a test.
type spans []time.Duration

// String returns the median, the 99th percentile and the longest.
func (s spans) String() string {
	if len(s) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(s))
	at := func(percent int) time.Duration { return sorted[(len(sorted)*percent+99)/100-1].Round(time.Millisecond) }
	all := make([]string, len(s))
	for i, d := range s {
		all[i] = d.Round(time.Millisecond).String()
	}
	text := fmt.Sprintf("p50 %v, p99 %v, longest %v", at(50), at(99), at(100))
	if len(s) <= 10 {
		text += " of " + strings.Join(all, ", ")
	}
	return text
}

func TestOutages(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }
	o := newOutages(4)
	want := func(name string, now int, milliseconds int) {
		t.Helper()
		if got := o.longest(at(now)); got != time.Duration(milliseconds)*time.Millisecond {
			t.Errorf("%s: %v, want %d ms", name, got, milliseconds)
		}
	}
	o.begin(at(0))
	want("nothing came", 100, 0)
	o.arrived(1, at(100))
	want("one waits", 105, 5)
	o.answered(1, true, at(110))
	want("it was accepted", 500, 10)
	o.arrived(1, at(1000))
	o.answered(1, false, at(1001))
	o.arrived(2, at(1500))
	o.answered(2, true, at(1501))
	want("refused, and nothing accepted since but by another shard", 1600, 600)
	o.arrived(1, at(1700))
	o.arrived(1, at(1710))
	o.answered(1, true, at(1720))
	want("accepted again", 1725, 720)
	o.begin(at(1730))
	want("a new span counts from its own begin what waits still", 1740, 10)
	o.answered(1, true, at(1750))
	want("until it is accepted", 1800, 20)
}
