package flow_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/flow/transcript"
	"github.com/wactor/wactor/internal/problem"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestProblems checks every broken flow of testdata/check: what is said of it is beside it.
func TestProblems(t *testing.T) {
	for _, path := range glob(t, "testdata/check/*.yaml") {
		t.Run(name(path), func(t *testing.T) {
			_, err := flow.Parse(filepath.Base(path), read(t, path))
			var problems problem.List
			if !errors.As(err, &problems) {
				t.Fatalf("no problems in a broken flow: %v", err)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".problems", problems.Error()+"\n")
		})
	}
}

// TestTranscripts plays every transcript of testdata and of the examples.
func TestTranscripts(t *testing.T) {
	for _, pattern := range []string{"testdata/transcripts/*.transcript", "../examples/*/*.transcript"} {
		for _, path := range glob(t, pattern) {
			t.Run(name(path), func(t *testing.T) {
				f := parse(t, transcript.FlowOf(path, string(read(t, path))))
				got, err := transcript.Play(f, string(read(t, path)))
				if err != nil {
					t.Fatal(err)
				}
				golden(t, path, got)
			})
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return paths
}

func name(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func parse(t testing.TB, path string) *flow.Flow {
	t.Helper()
	f, err := flow.Parse(path, read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(read(t, path)), got); diff != "" {
		t.Errorf("%s (-file +now):\n%s", path, diff)
	}
}
