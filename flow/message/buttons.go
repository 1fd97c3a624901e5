package message

import (
	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// buttons is a message with 1 to 3 buttons that no step waits for: message.choice.id tells which
// one was pressed.
type buttons struct {
	Frame
	options []entry
}

func readButtons(c *expr.Compiler, n *source.Node) Message {
	f, ok := c.Fields(n, "buttons", "body", "header", "footer", "options")
	if !ok {
		return nil
	}
	c.Needs(f, "buttons", "options", "")
	b := &buttons{Frame: readFrame(c, n, f, "buttons", provider.MaxButtonsBody, true)}
	b.options = readEntries(c, f.Get("options"), "options", ButtonLimits, map[string]bool{}, map[string]bool{})
	c.Amount(f.Get("options"), provider.MaxButtons, "buttons", "use a list for up to 10 rows")
	return b
}

func (b *buttons) Post(r *run.Run) error {
	header, body, footer, err := b.Parts(r)
	if err != nil {
		return err
	}
	options, err := options(r, b.options)
	if err != nil {
		return err
	}
	return r.Reply(b.At, &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{
		Body: body, Options: options, Header: header, Footer: footer,
	}}})
}
