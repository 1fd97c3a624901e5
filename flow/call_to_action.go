package flow

import wactorv1 "github.com/wactor/wactor/proto/wactor/v1"

// callToAction is a body with a button that opens an address.
type callToAction struct {
	frame
	title, url *template
}

func (p *checker) callToAction(n *node) message {
	f, ok := p.fields(n, "cta", "body", "title", "url", "header", "footer")
	if !ok {
		return nil
	}
	p.needs(f, "cta", "title", "")
	p.needs(f, "cta", "url", "")
	c := &callToAction{frame: p.frame(n, f, "cta", MaxCTABody, true), title: p.textOf(f, "title"), url: p.textOf(f,
		"url")}
	p.atMost(c.title, MaxCTATitle, "title", "")
	p.https(c.url, "url")
	return c
}

func (c *callToAction) post(r *run) error {
	header, body, footer, err := c.parts(r, MaxCTABody)
	if err != nil {
		return err
	}
	title, err := r.title(c.title, MaxCTATitle, "a title")
	if err != nil {
		return err
	}
	url, err := r.link(c.url)
	if err != nil {
		return err
	}
	return r.reply(c.at, &wactorv1.Reply{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{
		Body: body, Title: title, Url: url, Header: header, Footer: footer,
	}}})
}

// locationRequest asks for a location with WhatsApp's own button.
type locationRequest struct{ body *template }

func (p *checker) locationRequest(n *node) message {
	t := p.template(n, "location_request")
	if t == nil {
		return nil
	}
	p.some(t, "location_request")
	p.atMost(t, MaxLocationRequestBody, "location_request", "say the first part of it before")
	return locationRequest{body: t}
}

func (l locationRequest) post(r *run) error {
	body, err := r.body(l.body, MaxLocationRequestBody)
	if err != nil {
		return err
	}
	return r.reply(l.body.at, &wactorv1.Reply{Content: &wactorv1.Reply_LocationRequest{LocationRequest: body}})
}
