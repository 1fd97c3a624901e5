package flow_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/internal/problem"
)

// notThere are problems that a single step of the documentation has because the rest of its flow is
// not shown.
var notThere = regexp.MustCompile(`^(there is no step|nothing leads to step|nothing sets vars)`)

// TestDocumentation checks every piece of YAML in the authors' guide.
func TestDocumentation(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(read(t, "../docs/flows.md")), -1)
	if len(blocks) < 5 {
		t.Fatalf("%d pieces of YAML", len(blocks))
	}
	for _, block := range blocks {
		src, whole := block[1], strings.HasPrefix(block[1], "name:")
		if !whole {
			first, _, _ := strings.Cut(src, ":")
			src = "name: piece\nstart: " + first + "\nsteps:\n  " + strings.ReplaceAll(src, "\n", "\n  ")
		}
		_, err := flow.Parse("docs", []byte(src))
		var problems problem.List
		errors.As(err, &problems)
		for _, p := range problems {
			if whole || !notThere.MatchString(p.Message) {
				t.Errorf("%v in:\n%s", p, src)
			}
		}
	}
}
