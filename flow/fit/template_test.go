package fit

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

type changes []string

func (c *changes) Changed(change string, _ bool) { *c = append(*c, change) }

// TestTemplateParametersAreCleaned: WhatsApp takes no line breaks, tabs and long runs of spaces.
func TestTemplateParametersAreCleaned(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("x", provider.MaxTemplateText+1): strings.Repeat("x", provider.MaxTemplateText-1) + "…",
		"a\nb\tc\r\nd": "a b c d", "a      b": "a    b", "a    b": "a    b", "plain": "plain", "": "",
	} {
		component, err := structpb.NewStruct(map[string]any{"type": "body", "parameters": []any{
			map[string]any{"type": "text", "text": text}, map[string]any{"type": "currency"}, 5,
		}})
		if err != nil {
			t.Fatal(err)
		}
		var noted changes
		Append(nil, &wactorv1.Reply{Content: &wactorv1.Reply_Template{Template: &wactorv1.Template{Name: "n",
			Language:   "en",
			Components: []*structpb.Struct{component}}}}, &noted)
		got := component.Fields["parameters"].GetListValue().Values[0].GetStructValue().Fields["text"].GetStringValue()
		if got != want || (len(noted) > 0) != (text != want) {
			t.Errorf("%q became %q, noted %q", text, got, noted)
		}
	}
}
