package definition

import (
	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// branch goes on with the step of the first case whose condition holds: switch.
type branch struct {
	cases    []branchCase
	fallback *Target
}

type branchCase struct {
	when *expr.Expression
	to   *Target
}

func readSwitch(p *parser, _ *Step, n *source.Node) Part {
	if n.Kind != source.List {
		p.WrongKind(n, "switch", "a list")
		return nil
	}
	b := &branch{}
	for i, item := range n.Items {
		f, ok := p.Fields(item, "a case of switch", "when", "goto", "default")
		if !ok {
			continue
		}
		if f.Has("default") {
			lastCase(p, b, f, i == len(n.Items)-1)
			continue
		}
		p.Needs(f, "a case of switch", "when", "the last case may be default: step")
		p.Needs(f, "a case of switch", "goto", "")
		c := branchCase{to: p.target(f.Get("goto"), "goto")}
		if when := f.Get("when"); when != nil {
			c.when = p.Condition(when, "when", expr.Usual)
		}
		b.cases = append(b.cases, c)
	}
	if b.fallback == nil {
		p.Report(n.At, "switch has no default", "end the list with - default: step")
	}
	return b
}

func lastCase(p *parser, b *branch, f source.Fields, last bool) {
	if !last {
		p.Report(f.Place("default"), "default is not the last case of switch", "nothing after it would run")
	}
	if f.Has("when") || f.Has("goto") {
		p.Report(f.At, "a case of switch has default and when or goto", "write - default: step alone")
	}
	b.fallback = p.target(f.Get("default"), "default")
}

// Run implements Part.
func (b *branch) Run(r *run.Run) (*Step, error) {
	for _, c := range b.cases {
		holds, err := r.Holds(c.when)
		if err != nil {
			return nil, err
		}
		if holds {
			return c.to.Step, nil
		}
	}
	return b.fallback.Step, nil
}

// Ways implements Part.
func (b *branch) Ways() []Way {
	all := make([]Way, 0, len(b.cases)+1)
	for _, c := range b.cases {
		all = append(all, Way{Label: c.when.Text(), To: c.to, Now: true})
	}
	return append(all, Way{Label: "default", To: b.fallback, Now: true})
}
