package bot

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// inlined answers every turn inline, and with an error by Turn.
type inlined struct {
	answer *conversation.Answer
	ok     bool
	err    error
}

func (b inlined) Turn(context.Context, *conversation.Turn) (*conversation.Answer, error) {
	return b.answer, b.err
}

func (b inlined) Inline(*conversation.Turn) (*conversation.Answer, bool, error) {
	return b.answer, b.ok, b.err
}

func text(body string) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: body}}
}

// short is a check as a channel has one.
func short(reply *wactorv1.Reply) error {
	if len(reply.GetText()) > 5 {
		return errors.New("text: 6 or more characters, at most 5")
	}
	return nil
}

func TestChecked(t *testing.T) {
	replies := func(n int) []*wactorv1.Reply {
		all := make([]*wactorv1.Reply, n)
		for i := range all {
			all[i] = text("a")
		}
		return all
	}
	cases := map[string]struct {
		answer *conversation.Answer
		reason string
	}{
		"good":      {&conversation.Answer{Replies: replies(20), State: json.RawMessage(`{"a":1}`)}, ""},
		"no answer": {nil, "no answer"},
		"channel's limit": {&conversation.Answer{Replies: []*wactorv1.Reply{text("a"), text("longer")}},
			"replies[1]: text: 6 or more characters, at most 5"},
		"no reply":           {&conversation.Answer{Replies: []*wactorv1.Reply{nil}}, "replies[0]: has no content"},
		"too many":           {&conversation.Answer{Replies: replies(21)}, "replies: 21 in one turn, at most 20"},
		"state is no object": {&conversation.Answer{State: json.RawMessage(`[1]`)}, "state: must be an object, not a list"},
		"state is no JSON":   {&conversation.Answer{State: json.RawMessage(`{a}`)}, "state: not JSON in UTF-8"},
		"state is empty":     {&conversation.Answer{State: json.RawMessage{}}, "state: not JSON in UTF-8"},
		"timer without delay": {&conversation.Answer{Timers: []conversation.SetTimer{{Name: "a"}}},
			"timers[0].after: must be more than 0s and at most 31622400s"},
	}
	for name, c := range cases {
		b := Checked(inlined{answer: c.answer, ok: true}, short)
		byTurn, turnErr := b.Turn(t.Context(), &conversation.Turn{})
		byInline, ok, inlineErr := b.(Inliner).Inline(&conversation.Turn{})
		if !ok {
			t.Errorf("%s: Inline did not answer", name)
		}
		for how, err := range map[string]error{"Turn": turnErr, "Inline": inlineErr} {
			var failure *conversation.BotError
			switch {
			case c.reason == "" && err != nil:
				t.Errorf("%s: %s failed: %v", name, how, err)
			case c.reason != "" && (!errors.As(err, &failure) || failure.Retryable || failure.Reason != c.reason):
				t.Errorf("%s: %s failed with %v, want %s for good", name, how, err, c.reason)
			}
		}
		if c.reason == "" && (byTurn != c.answer || byInline != c.answer) || c.reason != "" && (byTurn != nil ||
			byInline != nil) {
			t.Errorf("%s: answers %v and %v", name, byTurn, byInline)
		}
	}
}

func TestCheckedPassesFailuresOn(t *testing.T) {
	failure := conversation.Temporary("http 503")
	b := Checked(inlined{err: failure, ok: true}, short)
	if _, err := b.Turn(t.Context(), &conversation.Turn{}); !errors.Is(err, failure) {
		t.Errorf("Turn failed with %v", err)
	}
	if _, ok, err := b.(Inliner).Inline(&conversation.Turn{}); !ok || !errors.Is(err, failure) {
		t.Errorf("Inline: %v, %v", ok, err)
	}
	if _, ok, err := Checked(inlined{}, short).(Inliner).Inline(&conversation.Turn{}); ok || err != nil {
		t.Errorf("a deferred turn: %v, %v", ok, err)
	}
}

func TestCheckedIsAnInlinerOnlyAroundOne(t *testing.T) {
	f := Func(func(context.Context, *conversation.Turn) (*conversation.Answer, error) { return nil, nil })
	b := Checked(f, nil)
	if _, ok := b.(Inliner); ok {
		t.Error("a Func became an Inliner")
	}
	answer, err := b.Turn(t.Context(), &conversation.Turn{})
	if err != nil || answer == nil || answer.State != nil || answer.Replies != nil {
		t.Errorf("a function that says nothing: %v, %v", answer, err)
	}
}
