package definition

import (
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// handoff ends with a note for the operators, in the journal. The note is a literal: journals hold
// nothing that a user wrote.
type handoff struct{ note string }

// maxNote bounds the note of a handoff, in characters.
const maxNote = 200

func readHandoff(p *parser, _ *Step, n *source.Node) Part {
	if n.Kind == source.Scalar && n.Value == true {
		return handoff{note: "passed to an operator"}
	}
	t := p.Template(n, "handoff")
	if t == nil {
		return nil
	}
	note, ok := t.Literal()
	if !ok {
		p.Report(n.At, "the note of a handoff cannot have {{ }}", "journals hold nothing that a user wrote")
	}
	p.Some(t, "the note of a handoff")
	p.AtMost(t, maxNote, "the note of a handoff", "")
	return handoff{note: "passed to an operator: " + note}
}

// Run implements Part.
func (h handoff) Run(r *run.Run) (*Step, error) {
	r.Note(h.note)
	r.End()
	return nil, nil
}

// Ways implements Part.
func (handoff) Ways() []Way { return nil }
