package flow

import (
	"fmt"
	"strings"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// message is something that a step says.
type message interface {
	// post makes the replies.
	post(r *run) error
}

// messageKinds are the keys of a structured message, each with its reader.
var messageKinds = []string{"text", "buttons", "list", "cta", "media", "location", "location_request"}

// say reads what a step says: a text, a structured message, or a list of both.
func (p *checker) say(n *node) []message {
	if n == nil {
		return nil
	}
	items := []*node{n}
	if n.kind == listNode {
		items = n.items
		if len(items) > MaxReplies {
			p.report(n.at, fmt.Sprintf("say has %d messages, at most %d in a turn", len(items), MaxReplies), "")
		}
	}
	var out []message
	for _, item := range items {
		if m := p.message(item); m != nil {
			out = append(out, m)
		}
	}
	return out
}

func (p *checker) message(n *node) message {
	if n.kind != mapNode {
		return p.plainText(n, false)
	}
	f, ok := p.fields(n, "a message", append([]string{"preview_url"}, messageKinds...)...)
	if !ok {
		return nil
	}
	kind := ""
	for _, key := range messageKinds {
		if !f.has(key) {
			continue
		}
		if kind != "" {
			p.report(n.at, fmt.Sprintf("a message has both %s and %s", kind, key), "make a list of two messages")
			return nil
		}
		kind = key
	}
	if f.has("preview_url") && kind != "text" {
		p.report(f.values["preview_url"].at, "only a text can have preview_url", "")
	}
	return p.structured(n, f, kind)
}

func (p *checker) structured(n *node, f fields, kind string) message {
	switch body := f.get(kind); kind {
	case "text":
		p.yes(f.get("preview_url"), "preview_url")
		return p.plainText(body, f.has("preview_url"))
	case "buttons":
		return p.buttons(body)
	case "list":
		return p.list(body)
	case "cta":
		return p.callToAction(body)
	case "media":
		return p.media(body, "media")
	case "location":
		return p.location(body)
	case "location_request":
		return p.locationRequest(body)
	}
	if len(n.pairs) == 0 || f.has("preview_url") {
		p.report(n.at, "a message is empty", "known: "+strings.Join(messageKinds, ", "))
	}
	return nil
}

// text is a text message.
type text struct {
	body    *template
	preview bool
}

func (p *checker) plainText(n *node, preview bool) message {
	t := p.template(n, "a text")
	if t == nil {
		return nil
	}
	p.some(t, "a text")
	p.atMost(t, MaxText, "a text", "make a list of several texts")
	return text{body: t, preview: preview}
}

// post says nothing where the text comes out blank: the way to say something only sometimes.
func (m text) post(r *run) error {
	body, err := m.body.expand(r)
	if err != nil || strings.TrimSpace(body) == "" {
		return err
	}
	return r.sayText(m.body.at, body, m.preview)
}

// sayText sends a text, in several messages where it is too long for one.
func (r *run) sayText(at place, body string, preview bool) error {
	for _, part := range split(body, MaxText) {
		reply := &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: part}, PreviewUrl: preview}
		if err := r.reply(at, reply); err != nil {
			return err
		}
	}
	return nil
}

// body makes the body of an interactive message. What is past its limit goes before it as texts:
// nothing is lost, and the buttons stay below the end.
func (r *run) body(t *template, limit int) (string, error) {
	body, err := r.required(t, "a body")
	if err != nil {
		return "", err
	}
	parts := split(body, limit)
	for _, part := range parts[:len(parts)-1] {
		if err := r.sayText(t.at, part, false); err != nil {
			return "", err
		}
	}
	return parts[len(parts)-1], nil
}

// required makes a text that WhatsApp does not take empty.
func (r *run) required(t *template, what string) (string, error) {
	out, err := t.expand(r)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(out) == "" {
		return "", r.fail(t.at, what+" came out empty", nil)
	}
	return out, nil
}

// title makes a text that must not be empty and is cut at a limit.
func (r *run) title(t *template, limit int, what string) (string, error) {
	out, err := r.required(t, what)
	return fit(out, limit), err
}

// optional makes a text that may be missing and is cut at a limit.
func (r *run) optional(t *template, limit int) (string, error) {
	if t == nil {
		return "", nil
	}
	out, err := t.expand(r)
	return fit(out, limit), err
}
