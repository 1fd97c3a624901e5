package flow_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/internal/problem"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func seeds(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds %s: %v", pattern, err)
		}
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(src))
		}
	}
}

// FuzzParse: any text is a flow or has problems, each with a place in it; a flow takes a message.
func FuzzParse(f *testing.F) {
	seeds(f, "testdata/check/*.yaml", "testdata/transcripts/*.yaml", "../examples/*/flow.yaml")
	f.Add("\r\ra") // a carriage return alone is a line break, too
	f.Add("name: m\nstart: all\nsteps:\n  all:\n    say:\n      3 \"Hello {{ user.name }}, it is {{ now }}.\"\n" +
		"      - { text: \"{{ version }}\", preview_url: true }\n      - \"{{ ")
	f.Fuzz(func(t *testing.T, src string) {
		parsed, err := flow.Parse("x", []byte(src))
		if err == nil {
			takes(t, parsed, nil, "hi")
			return
		}
		var problems problem.List
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("no problems: %v", err)
		}
		lines := strings.Count(src, "\n") + strings.Count(src, "\r") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Line > lines+1 || p.Message == "" {
				t.Fatalf("a problem outside of %d lines: %v", lines, p)
			}
		}
	})
}

// takes runs one message; services are unreachable.
func takes(t *testing.T, f *flow.Flow, state []byte, text string) flow.Output {
	t.Helper()
	out, err := f.Step(input(state, &wactorv1.Message{Type: "text", Text: text}, 1))
	for err == nil && out.Call != nil {
		out, err = f.Resume(out.Continuation, flow.CallResult{Failure: flow.CallUnreachable})
	}
	var failed *flow.RunError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("not a RunError: %v", err)
	}
	checkReplies(t, out.Replies)
	return out
}

// FuzzState: a state from anywhere is taken, or the conversation starts again and the note says so.
func FuzzState(f *testing.F) {
	flows := everyFlow(f)
	for _, state := range []string{
		``, `{"step":"count","vars":{"n":1}}`, `{"asked":true,"step":"mail","tries":1,"vars":{"name":"Ana"}}`, `{"step":"gone","vars":{}}`,
		`{"asked":true,"step":"name","tries":9223372036854775807}`, `[]`, `{"step":"name","tries":-1,"vars":[]}`, `{"vars":{"n":{}},"step":"count"}`,
	} {
		f.Add(state, "hi")
	}
	f.Fuzz(func(t *testing.T, state, text string) {
		for _, one := range flows {
			out := takes(t, one, []byte(state), text)
			if note := flow.RestartNote(one, []byte(state)); note != "" && out.State != nil &&
				!strings.Contains(out.Note, note) {
				t.Fatalf("restarted in silence: %q says %q", state, out.Note)
			}
		}
	})
}

// FuzzTemplate: a text of a flow is refused, or comes out within WhatsApp's limits, twice the same.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{
		"Hello {{ user.name }}", "{{ {'a': 1}.a }}}", "{{ '}}' }}", "{{", "}}", "{{ message.text + `}}` }}",
		"{{ [1, 2] }} {{ now }}", "{{ 'x", "{{ 1 // }} \n }}",
	} {
		f.Add(text, "hi")
	}
	f.Fuzz(func(t *testing.T, text, said string) {
		src := "name: x\nstart: a\nsteps:\n  a:\n    say: " + quote(text) + "\n    wait: a\n"
		parsed, err := flow.Parse("x", []byte(src))
		if err != nil {
			return
		}
		first, again := takes(t, parsed, nil, said), takes(t, parsed, nil, said)
		if len(first.Replies) != len(again.Replies) {
			t.Fatal("two runs differ")
		}
		for i := range first.Replies {
			if first.Replies[i].GetText() != again.Replies[i].GetText() {
				t.Fatalf("two runs differ: %q and %q", first.Replies[i], again.Replies[i])
			}
		}
	})
}

// quote makes a YAML scalar of a text.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(text) + `"`
}
