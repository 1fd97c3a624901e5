package fit

import (
	"strings"

	"google.golang.org/protobuf/types/known/structpb"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// maxSpaces is how many spaces in a row WhatsApp takes in a template's parameter (error 132018).
const maxSpaces = 4

// template cleans and cuts the texts of a template's parameters: WhatsApp takes no line breaks, no
// tabs and no long runs of spaces in them.
func (f *fitter) template(t *wactorv1.Template) {
	for _, component := range t.GetComponents() {
		kind := strings.ToLower(component.GetFields()["type"].GetStringValue())
		limit := provider.TemplateText(kind, len(t.GetComponents()))
		for _, parameter := range component.GetFields()["parameters"].GetListValue().GetValues() {
			fields := parameter.GetStructValue().GetFields()
			text, is := fields["text"].GetKind().(*structpb.Value_StringValue)
			if !is {
				continue
			}
			clean := cleanParameter(text.StringValue)
			if clean != text.StringValue {
				f.Changed("a template's parameter was cleaned", true)
			}
			if clean = f.cut(clean, limit, "a template's parameter"); clean != text.StringValue {
				fields["text"] = structpb.NewStringValue(clean)
			}
		}
	}
}

func cleanParameter(text string) string {
	text = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(text)
	long := strings.Repeat(" ", maxSpaces+1)
	for strings.Contains(text, long) {
		text = strings.ReplaceAll(text, long, long[:maxSpaces])
	}
	return text
}
