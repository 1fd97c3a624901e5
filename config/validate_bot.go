package config

import (
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

func (c *Config) validateBots(r *report) {
	for _, name := range slices.Sorted(maps.Keys(c.Bots)) {
		path, b := child("bots", name), c.Bots[name]
		r.name(path, name)
		b.validate(r, path)
	}
}

func (b *Bot) validate(r *report, path string) {
	switch {
	case b.Flow != "" && b.HTTP != nil:
		r.add(path, "remove one", "has both flow and http")
	case b.Flow == "" && b.HTTP == nil && !r.isFaulty(child(path, "flow")):
		r.add(path, "add flow: path/of/flow.yaml or http: { url: ... }", "has neither flow nor http")
	case b.HTTP != nil:
		b.HTTP.validate(r, child(path, "http"))
	}
	b.Retry.validate(r, child(path, "retry"))
	if n := utf8.RuneCountInString(b.OnFailure.Reply); n > 4096 {
		r.add(child(path, "on_failure.reply"), "shorten it", "has %d characters, WhatsApp takes 4096", n)
	}
	b.validatePolicies(r, path)
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// contractHeaders are set by the contract of HTTP bots, or by HTTP itself.
var contractHeaders = []string{
	"Idempotency-Key", "Wactor-Signature", "Content-Type", "Content-Length", "Transfer-Encoding", "Connection", "Host",
}

func (h *HTTPBot) validate(r *report, path string) {
	if h.URL == "" {
		r.required(child(path, "url"), true, `write one such as "http://127.0.0.1:3000/turn"`)
	} else {
		r.url(child(path, "url"), h.URL)
	}
	r.durationBetween(child(path, "timeout"), h.Timeout, 100*time.Millisecond, 10*time.Minute)
	r.between(child(path, "max_concurrent"), h.MaxConcurrent, 1, 10_000)
	for name, value := range h.Headers {
		at := child(path, "headers."+name)
		switch {
		case !headerName.MatchString(name):
			r.add(at, "use letters, digits and hyphens", "is no header name")
		case slices.Contains(contractHeaders, textproto.CanonicalMIMEHeaderKey(name)):
			r.add(at, "remove it", "is set by the contract of bots")
		case strings.ContainsFunc(value.Reveal(), func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			r.add(at, "check for a line break in it", "holds control characters")
		}
	}
}

func (t *Retry) validate(r *report, path string) {
	r.between(child(path, "max_attempts"), t.MaxAttempts, 1, 100)
	r.durationBetween(child(path, "max"), t.Max, 10*time.Millisecond, time.Hour)
	if !r.isFaulty(child(path, "max")) {
		r.durationBetween(child(path, "min"), t.Min, 10*time.Millisecond, t.Max)
	}
}

// validatePolicies refuses what this version would have to ignore: a policy that is written down and not kept is worse than
// one that is missing.
func (b *Bot) validatePolicies(r *report, path string) {
	switch b.Burst.Policy {
	case "merge", "interrupt", "reject":
		r.add(child(path, "burst.policy"), "write "+Enqueue, "%s is not in this version", b.Burst.Policy)
	default:
		r.oneOf(child(path, "burst.policy"), b.Burst.Policy, Enqueue)
	}
	if b.Order.Late == "drop" {
		r.add(child(path, "order.late"), "write "+Process, "drop is not in this version")
	} else {
		r.oneOf(child(path, "order.late"), b.Order.Late, Process)
	}
	for key, value := range map[string]time.Duration{
		"burst.quiet": b.Burst.Quiet, "burst.max_wait": b.Burst.MaxWait, "order.hold": b.Order.Hold, "debounce": b.Debounce,
		"session.idle": b.Session.Idle,
	} {
		if value != 0 {
			r.add(child(path, key), "remove it", "is not in this version")
		}
	}
}
