package simulate

// Counts are what the checker found.
type Counts struct {
	// Replies are those to messages of this run, each counted once: fewer than messages where one
	// answers several.
	Replies int `json:"replies"`
	// Lost messages were answered 200 and never replied to.
	Lost int `json:"lost"`
	// Doubled replies are second ones to a message, under another id or none: it ran twice, or was
	// answered twice.
	Doubled int `json:"doubled"`
	// Raced replies name a step that a reply to another message of the user named: a state was read
	// twice.
	Raced int `json:"raced"`
	// OutOfOrder replies came after one of a later step, or answer a message after one that was
	// posted only when it had been accepted.
	OutOfOrder int `json:"outOfOrder"`
	// Skipped steps are in no reply: something ran and its reply is missing.
	Skipped int `json:"skipped"`
	// Stray replies are no counter's, or answer no message that the user sent in this run.
	Stray int `json:"stray"`
	// Resent replies came again with the same id and text. Of those the bot had reason to resend
	// ResentBroken, since its connection to the Graph API had broken, and had sent nothing later
	// meanwhile. What a killed bot had written to its connection may come after all that the next
	// one sends: where a reply may be resent at any time, it may be late, too.
	Resent       int `json:"resent"`
	ResentBroken int `json:"resentBroken"`
}

// Violations is what a correct bot has none of. That it sends a reply again after a broken
// connection is no violation: the provider has no other way to find out. With allowResent it may at
// any time, as a bot does that was killed before it noted that it had sent.
func (c Counts) Violations(allowResent bool) int {
	n := c.Lost + c.Doubled + c.Raced + c.OutOfOrder + c.Skipped + c.Stray
	if !allowResent {
		n += c.Resent - c.ResentBroken
	}
	return n
}

func (c *Counts) add(o Counts) {
	c.Replies += o.Replies
	c.Lost += o.Lost
	c.Doubled += o.Doubled
	c.Raced += o.Raced
	c.OutOfOrder += o.OutOfOrder
	c.Skipped += o.Skipped
	c.Stray += o.Stray
	c.Resent += o.Resent
	c.ResentBroken += o.ResentBroken
}
