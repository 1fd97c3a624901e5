package definition

import (
	"github.com/wactor/wactor/flow/message"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// say sends messages.
type say []message.Message

func readSay(p *parser, _ *Step, n *source.Node) Part { return say(message.Read(p.Compiler, n)) }

// readMessage makes a key of a step of a kind of message: media is short for say: [{media: ...}].
func readMessage(key string) func(*parser, *Step, *source.Node) Part {
	return func(p *parser, _ *Step, n *source.Node) Part {
		return say{message.ReadKind(p.Compiler, key, n)}
	}
}

// Run implements Part.
func (s say) Run(r *run.Run) (*Step, error) {
	for _, m := range s {
		if err := m.Post(r); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Ways implements Part.
func (say) Ways() []Way { return nil }
