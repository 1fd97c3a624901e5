package message

import (
	"slices"
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// media is a file: from a public https address, or by the provider's media id.
type media struct {
	at                          source.Place
	kind                        string
	link, id, caption, filename *expr.Template
}

var mediaKinds = []string{"image", "video", "audio", "document", "sticker"}

func readMedia(c *expr.Compiler, n *source.Node) Message { return readFile(c, n, "media") }

// readFile reads a file; what names it in problems.
func readFile(c *expr.Compiler, n *source.Node, what string) *media {
	f, ok := c.Fields(n, what, "type", "link", "id", "caption", "filename")
	if !ok {
		return &media{}
	}
	m := &media{
		at: n.At, kind: c.Word(f.Get("type"), "type"), link: c.TextOf(f, "link"), id: c.TextOf(f, "id"),
		caption: c.TextOf(f, "caption"), filename: c.TextOf(f, "filename"),
	}
	c.Needs(f, what, "type", "one of "+strings.Join(mediaKinds, ", "))
	if m.kind != "" && !slices.Contains(mediaKinds, m.kind) {
		c.Report(f.Get("type").At, "there is no media of type "+m.kind, source.RemedyFor(m.kind, mediaKinds))
	}
	if f.Has("link") == f.Has("id") {
		c.Report(n.At, what+" needs either link or id", "")
	}
	c.HTTPS(m.link, "link")
	if f.Has("caption") && (m.kind == "audio" || m.kind == "sticker") {
		c.Report(f.Place("caption"), m.kind+" cannot have a caption", "say it in a text")
	}
	c.AtMost(m.caption, provider.MaxCaption, "a caption", "")
	return m
}

// Post implements Message.
func (m *media) Post(r *run.Run) error {
	content, err := m.build(r)
	if err != nil || content == nil {
		return err
	}
	return r.Reply(m.at, &wactorv1.Reply{Content: &wactorv1.Reply_Media{Media: content}})
}

// build makes the file; nil where values make no address or id of one, which is noted.
func (m *media) build(r *run.Run) (*wactorv1.Media, error) {
	out := &wactorv1.Media{Type: m.kind}
	var err error
	if m.link != nil {
		out.Link, err = link(r, m.link, "a file")
	} else {
		out.Id, err = r.Text(m.id)
	}
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(out.Link+out.Id) == "" {
		if m.link == nil {
			r.LeftOut("a file", "its id came out empty")
		}
		return nil, nil
	}
	if out.Caption, err = r.Text(m.caption); err != nil {
		return nil, err
	}
	name, err := r.Text(m.filename)
	out.Filename = fit.Cut(name, maxFilename)
	return out, err
}

// maxFilename bounds a file's name, in characters: what file systems take.
const maxFilename = 240

// link makes an address that WhatsApp opens; empty where the values make none, which is noted as
// the reason why something is left out.
func link(r *run.Run, t *expr.Template, what string) (string, error) {
	address, reason, err := t.Address(&r.Env, "https")
	if reason != "" {
		r.LeftOut(what, reason)
	}
	return address, err
}
