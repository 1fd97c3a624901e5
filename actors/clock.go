package actors

import "time"

// clock wakes an activation: at the time that its machine asked for, and when it has been idle for
// long enough to leave memory.
type clock struct {
	*subject
	timer    Timer
	alarmMs  int64 // what the machine asked for; 0: nothing
	lastUsed time.Time
}

// schedule sets the timer to the earlier of the two. The timer is not moved with every message:
// when it rings too early it is set again.
func (c *clock) schedule() {
	now := c.runtime.scheduler.Now()
	wait := c.lastUsed.Add(c.runtime.options.IdleAfter).Sub(now)
	if c.alarmMs > 0 {
		wait = min(wait, time.UnixMilli(c.alarmMs).Sub(now))
	}
	wait = max(wait, time.Millisecond)
	if c.timer == nil {
		mailbox := c.mailbox
		c.timer = c.runtime.scheduler.After(wait, func() { mailbox.Post(alarm{}) })
		return
	}
	c.timer.Reset(wait)
}

// use notes that the activation is in use.
func (c *clock) use() { c.lastUsed = c.runtime.scheduler.Now() }

// unusedFor reports whether the activation was not used for so long.
func (c *clock) unusedFor(long time.Duration) bool {
	return c.runtime.scheduler.Now().Sub(c.lastUsed) >= long
}

// due reports whether the machine's time has come.
func (c *clock) due() bool {
	return c.alarmMs > 0 && c.runtime.scheduler.Now().UnixMilli() >= c.alarmMs
}

func (c *clock) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
}
