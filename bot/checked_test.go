package bot

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow/fit"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider/cloudapi"
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
		b := Checked(inlined{answer: c.answer, ok: true}, fit.ModeRefuse, short)
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
	b := Checked(inlined{err: failure, ok: true}, fit.ModeCut, short)
	if _, err := b.Turn(t.Context(), &conversation.Turn{}); !errors.Is(err, failure) {
		t.Errorf("Turn failed with %v", err)
	}
	if _, ok, err := b.(Inliner).Inline(&conversation.Turn{}); !ok || !errors.Is(err, failure) {
		t.Errorf("Inline: %v, %v", ok, err)
	}
	if _, ok, err := Checked(inlined{}, fit.ModeCut, short).(Inliner).Inline(&conversation.Turn{}); ok || err != nil {
		t.Errorf("a deferred turn: %v, %v", ok, err)
	}
}

func TestCheckedIsAnInlinerOnlyAroundOne(t *testing.T) {
	f := Func(func(context.Context, *conversation.Turn) (*conversation.Answer, error) { return nil, nil })
	b := Checked(f, fit.ModeCut, nil)
	if _, ok := b.(Inliner); ok {
		t.Error("a Func became an Inliner")
	}
	answer, err := b.Turn(t.Context(), &conversation.Turn{})
	if err != nil || answer == nil || answer.State != nil || answer.Replies != nil {
		t.Errorf("a function that says nothing: %v, %v", answer, err)
	}
}

// TestAReplyPastALimitIsMadeToFit: what a limit is broken by is cut, split or left out, and the
// journal says so; the rest of the answer stays.
func TestAReplyPastALimitIsMadeToFit(t *testing.T) {
	list := func(title string) *wactorv1.Reply {
		return &wactorv1.Reply{Content: &wactorv1.Reply_List{List: &wactorv1.List{Body: "b", Button: "o",
			Sections: []*wactorv1.Section{{Rows: []*wactorv1.Option{{Id: "1", Title: title}}}}}}}
	}
	broken := &wactorv1.Reply{Content: &wactorv1.Reply_Media{Media: &wactorv1.Media{Type: "image", Link: "ftp://x"}}}
	many := make([]*wactorv1.Reply, 22)
	for i := range many {
		many[i] = text("a")
	}
	state := json.RawMessage(`{"a":1}`)
	for name, c := range map[string]struct {
		replies, want []*wactorv1.Reply
		note          string
		reason        string
	}{
		"fits": {replies: []*wactorv1.Reply{text("a")}, want: []*wactorv1.Reply{text("a")}, note: "n"},
		"long text": {replies: []*wactorv1.Reply{text(strings.Repeat("x", 4097)), text("b")},
			want: []*wactorv1.Reply{text(strings.Repeat("x", 4096)), text("x"), text("b")},
			note: "n; replies[0]: a text was split"},
		"long title": {replies: []*wactorv1.Reply{text("before"), list(strings.Repeat("x", 25))},
			want: []*wactorv1.Reply{text("before"), list(strings.Repeat("x", 23) + "…")},
			note: "n; replies[1]: titles were cut"},
		"one can't be sent": {replies: []*wactorv1.Reply{broken, text("b")}, want: []*wactorv1.Reply{text("b")},
			note: "n; replies[0] was left out: cloudapi: reply is not sendable: media.link: is not an https address"},
		"none can be sent": {replies: []*wactorv1.Reply{broken},
			reason: "replies[0]: cloudapi: reply is not sendable: media.link: is not an https address"},
		"too many": {replies: many, want: many[:20], note: "n; 2 replies past 20 were left out"},
	} {
		t.Run(name, func(t *testing.T) {
			given := &conversation.Answer{State: state, Replies: c.replies, Note: "n"}
			b := Checked(inlined{answer: given}, fit.ModeCut, cloudapi.Check)
			kept := make([]*wactorv1.Reply, len(c.replies))
			for i, reply := range c.replies {
				kept[i] = proto.Clone(reply).(*wactorv1.Reply)
			}
			got, err := b.Turn(t.Context(), &conversation.Turn{})
			if c.reason != "" {
				var failed *conversation.BotError
				if !errors.As(err, &failed) || failed.Reason != c.reason || failed.Retryable {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Replies, protocmp.Transform()); diff != "" {
				t.Errorf("replies (-want +got):\n%s", diff)
			}
			if got.Note != c.note || string(got.State) != string(state) {
				t.Errorf("note %q, state %s", got.Note, got.State)
			}
			if diff := cmp.Diff(kept, c.replies, protocmp.Transform()); diff != "" {
				t.Errorf("the bot's own replies changed:\n%s", diff)
			}
		})
	}
}
