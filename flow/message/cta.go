package message

import (
	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// callToAction is a body with a button that opens an address.
type callToAction struct {
	Frame
	title, url *expr.Template
}

func readCallToAction(c *expr.Compiler, n *source.Node) Message {
	f, ok := c.Fields(n, "cta", "body", "title", "url", "header", "footer")
	if !ok {
		return nil
	}
	c.Needs(f, "cta", "title", "")
	c.Needs(f, "cta", "url", "")
	cta := &callToAction{Frame: readFrame(c, n, f, "cta", provider.MaxCTABody, true),
		title: c.TextOf(f, "title"), url: c.TextOf(f, "url")}
	c.AtMost(cta.title, provider.MaxCTATitle, "title", "")
	c.HTTPS(cta.url, "url")
	return cta
}

func (c *callToAction) Post(r *run.Run) error {
	header, body, footer, err := c.Parts(r)
	if err != nil {
		return err
	}
	title, err := r.Text(c.title)
	if err != nil {
		return err
	}
	url, err := link(r, c.url, "a button")
	switch {
	case err != nil:
		return err
	case url == "": // what it says is worth saying without the button
		return r.Say(c.At, body, false)
	}
	return r.Reply(c.At, &wactorv1.Reply{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{
		Body: body, Title: title, Url: url, Header: header, Footer: footer,
	}}})
}
