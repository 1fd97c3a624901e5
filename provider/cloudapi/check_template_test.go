package cloudapi

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestTemplateParametersAreChecked: what WhatsApp refuses whatever the template says is found
// before it is sent, with its place.
func TestTemplateParametersAreChecked(t *testing.T) {
	for components, want := range map[string]string{
		`{"type":"body","parameters":[{"type":"text","text":"a b    c"}]}`:                                  "",
		`{"type":"HEADER","parameters":[{"type":"image","image":{"link":"https://x/y.jpg"}}]}`:              "",
		`{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"x"}]}`:          "",
		`{"type":"button","sub_type":"url","index":1},{"type":"button","sub_type":"quick_reply","index":0}`: "",
		`{"type":"carousel","cards":[]},{"type":"body","parameters":[{"type":"currency","currency":{}}]}`:   "",
		`{"type":"body","parameters":[{"type":"text","text":"a\nb"}]}`:                                      "template.components[0].parameters[0].text: holds a line break",
		`{"type":"body","parameters":[{"type":"text","text":"a"},{"type":"text","text":"a     b"}]}`:        "parameters[1].text: holds",
		`{"type":"body","parameters":[{"type":"text","text":"\t"}]}`:                                        "parameters[0].text: holds",
		`{"type":"body","parameters":[{"type":"text"}]}`:                                                    "parameters[0].text: is empty",
		`{"type":"header","parameters":[{"type":"text","text":"` + letters(60) + `"}]}`:                     "",
		`{"type":"header","parameters":[{"type":"text","text":"` + letters(61) + `"}]}`:                     "parameters[0].text: 61 characters, at most 60",
		`{"type":"body","parameters":[{"type":"text","text":"` + letters(1025) + `"}]}`:                     "",
		`{"type":"body","parameters":[{"type":"text","text":"` + letters(1025) + `"}]},{"type":"header"}`:   "at most 1024",
		`{"type":"body"},{"type":"BODY"}`:                                                                   "components[1].type: is the same as template.components[0].type",
		`{"type":"header","parameters":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`:            "parameters: 2 parameters, at most 1",
		`{"type":"body","parameters":[{"type":"text","text":"a","parameter_name":"n"},` +
			`{"type":"text","text":"b","parameter_name":"n"}]}`: "parameters[1].parameter_name: is the same as",
		`{"type":"body","parameters":["x"]}`:                           "parameters[0].type: is empty",
		`{"parameters":[]}`:                                            "components[0].type: is empty",
		`{"type":"header","parameters":[{"type":"image","image":{}}]}`: "parameters[0].image: needs either id or link",
		`{"type":"header","parameters":[{"type":"video","video":{"id":"1","link":"https://x/y"}}]}`: "needs either id or link",
		`{"type":"button","sub_type":"url"}`: "components[0].index: is not a number",
		`{"type":"button","index":0}`:        "components[0].sub_type: is empty",
		`{"type":"button","sub_type":"url","index":"0"},{"type":"button","sub_type":"url","index":0}`: "components[1].index",
	} {
		reply := new(wactorv1.Reply)
		text := `{"template":{"name":"n","language":"en","components":[` + components + `]}}`
		if err := protojson.Unmarshal([]byte(text), reply); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := Check(reply); err != nil {
			got = err.Error()
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", components, got, want)
		}
	}
}
