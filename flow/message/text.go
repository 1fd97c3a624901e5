package message

import (
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	"github.com/wactor/wactor/provider"
)

// text is a text message.
type text struct {
	body    *expr.Template
	preview bool
}

func readText(c *expr.Compiler, n *source.Node) Message { return textOf(c, n, false) }

func textOf(c *expr.Compiler, n *source.Node, preview bool) Message {
	t := c.Template(n, "a text")
	if t == nil {
		return nil
	}
	c.Some(t, "a text")
	c.AtMost(t, provider.MaxText, "a text", "make a list of several texts")
	return text{body: t, preview: preview}
}

// Post says nothing where the text comes out blank: the way to say something only sometimes.
func (m text) Post(r *run.Run) error {
	body, err := m.body.Expand(&r.Env)
	if err != nil || strings.TrimSpace(body) == "" {
		return err
	}
	return r.Say(m.body.At, body, m.preview)
}
