package definition

import (
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// jump goes on with another step: goto.
type jump struct{ to *Target }

func readGoto(p *parser, _ *Step, n *source.Node) Part { return jump{to: p.target(n, "goto")} }

// Run implements Part.
func (j jump) Run(*run.Run) (*Step, error) { return j.to.Step, nil }

// Ways implements Part.
func (j jump) Ways() []Way { return []Way{{To: j.to, Now: true}} }
