package simulate

import (
	"fmt"
	"time"
)

// Report is what came of a run.
type Report struct {
	Users   int     `json:"users"`
	Pattern Pattern `json:"pattern"`
	Seed    uint64  `json:"seed"`
	Traffic
	Speed
	// Flood reports what Options.Flood did; nil without one.
	Flood *FloodReport `json:"flood,omitempty"`
	Counts
	// Violations is what a correct bot has none of.
	Violations int `json:"violations"`
	// Suspects are the first few users with violations.
	Suspects []string `json:"suspects,omitempty"`
	// Examples are one violation of each kind that there is, at most.
	Examples []Example `json:"examples,omitempty"`
}

// Traffic counts what travelled.
type Traffic struct {
	// Messages were posted, Accepted of them answered 200; Replied got a reply.
	Messages int `json:"messages"`
	Accepted int `json:"accepted"`
	Replied  int `json:"replied"`
	// Posts are tries of webhooks by status; "none" is no answer.
	Posts map[string]int `json:"posts"`
	// Retries are tries after one that was not answered 200.
	Retries int `json:"retries"`
	// Duplicates are webhooks that were posted again though nothing was wrong.
	Duplicates int `json:"duplicates"`
	// Swaps are messages that were posted after one that was sent later.
	Swaps int `json:"swaps"`
	// StatusesDropped were never delivered to the bot.
	StatusesDropped int `json:"statusesDropped"`
	// Others are replies to no user of this run: to other users, or what was left of a run before.
	Others int `json:"others"`
	// GraphRequests are requests of the bot to the fake Graph API, whatever became of them.
	GraphRequests int `json:"graphRequests"`
}

// Speed is how fast the bot was.
type Speed struct {
	// Seconds is from the first webhook to the last reply.
	Seconds float64 `json:"seconds"`
	// PerSecond is how many messages a second were replied to in that time.
	PerSecond float64 `json:"messagesPerSecond"`
	// Accept is the time of a webhook until its 200, tries before it included; EndToEnd that of a
	// message until the Graph API took the reply. Both count from the time at which the message was
	// due, in milliseconds.
	Accept   Percentiles `json:"acceptMs"`
	EndToEnd Percentiles `json:"endToEndMs"`
}

// report judges a run whose last webhook was answered at sentNs, and in which nothing moves any
// more.
func (r *record) report(sentNs int64) *Report {
	o := r.options
	out := &Report{
		Users: o.Users, Pattern: o.Pattern, Seed: o.Seed,
		Traffic: Traffic{
			Messages: int(r.posted.Load()), Accepted: int(r.accepted.Load()), Replied: int(r.replied.Load()),
			Posts: map[string]int{}, Retries: int(r.retries.Load()), Duplicates: int(r.duplicates.Load()),
			Swaps: int(r.swaps.Load()), Others: int(r.others.Load()),
		},
		Speed: Speed{
			Accept: r.accept.percentiles(), EndToEnd: r.endToEnd().percentiles(),
			Seconds: float64(max(sentNs, r.lastNs.Load())) / 1e9,
		},
	}
	for status, n := range r.posts {
		name := fmt.Sprint(status)
		if status == 0 {
			name = "none"
		}
		out.Posts[name] = n
	}
	out.PerSecond = float64(out.Replied) / out.Seconds
	out.Counts, out.Suspects, out.Examples = r.check()
	out.Violations = out.Counts.Violations(o.AllowResent)
	return out
}

func (r *record) endToEnd() latencies {
	whole := make(latencies, 0, r.replied.Load())
	for i := range r.users {
		for _, m := range r.users[i].messages {
			if m.repliedNs > 0 {
				whole.add(time.Duration(m.repliedNs - m.dueNs))
			}
		}
	}
	return whole
}
