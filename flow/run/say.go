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

// Reply says something, made to fit WhatsApp's limits: package fit says how. A turn that has said
// MaxReplies already fails: a loop that the author did not mean. A reply that is split says as much
// of it as there is room for.
func (r *Run) Reply(at source.Place, reply *wactorv1.Reply) error {
	if len(r.replies) >= MaxReplies {
		return expr.Fail(at, fmt.Sprintf("more than %d messages in one turn", MaxReplies), nil)
	}
	r.replies = fit.Append(r.replies, reply, (*fitNotes)(r))
	if len(r.replies) > MaxReplies {
		r.replies = r.replies[:MaxReplies]
		r.Note(fmt.Sprintf("step %s: what was past %d messages was left out", r.Step, MaxReplies))
	}
	return nil
}

// fitNotes notes what was changed of a reply, apart from what authors are promised.
type fitNotes Run

// Changed implements fit.Noter.
func (n *fitNotes) Changed(change string, usual bool) {
	if r := (*Run)(n); !usual {
		r.Note("step " + r.Step + ": " + change)
	}
}

// Say says a text; nothing where it is blank.
func (r *Run) Say(at source.Place, body string, preview bool) error {
	if strings.TrimSpace(body) == "" {
		return nil
	}
	return r.Reply(at, &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: body}, PreviewUrl: preview})
}

// Text makes the text of one template; of one that is nil an empty one.
func (r *Run) Text(t *expr.Template) (string, error) {
	if t == nil {
		return "", nil
	}
	return t.Expand(&r.Env)
}
