package simulate

import (
	"fmt"
	"strings"
)

// Kind is a kind of violation.
type Kind string

// The kinds of violations, as the rows of the report name them.
const (
	Lost       Kind = "lost"
	Doubled    Kind = "doubled"
	Raced      Kind = "raced"
	OutOfOrder Kind = "out of order"
	Skipped    Kind = "skipped"
	Stray      Kind = "stray"
	Resent     Kind = "resent"
)

// Example is one violation, to look for in the bot's own logs.
type Example struct {
	Kind Kind `json:"kind"`
	// User is the phone number under which the user wrote first.
	User string `json:"user"`
	// Messages are the texts that the user sent: the one that the violation is about, and behind it
	// those that it collided with.
	Messages []string `json:"messages"`
	// Step is the one that the reply named, or that no reply named; 0 where there is none.
	Step int64 `json:"step"`
	// Milliseconds since the run began: when the reply came, or when a lost message was accepted; 0
	// for a skipped step.
	Milliseconds float64 `json:"milliseconds"`
}

// String is a sentence about it.
func (e Example) String() string {
	quoted := make([]string, len(e.Messages))
	for i, text := range e.Messages {
		quoted[i] = fmt.Sprintf("%q", text)
	}
	first, others := strings.Join(quoted[:min(1, len(quoted))], ""), strings.Join(quoted[min(1, len(quoted)):], ", ")
	what := ""
	switch e.Kind {
	case Lost:
		what = first + " was accepted and never replied to"
	case Doubled:
		what = fmt.Sprintf("step %d is a second reply to %s", e.Step, first)
	case Raced:
		what = fmt.Sprintf("step %d answers %s, and %s before", e.Step, first, others)
	case OutOfOrder:
		what = fmt.Sprintf("step %d, to %s, came after the reply to %s", e.Step, first, others)
	case Skipped:
		return fmt.Sprintf("user %s: no reply has step %d", e.User, e.Step)
	case Stray:
		what = "a reply is no counter's, or answers no message of this user"
	case Resent:
		what = fmt.Sprintf("step %d, to %s, was sent again with the same id", e.Step, first)
	}
	return fmt.Sprintf("user %s: %s, at %.1f ms", e.User, what, e.Milliseconds)
}

// violation is an example as the checker of one user knows it.
type violation struct {
	kind Kind
	ks   []int
	step int64
	atNs int64
}

// note keeps the first violation of a kind.
func (c *checker) note(kind Kind, step, atNs int64, ks ...int) {
	for _, before := range c.violations {
		if before.kind == kind {
			return
		}
	}
	c.violations = append(c.violations, violation{kind, ks, step, atNs})
}

// examples collects at most one example of each kind.
type examples []Example

func (e *examples) add(r *record, user int, violations []violation) {
next:
	for _, v := range violations {
		for _, before := range *e {
			if before.Kind == v.kind {
				continue next
			}
		}
		one := Example{Kind: v.kind, User: r.phone(user), Messages: []string{}, Step: v.step,
			Milliseconds: float64(v.atNs) / 1e6}
		for _, k := range v.ks {
			one.Messages = append(one.Messages, ref{user, k}.text(r.run))
		}
		*e = append(*e, one)
	}
}
