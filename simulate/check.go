package simulate

// message is what is known of one message that a user sent. Times are nanoseconds since the run
// began; 0 where it was not.
type message struct {
	// dueNs is when it was to be posted, postedNs when it first was (or a little before).
	dueNs, postedNs int64
	// acceptedNs is when a webhook with it was first answered 200.
	acceptedNs int64
	// repliedNs is when the first reply to it came.
	repliedNs int64
	// sentS is the second in which the user sent it, as the webhook says (Unix).
	sentS int64
}

// reply is one message that the Graph API took, in the order in which it took them.
type reply struct {
	// step and the messages that it answers are read from its text; there are none where it is no
	// counter's answer to this user.
	step int64
	ks   []int
	// id is its biz_opaque_callback_data.
	id string
	// broken says that the bot never learnt that it was taken.
	broken bool
	atNs   int64 // when it was taken
}

// again is what makes a reply the same as another: its id, and what it says. A bot that sends one
// id with everything (the name of a campaign) has no ids.
type again struct {
	id    string
	step  int64
	first int
	n     int
}

// checkUser judges one user: its messages, and its replies in order. It returns one violation of
// each kind that there are any of.
func checkUser(messages []message, replies []reply) (Counts, []violation) {
	c := checker{messages: messages, answered: make([]bool, len(messages)), steps: map[int64]int{},
		named: map[int]reply{}, seen: map[again]bool{}}
	for _, r := range replies {
		c.take(r)
	}
	for k, m := range messages {
		if m.acceptedNs > 0 && !c.answered[k] {
			c.Lost++
			c.note(Lost, 0, m.acceptedNs, k)
		}
	}
	c.OutOfOrder += c.overtaken()
	c.Skipped = c.skipped()
	return c.Counts, c.violations
}

type checker struct {
	Counts
	messages []message
	answered []bool
	handled  []int         // messages, in the order of their first replies
	steps    map[int64]int // the first message that the step answered
	highest  int64
	// named is the step that answered a message first, and when.
	named map[int]reply
	// seen are the replies that came; true where the bot never learnt of the last of them.
	seen       map[again]bool
	violations []violation
}

func (c *checker) take(r reply) {
	if !c.known(r.ks) {
		c.Stray++
		c.note(Stray, r.step, r.atNs)
		return
	}
	key := again{r.id, r.step, r.ks[0], len(r.ks)}
	broken, before := c.seen[key]
	c.seen[key] = r.broken
	late := r.step < c.highest
	if before && r.id != "" {
		c.Resent++
		if broken && !late { // late: the bot went on to the next step before it knew
			c.ResentBroken++
		} else {
			c.note(Resent, r.step, r.atNs, r.ks[0])
		}
		return
	}
	fresh := c.answer(r)
	other, named := c.steps[r.step]
	switch {
	case named && fresh > 0:
		c.Raced++
		c.note(Raced, r.step, r.atNs, r.ks[0], other)
	case late:
		c.OutOfOrder++
		c.note(OutOfOrder, r.step, r.atNs, r.ks[0], c.steps[c.highest])
	}
	c.Doubled += len(r.ks) - fresh
	c.Replies++
	if !named {
		c.steps[r.step] = r.ks[0]
	}
	c.highest = max(c.highest, r.step)
}

// known reports whether a reply answers messages, and none that was not sent.
func (c *checker) known(ks []int) bool {
	for _, k := range ks {
		if k < 0 || k >= len(c.messages) {
			return false
		}
	}
	return len(ks) > 0
}

// answer notes that messages were answered, and returns how many of them were not before.
func (c *checker) answer(r reply) (fresh int) {
	for _, k := range r.ks {
		if c.answered[k] {
			c.note(Doubled, r.step, r.atNs, k)
			continue
		}
		c.answered[k], c.named[k] = true, r
		c.handled = append(c.handled, k)
		fresh++
	}
	return fresh
}

// overtaken counts the messages that were handled after one that was posted only when they had been
// accepted, though their times of sending do not say otherwise. It looks back over 64 messages:
// more are never under way for one user.
func (c *checker) overtaken() int {
	n := 0
	for i, k := range c.handled {
		for _, before := range c.handled[max(0, i-64):i] {
			m, b := c.messages[k], c.messages[before]
			if m.acceptedNs > 0 && m.acceptedNs < b.postedNs && m.sentS <= b.sentS {
				n++
				c.note(OutOfOrder, c.named[k].step, c.named[k].atNs, k, before)
				break
			}
		}
	}
	return n
}

// skipped counts the steps between the first and the last that no reply named. Where something else
// went wrong already it says nothing new. What a user's steps began with is not known, since the
// bot may have counted before.
func (c *checker) skipped() int {
	if len(c.steps) == 0 || c.Lost > 0 || c.Raced > 0 {
		return 0
	}
	lowest := c.highest
	for step := range c.steps {
		lowest = min(lowest, step)
	}
	n := int(c.highest-lowest+1) - len(c.steps)
	for step := lowest; n > 0; step++ {
		if _, named := c.steps[step]; !named {
			c.note(Skipped, step, 0)
			break
		}
	}
	return n
}
