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

// media is a file: from a public https address, by the provider's media id, or of the folder
// media.dir.
type media struct {
	at                                source.Place
	kind                              string
	link, id, file, caption, filename *expr.Template
}

var mediaKinds = []string{"image", "video", "audio", "document", "sticker"}

func readMedia(c *expr.Compiler, n *source.Node) Message { return readFile(c, n, "media") }

// readFile reads a file; what names it in problems.
func readFile(c *expr.Compiler, n *source.Node, what string) *media {
	f, ok := c.Fields(n, what, "type", "link", "id", "file", "caption", "filename")
	if !ok {
		return &media{}
	}
	m := &media{
		at: n.At, kind: c.Word(f.Get("type"), "type"), link: c.TextOf(f, "link"), id: c.TextOf(f, "id"),
		file: c.TextOf(f, "file"), caption: c.TextOf(f, "caption"), filename: c.TextOf(f, "filename"),
	}
	c.Needs(f, what, "type", "one of "+strings.Join(mediaKinds, ", "))
	if m.kind != "" && !slices.Contains(mediaKinds, m.kind) {
		c.Report(f.Get("type").At, "there is no media of type "+m.kind, source.RemedyFor(m.kind, mediaKinds))
	}
	given := 0
	for _, key := range []string{"link", "id", "file"} {
		if f.Has(key) {
			given++
		}
	}
	if given != 1 {
		c.Report(n.At, what+" needs one of link, id and file", "")
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

// build makes the file; nil where values make no address, id or path of one, which is noted.
func (m *media) build(r *run.Run) (*wactorv1.Media, error) {
	out := &wactorv1.Media{Type: m.kind}
	var err error
	switch {
	case m.link != nil:
		out.Link, err = link(r, m.link, "a file")
	case m.file != nil:
		out.File, err = r.Text(m.file)
	default:
		out.Id, err = r.Text(m.id)
	}
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(out.Link+out.Id+out.File) == "" {
		if m.link == nil {
			r.LeftOut("a file", "its id or path came out empty")
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
