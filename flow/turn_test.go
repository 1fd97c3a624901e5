package flow_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/flow"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// parseSteps makes a flow of a text of steps that starts at a.
func parseSteps(t *testing.T, steps string) *flow.Flow {
	t.Helper()
	f, err := flow.Parse("x", []byte("name: x\nstart: a\nvars: { list: [] }\nsteps:\n"+steps))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func text(said string) *wactorv1.Message { return &wactorv1.Message{Type: "text", Text: said} }

// TestTurnLimits: past a limit the turn fails, at the place that went past it.
func TestTurnLimits(t *testing.T) {
	for name, c := range map[string]struct{ steps, want string }{
		"steps": {"  a: { switch: [{ when: version > 5, goto: b }, { default: a }] }\n  b: { end: true }\n",
			"flow: x:5:3: step a: more than 100 steps in one turn: an endless loop"},
		"calls": {"  a: { call: { url: 'https://example.com', on_error: a }, end: true }\n",
			"flow: x:5:14: step a: more than 10 calls in one turn"},
		"replies": {"  a:\n    say: [1, 2, 3, 4, 5]\n    switch: [{ when: version > 5, goto: b }, { default: a }]\n  " +
			"b: { end: true }\n",
			"flow: x:6:11: step a: more than 20 messages in one turn"},
		"state": {"  a: { set: { s: \"repeat('x', 200000)\", t: \"repeat('x', 200000)\" }, wait: a }\n",
			"flow: x:5:3: step a: the state is larger than 256 KiB"},
		"value": {"  a: { set: { l: \"split(repeat('x ', 10001), ' ')\" }, wait: a }\n",
			"flow: x:5:19: step a: a value has more than 10000 elements, or a text more than 256 KiB"},
		"condition": {"  a: { switch: [{ when: vars.list, goto: a }, { default: b }] }\n  b: { end: true }\n",
			"flow: x:5:25: step a: the expression failed: it says neither true nor false"},
	} {
		t.Run(name, func(t *testing.T) {
			f := parseSteps(t, c.steps)
			out, err := f.Step(input(nil, text("hi"), 1))
			for err == nil && out.Call != nil {
				out, err = f.Resume(out.Continuation, flow.CallResult{Failure: flow.CallTimeout})
			}
			if err == nil || err.Error() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// TestTheFirstOfSeveralFailuresIsReported: a turn that is repeated fails in the same way.
func TestTheFirstOfSeveralFailuresIsReported(t *testing.T) {
	f := parseSteps(t, "  a: { set: { m: { d: '1 / 0', c: 'vars.list[5]', b: '1 / 0', a: '1 / 0' } }, wait: a }\n")
	const want = "flow: x:5:24: step a: a number is not finite"
	for range 20 {
		if _, err := f.Step(input(nil, text("hi"), 1)); err == nil || err.Error() != want {
			t.Fatalf("%v, want %s", err, want)
		}
	}
}

// TestLongTexts: what comes out too long is split where nothing may be lost, and cut where it is
// decoration.
func TestLongTexts(t *testing.T) {
	f := parseSteps(t, `  a:
    say:
      - "{{ repeat('word ', 1000) }}"
      - buttons: { body: "{{ repeat('b ', 600) }}end", header: "{{ repeat('h', 70) }}", footer: "{{ repeat('f', 70) }}", options: [{ id: x, title: "{{ repeat('t', 30) }}" }] }
      - { media: { type: image, id: 1, caption: "{{ repeat('c', 1100) }}" } }
    wait: a
`)
	out, err := f.Step(input(nil, text("hi"), 1))
	if err != nil {
		t.Fatal(err)
	}
	checkReplies(t, out.Replies)
	if len(out.Replies) != 5 || !strings.HasSuffix(out.Replies[3].GetButtons().GetBody(), "end") {
		t.Errorf("%d replies: %v", len(out.Replies), out.Replies)
	}
}

// TestLargeState: a state of many large variables is written and read again.
func TestLargeState(t *testing.T) {
	f := parseSteps(t, `  a:
    set:
      l: "1..9000"
      m: "map(1..9000, 'x')"
      deep: fromJSON(repeat('[', 31) + repeat(']', 31))
      n: (vars.n ?? 0) + 1
    say: "{{ vars.n }}"
    wait: a
`)
	first, err := f.Step(input(nil, text("hi"), 1))
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.Step(input(first.State, text("hi"), 2))
	if err != nil || second.Note != "" || second.Replies[0].GetText() != "2" {
		t.Errorf("%v %q %v", err, second.Note, second.Replies)
	}
}

// TestCall is one request as it leaves.
func TestCall(t *testing.T) {
	f := parseSteps(t, `  a:
    call:
      url: "https://example.com/{{ message.text }}"
      body: { text: "{{ message.text }}", n: "{{ version }}", fixed: [true, null, 1.5] }
      headers: { X-Name: "{{ user.name }}", Accept: text/plain }
      timeout: 1500ms
      save: got
    say: "{{ vars.got }}"
    goto: b
  b: { call: { url: "https://example.com" }, end: true }
`)
	out, err := f.Step(input(nil, text("a b"), 3))
	if err != nil {
		t.Fatal(err)
	}
	want := &flow.Call{
		Method: "POST", URL: "https://example.com/a%20b", Timeout: 1500e6, IdempotencyKey: "T3.a.1",
		Headers: []flow.Header{{Name: "Accept", Value: "text/plain"}, {Name: "Content-Type", Value: "application/json"},
			{Name: "X-Name", Value: "Ana"}},
		Body: []byte(`{"fixed":[true,null,1.5],"n":3,"text":"a b"}`),
	}
	if diff := cmp.Diff(want, out.Call); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if out.Replies != nil || out.State != nil {
		t.Errorf("a call with more than a call: %+v", out)
	}
	out, err = f.Resume(out.Continuation, flow.CallResult{Status: 200, Body: []byte(`"fine"`)})
	if err != nil || out.Call == nil || out.Call.IdempotencyKey != "T3.b.2" || out.Call.Method != "GET" {
		t.Fatalf("%v %+v", err, out.Call)
	}
	out, err = f.Resume(out.Continuation, flow.CallResult{Status: 204})
	if err != nil || !out.End || out.Replies[0].GetText() != "fine" {
		t.Errorf("%v %+v", err, out)
	}
}

// TestRetryable: a turn is worth another attempt where its service may be better later.
func TestRetryable(t *testing.T) {
	f := parseSteps(t, "  a: { call: { url: 'https://example.com', save: x, expect: status < 300 && body.ok }, end: "+
		"true }\n")
	for _, c := range []struct {
		result flow.CallResult
		want   bool
		reason string
	}{
		{flow.CallResult{Failure: flow.CallTimeout}, true, "call failed: timeout"},
		{flow.CallResult{Failure: flow.CallUnreachable}, true, "call failed: unreachable"},
		{flow.CallResult{Failure: flow.CallTooLarge}, false, "call failed: answer too large"},
		{flow.CallResult{Status: 500}, true, "call failed: status 500"},
		{flow.CallResult{Status: 429}, true, "call failed: status 429"},
		{flow.CallResult{Status: 408}, true, "call failed: status 408"},
		{flow.CallResult{Status: 404}, false, "call failed: status 404"},
		{flow.CallResult{Status: 200, Body: []byte(`{"ok":false}`)}, false, "call failed: status 200"},
		{flow.CallResult{Status: 200, Body: []byte("\xff")}, false, "call failed: answer is not UTF-8"},
		{flow.CallResult{Status: 200, Body: []byte(strings.Repeat("[", 40))}, false, "call failed: answer too large"},
		{flow.CallResult{Status: 200}, false, "the expression failed: a part of nothing, or of something that has no " +
			"parts"},
	} {
		out, err := f.Step(input(nil, text("hi"), 1))
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Resume(out.Continuation, c.result)
		var failed *flow.RunError
		if !errors.As(err, &failed) || failed.Retryable != c.want || failed.Reason != c.reason {
			t.Errorf("%+v: %+v", c.result, err)
		}
	}
}

// TestPassive: what is no message to the bot changes nothing.
func TestPassive(t *testing.T) {
	f := parseSteps(t, "  a: { say: A, wait: a }\n")
	for _, in := range []flow.Input{
		{Timer: &wactorv1.Timer{}}, {Message: &wactorv1.Message{Type: "reaction", Text: "♥"}},
		{Message: &wactorv1.Message{Type: "new kind"}}, {Message: &wactorv1.Message{}},
	} {
		in.State = json.RawMessage(`{"step":"a","vars":{}}`)
		out, err := f.Step(in)
		if err != nil || out.State != nil || out.End || out.Replies != nil || out.Note == "" {
			t.Errorf("%v: %+v %v", in.Message, out, err)
		}
	}
}

// TestSharedFlow: conversations that share a flow share no values.
func TestSharedFlow(t *testing.T) {
	f := parseSteps(t, "  a: { set: { list: 'concat(vars.list, [message.text])' }, say: '{{ vars.list }}', wait: a }\n")
	done := make(chan string)
	for i := range 8 {
		go func() {
			var state json.RawMessage
			for turn := range 50 {
				out, err := f.Step(input(state, text(fmt.Sprint(i)), turn))
				if err != nil {
					done <- err.Error()
					return
				}
				state = out.State
			}
			done <- strings.Trim(strings.ReplaceAll(string(state), fmt.Sprintf("%q", fmt.Sprint(i)), ""), ",")
		}()
	}
	for range 8 {
		if rest := <-done; strings.ContainsAny(rest, "01234567") {
			t.Errorf("of another conversation: %s", rest)
		}
	}
}

// TestRepliesAreNew: a reply belongs to who asked for it.
func TestRepliesAreNew(t *testing.T) {
	f := parse(t, "testdata/transcripts/choices.yaml")
	one, err := f.Step(input(nil, text("hi"), 1))
	if err != nil {
		t.Fatal(err)
	}
	kept := proto.Clone(one.Replies[0])
	other, err := f.Step(input(nil, text("hi"), 1))
	if err != nil {
		t.Fatal(err)
	}
	other.Replies[0].GetButtons().Options[0].Title = "changed"
	again, err := f.Step(input(nil, text("hi"), 1))
	if err != nil || !proto.Equal(again.Replies[0], kept) {
		t.Errorf("%v %v", again.Replies[0], err)
	}
}

// TestHostIsTheAuthors: a conversation that kept a variable from an earlier flow, in which a user's
// text was saved there, calls the address of the flow of today.
func TestHostIsTheAuthors(t *testing.T) {
	f, err := flow.Parse("x", []byte("name: x\nstart: a\nvars: { base: 'https://example.com' }\nsteps:\n"+
		"  a: { wait: b }\n  b: { call: { url: '{{ vars.base }}/x/{{ message.text }}' }, end: true }\n"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Step(input(nil, text("hi"), 1))
	if err != nil {
		t.Fatal(err)
	}
	state := []byte(strings.Replace(string(out.State), "https://example.com", "https://evil.example", 1))
	if string(state) == string(out.State) {
		t.Fatalf("the state holds no base: %s", state)
	}
	if out, err = f.Step(input(state, text("hi"), 2)); err != nil || out.Call == nil ||
		out.Call.URL != "https://example.com/x/hi" {
		t.Errorf("call %+v, %v", out.Call, err)
	}
}
