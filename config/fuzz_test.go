package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wactor/wactor/internal/problem"
)

// FuzzParse feeds any file: either it is a valid configuration, or there are problems with a place;
// and no secret shows.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/problems/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds", err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := Parse("wactor.yaml", src, environment, readTestFile, kinds)
		shown := fmt.Sprintf("%v", err)
		switch {
		case err == nil:
			if err := c.Validate(); err != nil {
				t.Fatalf("accepted, but not valid: %v", err)
			}
			shown = fmt.Sprintf("%+v %#v", c.Admin, c.Cluster)
		case c != nil:
			t.Fatal("a configuration beside an error")
		default:
			wantPlaces(t, err)
		}
		if strings.Contains(shown, "SECRET-") && !strings.Contains(string(src), "SECRET-") {
			t.Fatalf("a secret shows: %s", shown)
		}
	})
}

func wantPlaces(t *testing.T, err error) {
	t.Helper()
	var problems problem.List
	if !errors.As(err, &problems) || len(problems) == 0 {
		t.Fatalf("error %v, want a problem.List", err)
	}
	for _, problem := range problems {
		if problem.Line < 1 || problem.Column < 1 || problem.Message == "" {
			t.Fatalf("problem without a place: %+v", problem)
		}
	}
}
