package config

import (
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wactor/wactor/conversation/policy"
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
	r.durationBetween(child(path, "budget"), b.Budget, 10*time.Millisecond, 10*time.Second)
	validateRetry(r, child(path, "retry"), &b.Retry)
	r.text(child(path, "on_failure.reply"), b.OnFailure.Reply)
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

func validateRetry(r *report, path string, t *policy.Retry) {
	r.between(child(path, "max_attempts"), t.MaxAttempts, 1, 100)
	r.durationBetween(child(path, "max"), t.Max, 10*time.Millisecond, time.Hour)
	if !r.isFaulty(child(path, "max")) {
		r.durationBetween(child(path, "min"), t.Min, 10*time.Millisecond, t.Max)
	}
	r.optionalDuration(child(path, "unreachable"), t.Unreachable, time.Second, day)
}
