package cloudapi

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

func letters(n int) string { return strings.Repeat("é", n) }

func TestCheckAtTheLimits(t *testing.T) {
	var rows []*wactorv1.Option
	for i := range provider.MaxRows {
		rows = append(rows, &wactorv1.Option{
			Id: fmt.Sprint(i) + letters(provider.MaxRowID-1), Title: fmt.Sprint(i) + letters(provider.MaxRowTitle-1),
			Description: letters(provider.MaxRowDescription),
		})
	}
	for name, reply := range map[string]*wactorv1.Reply{
		"text": textReply(letters(provider.MaxText)),
		"buttons": {Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{
			Body: letters(provider.MaxButtonsBody), Footer: letters(provider.MaxFooter),
			Header: &wactorv1.Header{Content: &wactorv1.Header_Text{Text: letters(provider.MaxHeaderText)}},
			Options: []*wactorv1.Option{
				option("a"+letters(provider.MaxButtonID-1), "a"+letters(provider.MaxButtonTitle-1)),
				option("b", "b"), option("c", "c"),
			},
		}}},
		"list": {Content: &wactorv1.Reply_List{List: &wactorv1.List{
			Body: letters(provider.MaxListBody), Button: letters(provider.MaxListButton),
			Sections: []*wactorv1.Section{{Title: letters(provider.MaxSectionTitle), Rows: rows[:5]},
				{Title: "b", Rows: rows[5:]}},
		}}},
		"cta": {Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{Body: letters(provider.MaxCTABody),
			Title: letters(provider.MaxCTATitle), Url: "https://é.example/x"}}},
		"caption": mediaReply(&wactorv1.Media{Type: "video", Id: "1", Caption: letters(provider.MaxCaption)}),
		"poles":   {Content: &wactorv1.Reply_Location{Location: &wactorv1.Location{Latitude: -90, Longitude: 180}}},
		"raw":     rawReply(t, map[string]any{"type": "contacts", "contacts": []any{}}),
		"same title in two sections": listReply(&wactorv1.Section{Title: "A", Rows: []*wactorv1.Option{option("1",
			"Small")}},
			&wactorv1.Section{Title: "B", Rows: []*wactorv1.Option{option("2", "Small")}}),
	} {
		if err := Check(reply); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckFindsEveryProblem(t *testing.T) {
	header := func(media *wactorv1.Media) *wactorv1.Header {
		return &wactorv1.Header{Content: &wactorv1.Header_Media{Media: media}}
	}
	quotingReaction := &wactorv1.Reply{ReplyTo: "q", Content: &wactorv1.Reply_Reaction{Reaction: &wactorv1.Reaction{}}}
	for name, test := range map[string]struct {
		reply *wactorv1.Reply
		want  []string
	}{
		"nil":       {nil, []string{"reply: is empty"}},
		"nothing":   {&wactorv1.Reply{}, []string{"reply: is empty"}},
		"text":      {textReply(""), []string{"text: is empty"}},
		"long text": {textReply(letters(provider.MaxText + 1)), []string{"text: 4097 characters, at most 4096"}},
		"no buttons": {&wactorv1.Reply{Content: &wactorv1.Reply_Buttons{}}, []string{
			"buttons.body: is empty", "buttons.options: is empty"}},
		"buttons": {buttonsReply(option("a", "A"), option("a", "B"), option("", "A"), option(letters(257),
			letters(27))), []string{
			"buttons.options: 4 buttons, at most 3",
			"buttons.options[1].id: is the same as buttons.options[0].id",
			"buttons.options[2].id: is empty",
			"buttons.options[2].title: is the same as buttons.options[0].title",
			"buttons.options[3].id: 257 characters, at most 256",
			"buttons.options[3].title: 27 characters, at most 20"}},
		"a nil button": {buttonsReply(nil), []string{"buttons.options[0].id: is empty",
			"buttons.options[0].title: is empty"}},
		"frame": {&wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{
			Body: letters(1025), Footer: letters(61), Header: &wactorv1.Header{},
			Options: []*wactorv1.Option{option("a", "A")}}}}, []string{
			"buttons.body: 1025 characters, at most 1024", "buttons.footer: 61 characters, at most 60",
			"buttons.header: is empty"}},
		"header text": {&wactorv1.Reply{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{Body: "b", Title: "t",
			Url:    "https://x",
			Header: &wactorv1.Header{Content: &wactorv1.Header_Text{Text: letters(61)}}}}},
			[]string{"cta.header.text: 61 characters, at most 60"}},
		"header media": {&wactorv1.Reply{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{Body: "b", Title: "t",
			Url:    "https://x",
			Header: header(&wactorv1.Media{Type: "audio", Caption: "c", Link: "http://x"})}}}, []string{
			"cta.header.media.type: is not one of image, video, document",
			"cta.header.media.caption: a header cannot have a caption",
			"cta.header.media.link: is not an https address"}},
		"no list": {listReply(), []string{"list.sections: is empty"}},
		"list": {&wactorv1.Reply{Content: &wactorv1.Reply_List{List: &wactorv1.List{
			Body: letters(4097), Button: letters(21), Header: header(&wactorv1.Media{Type: "image", Id: "1"}),
			Sections: []*wactorv1.Section{
				{Title: letters(25), Rows: []*wactorv1.Option{option("1", "a"), option("2", "a")}},
				{Rows: []*wactorv1.Option{{Id: "1", Title: letters(25), Description: letters(73)}, option(letters(201),
					"c")}},
				{Title: "c"},
			}}}}, []string{
			"list.body: 4097 characters, at most 4096",
			"list.button: 21 characters, at most 20",
			"list.header.media: only a text header is possible here",
			"list.sections[0].title: 25 characters, at most 24",
			"list.sections[0].rows[1].title: is the same as list.sections[0].rows[0].title",
			"list.sections[1].title: is needed where there is more than one section",
			"list.sections[1].rows[0].title: 25 characters, at most 24",
			"list.sections[1].rows[0].description: 73 characters, at most 72",
			"list.sections[1].rows[0].id: is the same as list.sections[0].rows[0].id",
			"list.sections[1].rows[1].id: 201 characters, at most 200",
			"list.sections[2].rows: is empty"}},
		"rows": {manySections(4, 3), []string{"list.sections: 12 rows, at most 10"}},
		"sections": {manySections(11, 1), []string{"list.sections: 11 sections, at most 10",
			"list.sections: 11 rows, at most 10"}},
		"cta": {&wactorv1.Reply{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{Title: letters(21),
			Url: "http://x"}}}, []string{
			"cta.body: is empty", "cta.title: 21 characters, at most 20", "cta.url: is not an https address"}},
		"media": {mediaReply(nil), []string{"media.type: is not one of image, video, audio, document, sticker",
			"media.id: id, link, file or data is needed"}},
		"media twice": {mediaReply(&wactorv1.Media{Type: "image", Id: "1", Link: "https://x",
			Caption: letters(1025)}), []string{"media.caption: 1025 characters, at most 1024",
			"media.id: one of id, link, file and data, not several"}},
		"audio caption": {mediaReply(&wactorv1.Media{Type: "audio", Link: "/a", Caption: "c"}),
			[]string{"media.caption: audio cannot have a caption", "media.link: is not an https address"}},
		"location": {&wactorv1.Reply{Content: &wactorv1.Reply_Location{Location: &wactorv1.Location{Latitude: 91,
			Longitude: math.NaN()}}}, []string{
			"location.latitude: is not between -90 and 90 degrees",
			"location.longitude: is not between -180 and 180 degrees"}},
		"template": {&wactorv1.Reply{Content: &wactorv1.Reply_Template{Template: &wactorv1.Template{
			Name: letters(513)}}}, []string{
			"template.name: 513 characters, at most 512", "template.language: is empty"}},
		"reaction": {quotingReaction, []string{"reaction.message_id: is empty",
			"reply_to: a reaction cannot quote a message"}},
		"location request": {&wactorv1.Reply{Content: &wactorv1.Reply_LocationRequest{}},
			[]string{"location_request: is empty"}},
		"raw, nil": {&wactorv1.Reply{Content: &wactorv1.Reply_Raw{}}, []string{"raw.type: is missing"}},
		"raw": {rawReply(t, map[string]any{"type": "text", "text": "x", "to": "1", "status": "read"}),
			[]string{"raw.to: is set by Wactor", "raw.status: is set by Wactor",
				"raw.type: the object of this type is missing"}},
		"raw, deep": {rawReply(t, deepMessage(40)), []string{"raw.type: 33 levels or more, at most 32"}},
	} {
		t.Run(name, func(t *testing.T) {
			var problems Problems
			if err := Check(test.reply); !errors.As(err, &problems) {
				t.Fatalf("Check = %v", err)
			}
			var got []string
			for _, one := range problems {
				got = append(got, one.Error())
			}
			if diff := cmp.Diff(sorted(test.want), sorted(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func manySections(sections, rows int) *wactorv1.Reply {
	var list []*wactorv1.Section
	for i := range sections {
		section := &wactorv1.Section{Title: "s"}
		for j := range rows {
			id := fmt.Sprintf("%d.%d", i, j)
			section.Rows = append(section.Rows, option(id, id))
		}
		list = append(list, section)
	}
	return listReply(list...)
}

func deepMessage(levels int) map[string]any {
	inner := map[string]any{}
	for range levels {
		inner = map[string]any{"x": inner}
	}
	return map[string]any{"type": "x", "x": inner}
}

func TestProblemsAreErrors(t *testing.T) {
	err := Check(buttonsReply(option("a", letters(27))))
	var problem *Problem
	if !errors.As(err, &problem) {
		t.Fatalf("no Problem in %v", err)
	}
	want := &Problem{Field: "buttons.options[0].title", Got: 27, Limit: 20, Reason: "27 characters, at most 20",
		Source: sourceButtons}
	if diff := cmp.Diff(want, problem); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text := "cloudapi: reply is not sendable: buttons.options[0].title: 27 characters, at most 20"
	if err.Error() != text {
		t.Errorf("got %q, want %q", err, text)
	}
}
