package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wactor/wactor/conversation/policy"
)

// maxText is how long a text message may be, in characters: developers.facebook.com, Cloud API,
// text messages.
const maxText = 4096

// validatePolicies refuses, besides what is out of bounds, what would be ignored: a policy that is
// written down and not kept is worse than one that is missing.
func (b *Bot) validatePolicies(r *report, path string) {
	validateReceives(r, child(path, "receives"), b.Receives)
	validateBurst(r, child(path, "burst"), &b.Burst)
	r.optionalDuration(child(path, "order.hold"), b.Order.Hold, time.Millisecond, 5*time.Minute)
	r.optionalDuration(child(path, "debounce"), b.Debounce, time.Millisecond, time.Minute)
	b.validateStale(r, path)
	validateSession(r, child(path, "session"), &b.Session)
	if b.Flow != "" && b.Session.Turn {
		r.add(child(path, "session.turn"), "remove it, or answer by http",
			"does nothing with a flow, which has no step for the end of a session")
	}
	validateLoopGuard(r, child(path, "loop_guard"), &b.LoopGuard)
	validateHandoff(r, child(path, "handoff"), &b.Handoff)
}

func validateReceives(r *report, path string, types []string) {
	if r.has(path) && len(types) == 0 {
		r.add(path, "name the types, or remove it", "names no type of message: the bot would never run")
	}
	known := slices.Concat(policy.DefaultReceives, policy.Passive, []string{policy.Failed})
	for i, kind := range types {
		r.oneOf(element(path, i), kind, known...)
	}
}

func validateBurst(r *report, path string, b *policy.Burst) {
	r.optionalDuration(child(path, "quiet"), b.Quiet, time.Millisecond, 5*time.Minute)
	if !r.isFaulty(child(path, "quiet")) {
		r.optionalDuration(child(path, "max_wait"), b.MaxWait, max(b.Quiet, time.Millisecond), time.Hour)
	}
	r.between(child(path, "max_messages"), b.MaxMessages, 1, 1000)
	r.text(child(path, "notice"), b.Notice)
	validateFlush(r, child(path, "flush"), b.Flush)
	if r.isFaulty(child(path, "policy")) {
		return
	}
	waits := b.Policy.Waits()
	const waitRemedy = "write policy: merge or policy: interrupt, or remove it"
	r.unused(child(path, "quiet"), !waits && b.Quiet != 0, b.Policy, waitRemedy)
	r.unused(child(path, "max_wait"), !waits && b.MaxWait != 0, b.Policy, waitRemedy)
	r.unused(child(path, "max_messages"), !waits && r.has(child(path, "max_messages")), b.Policy, waitRemedy)
	r.unused(child(path, "flush"), !waits && len(b.Flush) > 0, b.Policy, waitRemedy)
	r.unused(child(path, "notice"), !b.Policy.Rejects() && b.Notice != "", b.Policy,
		"write policy: reject, or remove it")
	if waits && !b.Policy.Interrupts() && b.Quiet == 0 && b.MaxWait != 0 {
		r.add(child(path, "max_wait"), "add quiet, such as 1500ms, or remove it",
			"bounds the wait for quiet, and there is none")
	}
	if waits && b.Quiet == 0 && len(b.Flush) > 0 {
		r.add(child(path, "flush"), "add quiet, such as 1500ms, or remove it",
			"ends the wait for quiet, and there is none")
	}
}

// unused reports a key that does nothing under a policy.
func (r *report) unused(path string, set bool, p policy.BurstPolicy, remedy string) {
	if set {
		r.add(path, remedy, "does nothing with policy %s", p)
	}
}

func validateFlush(r *report, path string, words []string) {
	if n := len(words); n > 100 {
		r.add(path, "keep the ones that users write", "has %d texts, at most 100 are compared", n)
	}
	for i, word := range words {
		switch n := utf8.RuneCountInString(word); {
		case n == 0:
			r.add(element(path, i), "write a word such as done, or remove it", "is empty")
		case strings.TrimSpace(word) != word:
			r.add(element(path, i), "write it without: messages are compared without outer space",
				"begins or ends with white space")
		case n > 100:
			r.add(element(path, i), "write a word that users write alone",
				"has %d characters, at most 100 are compared", n)
		}
	}
}

func (b *Bot) validateStale(r *report, path string) {
	buttons, reply := child(path, "stale_buttons"), child(path, "stale_reply")
	r.text(reply, b.StaleReply)
	switch {
	case r.isFaulty(buttons), r.isFaulty(reply):
	case b.StaleButtons == policy.Answer && b.StaleReply == "":
		r.required(reply, true, "write the text that stale_buttons: answer sends")
	case b.StaleButtons != policy.Answer && b.StaleReply != "":
		r.add(reply, "write stale_buttons: answer, or remove it", "is not sent with stale_buttons: %s", b.StaleButtons)
	}
}

func validateSession(r *report, path string, s *policy.Session) {
	r.optionalDuration(child(path, "idle"), s.Idle, time.Second, 366*day)
	if s.Idle == 0 && s.Turn {
		r.add(child(path, "turn"), "give idle a time, such as 24h, or remove it",
			"asks for a turn at the end of a session, and idle: 0s ends none")
	}
}

func validateLoopGuard(r *report, path string, g *policy.LoopGuard) {
	r.between(child(path, "repeats"), g.Repeats, 0, 1000)
	r.durationBetween(child(path, "window"), g.Window, time.Second, day)
	r.between(child(path, "exchanges"), g.Exchanges, 0, 10_000)
	r.between(child(path, "unasked"), g.Unasked, 0, 10_000)
}

func validateHandoff(r *report, path string, h *policy.Handoff) {
	r.between(child(path, "hold"), h.Hold, 1, 1000)
	r.optionalDuration(child(path, "for"), h.For, time.Minute, 365*day)
	r.optionalDuration(child(path, "on_echo"), h.OnEcho, time.Minute, 365*day)
}

func (p *Pace) validate(r *report, path string) {
	if p.Off {
		return
	}
	const remedy = "write pace: off to send without one"
	if n := p.MessagesPerSecond; n < 1 || n > 1000 {
		r.add(child(path, "messages_per_second"), remedy, "must be 1 to 1000, not %s",
			r.show(child(path, "messages_per_second"), strconv.Itoa(n)))
	}
	if n := p.PairBurst; n < 1 || n > 1000 {
		r.add(child(path, "pair_burst"), remedy, "must be 1 to 1000, not %s", r.show(child(path, "pair_burst"),
			strconv.Itoa(n)))
	}
	r.durationBetween(child(path, "pair_every"), p.PairEvery, 10*time.Millisecond, time.Minute)
}

// optionalDuration reports a duration that is neither 0 nor within bounds.
func (r *report) optionalDuration(path string, value, least, most time.Duration) {
	if value != 0 && (value < least || value > most) {
		r.add(path, "", "must be 0s, or %s to %s, not %s", formatDuration(least), formatDuration(most),
			r.show(path, formatDuration(value)))
	}
}

// text reports a text that is too long to be sent.
func (r *report) text(path, value string) {
	if n := utf8.RuneCountInString(value); n > maxText {
		r.add(path, "shorten it", "has %d characters, WhatsApp takes %d", n, maxText)
	}
}
