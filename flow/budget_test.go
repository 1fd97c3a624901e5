package flow_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/internal/problem"
)

// dear are expressions whose work grows with what a user wrote: m is a text of 4000 characters that
// no two are alike in, b one of 60 KiB, l a list of 6000 numbers, t one of as many texts.
var dear = []string{
	"count(split(vars.m, ''), count(split(vars.m, ''), # == 'x') > 100000)",
	"count(1..9000, count(1..9000, # > 0) > 0)",
	"reduce(1..9000, #acc + #acc, 'x')",
	"reduce(1..9000, #acc + vars.b, '')",
	"len(map(1..9000, vars.b + string(#)))",
	"len(join(map(1..9000, vars.b), ''))",
	"len(replace(vars.b, 'a', vars.b))",
	"len(replace(vars.b, '', vars.b))",
	"len(map(1..9000, split(vars.b, '')))",
	"len(map(1..9000, upper(vars.b)))",
	"len(map(1..9000, toJSON(vars.l)))",
	"len(map(1..9000, sort(vars.l)))",
	"len(map(1..9000, trim(vars.b) + 'x'))",
	"count(1..9000, vars.b matches '(a|b)*c(d|e)*f$')",
	"count(1..9000, vars.b contains 'aaab')",
	"count(1..9000, vars.l == vars.k)",
	"count(vars.l, -1 in vars.l)",
	"count(vars.l, # in vars.t)",
	"count(1..9000, sum(vars.l) < 0)",
	"count(1..9000, max(vars.l) < 0)",
	"len(uniq(vars.t))",
	"len(map(1..9000, uniq(vars.t)))",
	"len(map(1..9000, groupBy(vars.l, #)))",
	"len(map(1..9000, sortBy(vars.t, #)))",
	"len(map(1..9000, concat(vars.l, vars.l)))",
	"len(map(1..9000, flatten([vars.l, vars.l])))",
	"len(map(1..9000, fromJSON(toJSON(vars.l))))",
	"len(map(1..9000, repeat('x', 200000)))",
	"len(" + strings.TrimSuffix(strings.Repeat("vars.b + ", 200), " + ") + ")",
	strings.TrimSuffix(strings.Repeat("vars.b matches '(a|b)*c(d|e)*f$' or ", 60), " or "),
}

// dearFlow is a flow whose step sets r to an expression.
func dearFlow(t *testing.T, expression string) (*flow.Flow, []byte) {
	t.Helper()
	var m, l, texts strings.Builder
	for i := range 4000 {
		m.WriteRune(rune('a' + i%26))
	}
	for i := range 6000 {
		fmt.Fprintf(&l, "%d,", i)
		fmt.Fprintf(&texts, `"t%d",`, i)
	}
	list := "[" + strings.TrimSuffix(l.String(), ",") + "]"
	state := fmt.Sprintf(`{"step":"a","vars":{"b":%q,"k":%s,"l":%s,"m":%q,"t":[%s]}}`, strings.Repeat("a", 60<<10), list,
		list, m.String(), strings.TrimSuffix(texts.String(), ","))
	f, err := flow.Parse("x", []byte("name: x\nstart: a\nvars: { b: '', k: [], l: [], m: '', t: [] }\nsteps:\n  a:\n"+
		"    set:\n      r: |\n        "+expression+"\n    goto: b\n"+
		"  b: { say: '{{ vars.r }}', set: { b: 0, k: 0, l: 0, t: 0, m: 0 }, wait: b }\n"))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return f, []byte(state)
}

// TestWorkIsBounded: whatever the checker admits ends soon, by its steps alone, and holds little.
func TestWorkIsBounded(t *testing.T) {
	for _, expression := range dear {
		f, state := dearFlow(t, expression)
		const limit = 5 * time.Second // the machine may be busy; without a budget these take minutes, or all memory
		start := time.Now()
		out, err := f.Step(input(state, text("hi"), 1))
		took := time.Since(start)
		if out.Note != "" {
			t.Fatalf("the state was not read: %s", out.Note)
		}
		var failed *flow.RunError
		if took > limit {
			t.Errorf("%.60s takes %s", expression, took)
		}
		if err != nil && (!errors.As(err, &failed) || failed.Retryable) {
			t.Errorf("%.60s: %v", expression, err)
		}
		t.Logf("%8s  %.70s  %v", took.Round(time.Millisecond), expression, err)
	}
}

// TestTimeIsBounded: a turn whose time is used up fails, and may be tried again.
func TestTimeIsBounded(t *testing.T) {
	f, state := dearFlow(t, "count(1..90, count(1..90, # > 0) > 0)")
	in := input(state, text("hi"), 1)
	asked := 0
	in.Expired = func() bool { asked++; return asked > 2 }
	_, err := f.Step(in)
	var failed *flow.RunError
	if !errors.As(err, &failed) || !failed.Retryable || failed.Reason != "the expression failed: it takes too long" {
		t.Errorf("%v after %d questions", err, asked)
	}
	in.Expired = func() bool { return false }
	if _, err := f.Step(in); err != nil {
		t.Error(err)
	}
}

// TestTheBudgetHasNoNames: what bounds expressions can't be reached by them.
func TestTheBudgetHasNoNames(t *testing.T) {
	for _, expression := range []string{"$meter(0)", "$meter", "$env", "vars.$meter"} {
		_, err := evaluate(expression, "hi")
		var problems problem.List
		if !errors.As(err, &problems) {
			t.Errorf("%s: %v", expression, err)
		}
	}
}
