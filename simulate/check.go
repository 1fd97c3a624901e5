package simulate

import (
	"strconv"
	"strings"
)

// message is what is known of one message that was sent.
type message struct {
	// postedNs and acceptedNs are when it was first posted and when it was first answered 200, since the run began; 0 where not.
	postedNs, acceptedNs int64
	// dueNs is when it was to be posted, where the load is open; else as postedNs.
	dueNs int64
	// sentS is the second in which the user sent it, as the webhook says.
	sentS int64
	// repliedNs is when the first reply to it came.
	repliedNs int64
}

// reply is one message that the Graph API took, in the order in which it took them.
type reply struct {
	// step and number (of the message) are read from its text; number is -1 where it is no counter's.
	step   int64
	number int
	// id is its biz_opaque_callback_data.
	id string
	// broken says that the bot never learnt that it was taken.
	broken bool
}

// readReply reads "step <n>: <text>", where the text ends with the message's number: "<run> <number>".
func readReply(run, text string) (step int64, number int) {
	rest, ok := strings.CutPrefix(text, "step ")
	digits, said, ok1 := strings.Cut(rest, ": ")
	name, last, ok2 := strings.Cut(said, " ")
	if !ok || !ok1 || !ok2 || name != run {
		return 0, -1
	}
	step, err := strconv.ParseInt(digits, 10, 64)
	number, err1 := strconv.Atoi(last)
	if err != nil || err1 != nil || number < 0 {
		return 0, -1
	}
	return step, number
}

// Counts are what the checker found.
type Counts struct {
	// Lost messages were answered 200 and never replied to.
	Lost int `json:"lost"`
	// Doubled messages were replied to by two different replies: they ran twice.
	Doubled int `json:"doubled"`
	// Raced replies tell a step that another reply of the same user told: a state was read twice.
	Raced int `json:"raced"`
	// OutOfOrder replies came after one of a later step, or answer a message before one that was accepted before it was sent.
	OutOfOrder int `json:"outOfOrder"`
	// Skipped steps were told by no reply: something ran of which nobody heard.
	Skipped int `json:"skipped"`
	// Stray replies are no counter's, or answer no message of this run.
	Stray int `json:"stray"`
	// Resent replies came again under the same id; of those the bot had reason to doubt ResentBroken, whose connection the
	// Graph API had broken.
	Resent       int `json:"resent"`
	ResentBroken int `json:"resentBroken"`
}

// Violations is what a correct bot has none of.
func (c Counts) Violations(allowResent bool) int {
	n := c.Lost + c.Doubled + c.Raced + c.OutOfOrder + c.Skipped + c.Stray
	if !allowResent {
		n += c.Resent - c.ResentBroken
	}
	return n
}

func (c *Counts) add(o Counts) {
	c.Lost += o.Lost
	c.Doubled += o.Doubled
	c.Raced += o.Raced
	c.OutOfOrder += o.OutOfOrder
	c.Skipped += o.Skipped
	c.Stray += o.Stray
	c.Resent += o.Resent
	c.ResentBroken += o.ResentBroken
}

// checkUser judges one user: its messages, the first of which has the number first, and its replies.
func checkUser(messages []message, first int, replies []reply) Counts {
	var c Counts
	replies = withoutResent(&c, replies)
	answered := make([]bool, len(messages))
	steps := map[int64]bool{}
	var handled []int
	var highest, lowest int64
	for _, r := range replies {
		k := r.number - first
		if r.number < 0 || k < 0 || k >= len(messages) {
			c.Stray++
			continue
		}
		if answered[k] {
			c.Doubled++
			continue
		}
		answered[k] = true
		switch {
		case steps[r.step]:
			c.Raced++
		case r.step < highest:
			c.OutOfOrder++
		}
		if len(steps) == 0 || r.step < lowest {
			lowest = r.step
		}
		steps[r.step] = true
		highest = max(highest, r.step)
		handled = append(handled, k)
	}
	for k, m := range messages {
		if m.acceptedNs > 0 && !answered[k] {
			c.Lost++
		}
	}
	c.OutOfOrder += overtaken(messages, handled)
	if gaps := int(highest-lowest+1) - len(steps); len(steps) > 0 && gaps > 0 && c.Lost == 0 && c.Raced == 0 {
		c.Skipped = gaps
	}
	return c
}

// withoutResent leaves out replies that came again under the same id.
func withoutResent(c *Counts, replies []reply) []reply {
	seen := map[string]bool{} // whether the last one was broken
	var out []reply
	for _, r := range replies {
		broken, again := seen[r.id]
		if r.id == "" || !again {
			out = append(out, r)
		} else {
			c.Resent++
			if broken {
				c.ResentBroken++
			}
		}
		seen[r.id] = r.broken
	}
	return out
}

// overtaken counts the messages that were handled after one that was posted only when they had been accepted, though their
// times of sending do not say otherwise.
func overtaken(messages []message, handled []int) int {
	n := 0
	for i, k := range handled {
		for _, before := range handled[max(0, i-64):i] {
			m, b := messages[k], messages[before]
			if m.acceptedNs > 0 && m.acceptedNs < b.postedNs && m.sentS <= b.sentS {
				n++
				break
			}
		}
	}
	return n
}
