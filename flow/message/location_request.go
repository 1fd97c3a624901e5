package message

import (
	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// LocationRequest asks for a location with WhatsApp's own button.
type LocationRequest struct{ Body *expr.Template }

func readLocationRequest(c *expr.Compiler, n *source.Node) Message {
	t := c.Template(n, "location_request")
	if t == nil {
		return nil
	}
	c.Some(t, "location_request")
	c.AtMost(t, provider.MaxLocationRequestBody, "location_request", "say the first part of it before")
	return LocationRequest{Body: t}
}

// Post asks.
func (l LocationRequest) Post(r *run.Run) error {
	body, err := r.Text(l.Body)
	if err != nil {
		return err
	}
	return r.Reply(l.Body.At, &wactorv1.Reply{Content: &wactorv1.Reply_LocationRequest{LocationRequest: body}})
}
