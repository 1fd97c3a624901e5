package bot

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wactor/wactor/flow/fit"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider/cloudapi"
)

// drawText draws a text of any length and kind.
func drawText(t *rapid.T, what string) string {
	text := rapid.SampledFrom([]string{"", " ", "\n", "a", "ä🙂", "word ", "a\n\n"}).Draw(t, what)
	return strings.Repeat(text, rapid.SampledFrom([]int{1, 1, 1, 7, 30, 500, 5000}).Draw(t, what+" times"))
}

func drawOptions(t *rapid.T, most int) []*wactorv1.Option {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *wactorv1.Option {
		return &wactorv1.Option{
			Id: drawText(t, "id"), Title: drawText(t, "title"), Description: drawText(t, "description"),
		}
	}), 1, most).Draw(t, "options")
}

func drawMedia(t *rapid.T, kinds ...string) *wactorv1.Media {
	return &wactorv1.Media{
		Type: rapid.SampledFrom(kinds).Draw(t, "kind"), Link: "https://example.com/x", Caption: drawText(t, "caption"),
	}
}

func drawHeader(t *rapid.T) *wactorv1.Header {
	switch rapid.IntRange(0, 2).Draw(t, "header") {
	case 0:
		return nil
	case 1:
		return &wactorv1.Header{Content: &wactorv1.Header_Text{Text: drawText(t, "header")}}
	}
	return &wactorv1.Header{Content: &wactorv1.Header_Media{Media: drawMedia(t, "image", "video", "document")}}
}

// drawReply draws a reply that may be past any limit, and lacks nothing but a text.
func drawReply(t *rapid.T) *wactorv1.Reply {
	switch rapid.IntRange(0, 6).Draw(t, "content") {
	case 0:
		return &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: drawText(t, "text")}}
	case 1:
		return &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{
			Body: drawText(t, "body"), Options: drawOptions(t, 14), Header: drawHeader(t), Footer: drawText(t,
				"footer"),
		}}}
	case 2:
		sections := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *wactorv1.Section {
			return &wactorv1.Section{Title: drawText(t, "section"), Rows: drawOptions(t, 6)}
		}), 1, 4).Draw(t, "sections")
		return &wactorv1.Reply{Content: &wactorv1.Reply_List{List: &wactorv1.List{
			Body: drawText(t, "body"), Button: drawText(t, "button"), Sections: sections, Header: drawHeader(t),
			Footer: drawText(t, "footer"),
		}}}
	case 3:
		return &wactorv1.Reply{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{
			Body: drawText(t, "body"), Title: drawText(t, "title"), Url: "https://example.com", Header: drawHeader(t),
			Footer: drawText(t, "footer"),
		}}}
	case 4:
		return &wactorv1.Reply{Content: &wactorv1.Reply_Media{
			Media: drawMedia(t, "image", "video", "audio", "document", "sticker"),
		}}
	case 5:
		return &wactorv1.Reply{Content: &wactorv1.Reply_Location{Location: &wactorv1.Location{
			Latitude: 1, Name: drawText(t, "name"), Address: drawText(t, "address"),
		}}}
	}
	return &wactorv1.Reply{Content: &wactorv1.Reply_LocationRequest{LocationRequest: drawText(t, "body")}}
}

// TestWhatIsMadeToFitFits: whatever a reply's texts are, what it is made of passes the channel's
// own check.
func TestWhatIsMadeToFitFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reply := drawReply(t)
		for i, part := range fit.Append(nil, reply, &fitNotes{notes: new([]string)}) {
			if err := cloudapi.Check(part); err != nil {
				t.Fatalf("part %d: %v\n%v", i, err, part)
			}
		}
	})
}
