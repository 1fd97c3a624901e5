package simulate

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is what came of a run.
type Report struct {
	Users    int     `json:"users"`
	Messages int     `json:"messages"`
	Pattern  Pattern `json:"pattern"`
	// Accepted were answered 200, Replied got a reply.
	Accepted int `json:"accepted"`
	Replied  int `json:"replied"`
	// Posts are tries by status; "none" is no answer.
	Posts map[string]int `json:"posts"`
	// Seconds is from the first webhook to the last reply.
	Seconds float64 `json:"seconds"`
	// PerSecond is how many messages a second were replied to in that time.
	PerSecond float64 `json:"messagesPerSecond"`
	// Accept is the time of a webhook until its 200, EndToEnd that of a message until the Graph API took the reply; both in
	// milliseconds, and from the time at which the message was due where the load is open.
	Accept   Percentiles `json:"acceptMs"`
	EndToEnd Percentiles `json:"endToEndMs"`
	Counts
	// Violations is what a correct bot has none of.
	Violations int `json:"violations"`
	// Suspects are the first few users with violations.
	Suspects []string `json:"suspects,omitempty"`
}

func (r *record) report(sentNs int64) *Report {
	o := r.options
	out := &Report{
		Users: o.Users, Messages: len(r.messages), Pattern: o.Pattern, Accepted: int(r.accepted.Load()), Replied: int(r.replied.Load()),
		Posts: map[string]int{}, Accept: r.accept.percentiles(),
	}
	out.Counts, out.Suspects = r.check()
	for status, n := range r.posts {
		name := fmt.Sprint(status)
		if status == 0 {
			name = "none"
		}
		out.Posts[name] = n
	}
	var whole latencies
	for _, m := range r.messages {
		if m.repliedNs > 0 {
			whole.add(time.Duration(m.repliedNs - m.dueNs))
		}
	}
	out.EndToEnd = whole.percentiles()
	out.Seconds = float64(max(sentNs, r.lastNs.Load())) / 1e9
	out.PerSecond = float64(out.Replied) / out.Seconds
	out.Violations = out.Counts.Violations(o.AllowResent)
	return out
}

// Write prints the report for people.
func (r *Report) Write(w io.Writer) {
	var posts []string
	for _, status := range slices.Sorted(maps.Keys(r.Posts)) {
		posts = append(posts, fmt.Sprintf("%s: %d", status, r.Posts[status]))
	}
	fmt.Fprintf(w, "users         %d, %d messages, pattern %s\n", r.Users, r.Messages, r.Pattern)
	fmt.Fprintf(w, "webhooks      %s\n", strings.Join(posts, ", "))
	fmt.Fprintf(w, "accepted      %d of %d, replied %d\n", r.Accepted, r.Messages, r.Replied)
	fmt.Fprintf(w, "throughput    %.0f messages a second over %.1f s\n", r.PerSecond, r.Seconds)
	fmt.Fprintf(w, "accept        %s\n", r.Accept)
	fmt.Fprintf(w, "end to end    %s\n", r.EndToEnd)
	fmt.Fprintf(w, "lost          %d\ndoubled       %d\nraced         %d\nout of order  %d\n", r.Lost, r.Doubled, r.Raced, r.OutOfOrder)
	for _, rare := range []struct {
		name string
		n    int
	}{{"skipped", r.Skipped}, {"stray", r.Stray}} {
		if rare.n > 0 {
			fmt.Fprintf(w, "%-13s %d\n", rare.name, rare.n)
		}
	}
	if r.Resent > 0 {
		fmt.Fprintf(w, "resent        %d, of which %d after the Graph API broke the connection\n", r.Resent, r.ResentBroken)
	}
	if r.Violations == 0 {
		fmt.Fprintln(w, "verdict       in order: every message once, in turn")
		return
	}
	fmt.Fprintf(w, "verdict       %d violations, as with users %s\n", r.Violations, strings.Join(r.Suspects, ", "))
}

func (p Percentiles) String() string {
	return fmt.Sprintf("p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms", p.P50, p.P90, p.P99, p.Max)
}
