package transcript_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/flow/transcript"
)

func parse(t testing.TB) *flow.Flow {
	t.Helper()
	f, err := flow.Parse("x", []byte(`name: x
start: a
steps:
  a:
    say: "{{ message.text }}"
    call: { url: "https://example.com", on_error: a2 }
    wait: a
  a2: { say: "one\n\n{{ error }}", wait: a }
`))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPlayIsStable: a played transcript plays to itself, whatever its bot lines were before.
func TestPlayIsStable(t *testing.T) {
	const want = "# first\n> hi\\nthere\n? GET https://example.com\n= 204\n< hi\n| there\n\n> again\n? GET " +
		"https://example.com\n= timeout\n< one\n|\n| timeout\n! call in step a failed: timeout\n"
	for _, script := range []string{"# first\n> hi\\nthere\n= 204\n< wrong\n| more\n\n> again\n= timeout\n", want} {
		got, err := transcript.Play(parse(t), script)
		if err != nil || got != want {
			t.Errorf("%v\n%s", err, got)
		}
	}
}

func TestBadLines(t *testing.T) {
	for script, want := range map[string]string{
		"hello":                    `bad line 1: "hello" starts with none of`,
		"< hello":                  "bad line 1: an answer before the first message",
		"> hi\n> [tap Nothing]":    `bad line 2: transcript: not a message: nothing with the title or id "Nothing" was shown`,
		"> [location here]":        "a location is [location 52.5 13.4]",
		"> []":                     "nothing in the brackets",
		"@ colour red":             `unknown setting "colour"`,
		"@ now noon":               "bad line 1: parsing time",
		"> hi\n= soon":             `"soon" is neither a status nor timeout`,
		"# ok\n\n@ name Bo\nwhat?": "bad line 4:",
	} {
		_, err := transcript.Play(parse(t), script)
		if !errors.Is(err, transcript.ErrTranscript) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", script, err, want)
		}
	}
}

func TestFlowOf(t *testing.T) {
	for _, c := range []struct{ text, want string }{{"> hi\n", "dir/talk.yaml"}, {"# x\n@ flow flow.yaml\n",
		"dir/flow.yaml"}, {"@ flow ../b.yaml", "b.yaml"}} {
		if got := transcript.FlowOf("dir/talk.transcript", c.text); got != c.want {
			t.Errorf("FlowOf(%q) = %s, want %s", c.text, got, c.want)
		}
	}
}
