package definition

import (
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// wait stops; the next message enters the step that it names.
type wait struct{ to *Target }

func readWait(p *parser, _ *Step, n *source.Node) Part { return wait{to: p.target(n, "wait")} }

// Run implements Part.
func (w wait) Run(r *run.Run) (*Step, error) {
	r.Wait(w.to.Step.Name)
	return nil, nil
}

// Ways implements Part.
func (w wait) Ways() []Way { return []Way{{Label: "next message", To: w.to}} }
