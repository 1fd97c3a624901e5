package definition

import (
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// end clears the state: the next message starts anew.
type end struct{}

func readEnd(p *parser, _ *Step, n *source.Node) Part {
	p.Yes(n, "end")
	return end{}
}

// Run implements Part.
func (end) Run(r *run.Run) (*Step, error) {
	r.End()
	return nil, nil
}

// Ways implements Part.
func (end) Ways() []Way { return nil }
