package simulate

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Write prints the report for people.
func (r *Report) Write(w io.Writer) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-14s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("users", "%d, pattern %s, seed %d", r.Users, r.Pattern, r.Seed)
	row("messages", "%d posted, %d accepted, %d replied to in %d replies", r.Messages, r.Accepted, r.Replied, r.Replies)
	row("webhooks", "%s; %d retries, %d duplicates, %d swapped", r.statuses(), r.Retries, r.Duplicates, r.Swaps)
	row("throughput", "%.0f messages a second for %.1f s", r.PerSecond, r.Seconds)
	row("", "%9s %9s %9s %9s", "p50", "p90", "p99", "max")
	row("accept", "%s", r.Accept)
	row("end to end", "%s", r.EndToEnd)
	if r.Flood != nil {
		row("  alone", "%s", r.Flood.Alone)
		row("  beside flood", "%s", r.Flood.Beside)
		row("flood", "%d posted by one more user, %d accepted", r.Flood.Posted, r.Flood.Accepted)
	}
	for _, count := range r.rows() {
		if count.n > 0 || !count.rare {
			row(count.name, "%d%s", count.n, count.note)
		}
	}
	for _, one := range r.Examples {
		row("", "%s: %s", one.Kind, one)
	}
	if r.Accepted > 0 && r.GraphRequests == 0 {
		row("graph", "the fake Graph API got no request: does the bot send to --graph?")
	}
	row("verdict", "%s", r.verdict())
}

// count is a row of the report; a rare one is left out where it is 0.
type count struct {
	name string
	n    int
	rare bool
	note string
}

func (r *Report) rows() []count {
	note := ""
	if r.ResentBroken > 0 {
		note = fmt.Sprintf(", of which %d after the connection to the Graph API broke", r.ResentBroken)
	}
	return []count{
		{"lost", r.Lost, false, ""},
		{"doubled", r.Doubled, false, ""},
		{"raced", r.Raced, false, ""},
		{"out of order", r.OutOfOrder, false, ""},
		{"skipped", r.Skipped, true, " steps in no reply"},
		{"stray", r.Stray, true, " replies that are no counter's, or to the wrong user"},
		{"resent", r.Resent, true, " replies that came again with the same id" + note},
		{"others", r.Others, true, " replies to no user of this run"},
		{"statuses", r.StatusesDropped, true, " not delivered to the bot"},
	}
}

// statuses is how webhooks were answered.
func (r *Report) statuses() string {
	var out []string
	for _, status := range slices.Sorted(maps.Keys(r.Posts)) {
		if status == "none" {
			out = append(out, fmt.Sprintf("%d without an answer", r.Posts[status]))
		} else {
			out = append(out, fmt.Sprintf("%d answered %s", r.Posts[status], status))
		}
	}
	return strings.Join(out, ", ")
}

func (r *Report) verdict() string {
	switch {
	case r.Violations > 0:
		return fmt.Sprintf("FAILED: %d violations; look at users %s", r.Violations, strings.Join(r.Suspects, ", "))
	case r.Accepted < r.Messages:
		return fmt.Sprintf("ok for what was accepted; %d messages never were", r.Messages-r.Accepted)
	case r.Resent > 0:
		return "ok: every message ran once, in order; replies in doubt came twice"
	}
	return "ok: every message was answered once, in order"
}

// String is a row of four columns, in milliseconds.
func (p Percentiles) String() string {
	return fmt.Sprintf("%6.1f ms %6.1f ms %6.1f ms %6.1f ms", p.P50, p.P90, p.P99, p.Max)
}
