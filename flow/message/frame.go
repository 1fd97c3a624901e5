package message

import (
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Frame is what buttons, lists and calls to action have in common.
type Frame struct {
	At          source.Place
	Body        *expr.Template
	headerText  *expr.Template
	headerMedia *media
	Footer      *expr.Template
}

func readFrame(
	c *expr.Compiler, n *source.Node, f source.Fields, what string, bodyLimit int, mediaAllowed bool,
) Frame {
	c.Needs(f, what, "body", "")
	return ReadFrame(c, n, f, "body", bodyLimit, mediaAllowed)
}

// ReadFrame reads a frame whose body has the given key and limit.
func ReadFrame(
	c *expr.Compiler, n *source.Node, f source.Fields, bodyKey string, bodyLimit int, mediaAllowed bool,
) Frame {
	out := Frame{At: n.At, Body: c.TextOf(f, bodyKey), Footer: c.TextOf(f, "footer")}
	c.AtMost(out.Body, bodyLimit, bodyKey, "say the first part of it before")
	c.AtMost(out.Footer, provider.MaxFooter, "footer", "")
	header := f.Get("header")
	if header == nil || header.Kind != source.Map {
		out.headerText = c.TextOf(f, "header")
		c.AtMost(out.headerText, provider.MaxHeaderText, "header", "")
		return out
	}
	if !mediaAllowed {
		c.Report(header.At, "only a text can be the header here", "")
		return out
	}
	out.headerMedia = readFile(c, header, "header")
	if kind := out.headerMedia.kind; kind == "audio" || kind == "sticker" {
		c.Report(header.At, kind+" cannot be a header", "image, video or document")
	}
	if out.headerMedia.caption != nil {
		c.Report(out.headerMedia.caption.At, "a header cannot have a caption", "")
	}
	return out
}

func (f Frame) header(r *run.Run) (*wactorv1.Header, error) {
	if f.headerMedia != nil {
		content, err := f.headerMedia.build(r)
		if err != nil || content == nil {
			return nil, err
		}
		return &wactorv1.Header{Content: &wactorv1.Header_Media{Media: content}}, nil
	}
	title, err := r.Text(f.headerText)
	if err != nil || strings.TrimSpace(title) == "" {
		return nil, err
	}
	return &wactorv1.Header{Content: &wactorv1.Header_Text{Text: title}}, nil
}

// Parts makes header, body and footer. Any of them may be too long or blank.
func (f Frame) Parts(r *run.Run) (header *wactorv1.Header, body, footer string, err error) {
	if body, err = r.Text(f.Body); err != nil {
		return nil, "", "", err
	}
	if header, err = f.header(r); err != nil {
		return nil, "", "", err
	}
	footer, err = r.Text(f.Footer)
	return header, body, footer, err
}
