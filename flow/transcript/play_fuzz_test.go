package transcript_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/flow/transcript"
)

// FuzzPlay: any text is a transcript or has a bad line, and what was played plays to itself.
func FuzzPlay(f *testing.F) {
	paths, err := filepath.Glob("../../examples/*/*.transcript")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no transcripts: %v", err)
	}
	flows := []*flow.Flow{parse(f)}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
		src, err := os.ReadFile(transcript.FlowOf(path, string(text)))
		if err != nil {
			f.Fatal(err)
		}
		one, err := flow.Parse("x", src)
		if err != nil {
			f.Fatal(err)
		}
		flows = append(flows, one)
	}
	for _, text := range []string{
		"", "\n\n", "> ", ">", "> hi\n= 200 {\"a\":1} \n= timeout\n=\n<\n|",
		"@ now 2026-01-01T00:00:00Z\n@ state {\"step\":\"a\"}\n@ show state\n> hi\r\n",
		"> [location 1 2]\n> [image x]\n> [tap id=a]\n> [x]\n> [", "@ flow x.yaml\n@ name\n> a\\nb",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		transcript.FlowOf("dir/talk.transcript", text)
		for _, one := range flows {
			played, err := transcript.Play(one, text)
			if err != nil {
				if !errors.Is(err, transcript.ErrTranscript) {
					t.Fatalf("not an ErrTranscript: %v", err)
				}
				continue
			}
			if again, err := transcript.Play(one, played); err != nil || again != played {
				t.Fatalf("%v: it plays to %q, and then to %q", err, played, again)
			}
		}
	})
}
