package flow

import (
	"strconv"
	"strings"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// media is a file: from a public https address, or by the provider's media id.
type media struct {
	at                          place
	kind                        string
	link, id, caption, filename *template
}

var mediaKinds = []string{"image", "video", "audio", "document", "sticker"}

func (p *checker) media(n *node, what string) *media {
	f, ok := p.fields(n, what, "type", "link", "id", "caption", "filename")
	if !ok {
		return &media{}
	}
	m := &media{
		at: n.at, kind: p.word(f.get("type"), "type"), link: p.textOf(f, "link"), id: p.textOf(f, "id"),
		caption: p.textOf(f, "caption"), filename: p.textOf(f, "filename"),
	}
	p.needs(f, what, "type", "one of "+strings.Join(mediaKinds, ", "))
	if m.kind != "" && !contains(mediaKinds, m.kind) {
		p.report(f.get("type").at, "there is no media of type "+m.kind, remedyFor(m.kind, mediaKinds))
	}
	if f.has("link") == f.has("id") {
		p.report(n.at, what+" needs either link or id", "")
	}
	p.https(m.link, "link")
	if f.has("caption") && (m.kind == "audio" || m.kind == "sticker") {
		p.report(f.values["caption"].at, m.kind+" cannot have a caption", "say it in a text")
	}
	p.atMost(m.caption, MaxCaption, "a caption", "")
	return m
}

// textOf reads a text that may be missing.
func (p *checker) textOf(f fields, key string) *template {
	if !f.has(key) {
		return nil
	}
	t := p.template(f.get(key), key)
	p.some(t, key)
	return t
}

// https reports an address that WhatsApp cannot open. One that starts with an expression is seen
// only when it is sent.
func (p *checker) https(t *template, what string) {
	if t == nil || len(t.parts) == 0 || t.parts[0].expr != nil {
		return
	}
	if !strings.HasPrefix(t.parts[0].literal, "https://") {
		p.report(t.at, what+" is not an https address", "WhatsApp opens https:// only")
	}
}

func (m *media) post(r *run) error {
	content, err := m.make(r)
	if err != nil {
		return err
	}
	return r.reply(m.at, &wactorv1.Reply{Content: &wactorv1.Reply_Media{Media: content}})
}

func (m *media) make(r *run) (*wactorv1.Media, error) {
	out := &wactorv1.Media{Type: m.kind}
	var err error
	if m.link != nil {
		out.Link, err = r.link(m.link)
	} else {
		out.Id, err = r.required(m.id, "a media id")
	}
	if err != nil {
		return nil, err
	}
	if out.Caption, err = r.optional(m.caption, MaxCaption); err != nil {
		return nil, err
	}
	out.Filename, err = r.optional(m.filename, maxFilename)
	return out, err
}

// maxFilename bounds a file's name, in characters: what file systems take.
const maxFilename = 240

// location is a pin on a map.
type location struct {
	at                                 place
	latitude, longitude, name, address *template
}

func (p *checker) location(n *node) *location {
	f, ok := p.fields(n, "location", "latitude", "longitude", "name", "address")
	if !ok {
		return &location{}
	}
	p.needs(f, "location", "latitude", "")
	p.needs(f, "location", "longitude", "")
	l := &location{
		at: n.at, latitude: p.textOf(f, "latitude"), longitude: p.textOf(f, "longitude"),
		name: p.textOf(f, "name"), address: p.textOf(f, "address"),
	}
	p.degrees(l.latitude, 90)
	p.degrees(l.longitude, 180)
	return l
}

func (p *checker) degrees(t *template, bound float64) {
	if t == nil {
		return
	}
	if text, ok := t.literal(); ok && !isDegrees(text, bound) {
		p.report(t.at, "not between -"+strconv.Itoa(int(bound))+" and "+strconv.Itoa(int(bound))+" degrees", "")
	}
}

func isDegrees(text string, bound float64) bool {
	v, err := strconv.ParseFloat(text, 64)
	return err == nil && v >= -bound && v <= bound
}

func (l *location) post(r *run) error {
	out := &wactorv1.Location{}
	var err error
	if out.Latitude, err = r.degrees(l.latitude, 90); err != nil {
		return err
	}
	if out.Longitude, err = r.degrees(l.longitude, 180); err != nil {
		return err
	}
	if out.Name, err = r.optional(l.name, MaxCaption); err != nil {
		return err
	}
	if out.Address, err = r.optional(l.address, MaxCaption); err != nil {
		return err
	}
	return r.reply(l.at, &wactorv1.Reply{Content: &wactorv1.Reply_Location{Location: out}})
}

func (r *run) degrees(t *template, bound float64) (float64, error) {
	text, err := t.expand(r)
	if err != nil {
		return 0, err
	}
	text = strings.TrimSpace(text)
	if !isDegrees(text, bound) {
		return 0, r.fail(t.at, "a coordinate did not come out as degrees", nil)
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err
}
