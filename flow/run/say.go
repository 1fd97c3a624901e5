package run

import (
	"fmt"
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Replies returns what the run says.
func (r *Run) Replies() []*wactorv1.Reply { return r.replies }

// Reply says something.
func (r *Run) Reply(at source.Place, reply *wactorv1.Reply) error {
	if len(r.replies) >= MaxReplies {
		return expr.Fail(at, fmt.Sprintf("more than %d messages in one turn", MaxReplies), nil)
	}
	r.replies = append(r.replies, reply)
	return nil
}

// Say says a text, in several messages where it is too long for one.
func (r *Run) Say(at source.Place, body string, preview bool) error {
	for _, part := range fit.Split(body, fit.MaxText) {
		reply := &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: part}, PreviewUrl: preview}
		if err := r.Reply(at, reply); err != nil {
			return err
		}
	}
	return nil
}

// Body makes the body of an interactive message. What is past its limit goes before it as texts:
// nothing is lost, and the buttons stay below the end.
func (r *Run) Body(t *expr.Template, limit int) (string, error) {
	body, err := r.Required(t, "a body")
	if err != nil {
		return "", err
	}
	parts := fit.Split(body, limit)
	for _, part := range parts[:len(parts)-1] {
		if err := r.Say(t.At, part, false); err != nil {
			return "", err
		}
	}
	return parts[len(parts)-1], nil
}

// Required makes a text that WhatsApp does not take empty.
func (r *Run) Required(t *expr.Template, what string) (string, error) {
	out, err := t.Expand(&r.Env)
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(out) == "" {
		return "", expr.Fail(t.At, what+" came out empty", nil)
	}
	return out, nil
}

// Title makes a text that must not be empty and is cut at a limit.
func (r *Run) Title(t *expr.Template, limit int, what string) (string, error) {
	out, err := r.Required(t, what)
	return fit.Cut(out, limit), err
}

// Optional makes a text that may be missing and is cut at a limit.
func (r *Run) Optional(t *expr.Template, limit int) (string, error) {
	if t == nil {
		return "", nil
	}
	out, err := t.Expand(&r.Env)
	return fit.Cut(out, limit), err
}

// Link makes an address that WhatsApp opens.
func (r *Run) Link(t *expr.Template) (string, error) {
	address, reason, err := t.Address(&r.Env, "https")
	if err == nil && reason != "" {
		err = expr.Fail(t.At, reason, nil)
	}
	return address, err
}
