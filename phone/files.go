package phone

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// sample is what a person can attach without a file of the own.
type sample struct {
	media   emulator.Media
	content func() []byte
}

// samples are the attachments without a file, by their kinds.
var samples = map[string]sample{
	"image":    {emulator.Media{Type: "image", MIMEType: "image/jpeg"}, samplePhoto},
	"document": {emulator.Media{Type: "document", MIMEType: "application/pdf", Filename: "document.pdf"}, samplePage},
	"audio":    {emulator.Media{Type: "audio", MIMEType: "audio/ogg; codecs=opus", Voice: true}, sampleVoice},
	"video":    {emulator.Media{Type: "video", MIMEType: "video/mp4"}, nil},
}

// samplePhoto is a small picture.
var samplePhoto = sync.OnceValue(func() []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			picture.Set(x, y, color.RGBA{uint8(40 + x/2), uint8(90 + y/2), 160, 255})
		}
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, picture, nil) // a buffer takes everything
	return out.Bytes()
})

// samplePage is the least that is a document of one page.
func samplePage() []byte {
	return []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n" +
		"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
}

// sampleVoice has the beginning of a voice message, and no sound.
func sampleVoice() []byte { return append([]byte("OggS\x00\x02"), make([]byte, 1000)...) }

// attachment makes a message's file of what the page sends, and its content.
func (m *mediaFile) attachment() (emulator.Media, []byte) {
	chosen := samples[m.Type]
	file := chosen.media
	file.Caption = m.Caption
	if len(m.Data) == 0 {
		return file, chosen.content()
	}
	file.Filename, file.Voice = "", false
	if m.Type == "document" {
		file.Filename = m.Filename
	}
	if m.MIMEType != "" {
		file.MIMEType = m.MIMEType
	}
	return file, m.Data
}

// keep keeps the content of a message's file, so that the bot can read it as it reads a user's.
func (p *Phone) keep(file *emulator.Media, content []byte) {
	sum := sha256.Sum256(content)
	file.SHA256 = base64.StdEncoding.EncodeToString(sum[:])
	file.ID = p.emulated.Keep(emulator.File{
		MIMEType: file.MIMEType, Content: content, PhoneNumberID: p.options.Number.PhoneNumberID,
	})
}

// file shows a file of either side to the page. What could hold scripts is an attachment.
func (p *Phone) file(w http.ResponseWriter, r *http.Request) {
	kept, ok := p.emulated.Kept(r.PathValue("id"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	kind, _, _ := strings.Cut(kept.MIMEType, "/")
	if kind != "image" && kind != "audio" && kind != "video" || strings.Contains(kept.MIMEType, "svg") {
		header.Set("Content-Disposition", "attachment")
	}
	header.Set("Content-Type", kept.MIMEType)
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Content-Length", strconv.Itoa(len(kept.Content)))
	_, _ = w.Write(kept.Content)
}
