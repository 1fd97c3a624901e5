package flow_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/flow/run"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// everyFlow parses all flows that the tests and the examples have.
func everyFlow(t testing.TB) []*flow.Flow {
	t.Helper()
	var flows []*flow.Flow
	for _, pattern := range []string{"testdata/transcripts/*.yaml", "../examples/*/flow.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no flows %s: %v", pattern, err)
		}
		for _, path := range paths {
			flows = append(flows, parse(t, path))
		}
	}
	return flows
}

// TestConversations talks at random to every flow: no panic, no reply past WhatsApp's limits, no
// state that cannot be read again, and the same again for the same input.
func TestConversations(t *testing.T) {
	flows := everyFlow(t)
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(flows).Draw(t, "flow")
		var state json.RawMessage
		for turn := range rapid.IntRange(1, 12).Draw(t, "turns") {
			in := input(state, message(t), turn)
			results := drawResults(t)
			out, err := converse(t, f, in, results)
			again, againErr := converse(t, f, in, results)
			sameOutput(t, out, err, again, againErr)
			if err != nil {
				checkError(t, err)
				continue
			}
			checkReplies(t, out.Replies)
			state = nextState(t, f, state, out)
		}
	})
}

func input(state json.RawMessage, m *wactorv1.Message, turn int) flow.Input {
	return flow.Input{
		State: state, Message: m, User: &wactorv1.User{Id: "49151", Name: "Ana"}, Version: uint64(turn),
		TurnID: fmt.Sprint("T", turn),
		Now:    time.Date(2026, time.May, 4, 3, 2, turn, 0, time.UTC),
	}
}

// message draws what a user may send: known words of the flows, numbers, texts of any kind, taps,
// files.
func message(t *rapid.T) *wactorv1.Message {
	kind := rapid.SampledFrom([]string{
		"text", "text", "text", "text", "button_reply", "list_reply", "image", "location", "reaction", "button",
		"order", "",
	}).Draw(t, "type")
	m := &wactorv1.Message{Id: "wamid.1", Type: kind, SentMs: 1_777_000_000_000}
	m.Text = rapid.OneOf(
		rapid.SampledFrom([]string{"hi", "menu", "stop", "yes", "no", "1", "2", "5", "12", "ana@example.com", "AB123",
			"Street 1, Town", "28/2/2026", "1e999"}),
		rapid.String(),
		rapid.Map(rapid.IntRange(0, 5000), func(n int) string { return strings.Repeat("ä ", n) }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
	).Draw(t, "text")
	switch kind {
	case "button_reply", "list_reply":
		m.Choice = &wactorv1.Choice{Id: rapid.SampledFrom([]string{"size:1", "size:2", "l", "drink:1", "a", "menu:1",
			"?"}).Draw(t, "id"), Title: m.Text}
	case "image":
		m.Media = &wactorv1.Media{Id: "1", Caption: m.Text}
	case "location":
		m.Location = &wactorv1.Location{Latitude: rapid.Float64().Draw(t, "latitude"), Longitude: 13}
	}
	return m
}

// drawResults draws what services answer to the calls of one turn.
func drawResults(t *rapid.T) []flow.CallResult {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) flow.CallResult {
		if rapid.Bool().Draw(t, "fails") {
			return flow.CallResult{Failure: rapid.SampledFrom([]flow.CallFailure{flow.CallTimeout, flow.CallUnreachable,
				flow.CallTooLarge}).Draw(t, "failure")}
		}
		body := rapid.SampledFrom([]string{`{"ok":true,"state":"sent"}`, `{"id":"A-17"}`, "", "null", "[1,2", "\xff", "1e999", "[[[]]]", `"text"`})
		return flow.CallResult{Status: rapid.SampledFrom([]int{200, 202, 404, 500}).Draw(t, "status"),
			Body: []byte(body.Draw(t, "body"))}
	}), 11, 11).Draw(t, "results")
}

// converse runs one turn to its end.
func converse(t *rapid.T, f *flow.Flow, in flow.Input, results []flow.CallResult) (flow.Output, error) {
	out, err := f.Step(in)
	for err == nil && out.Call != nil {
		if len(results) == 0 {
			t.Fatal("more calls than a turn may make")
		}
		out, err = f.Resume(out.Continuation, results[0])
		results = results[1:]
	}
	return out, err
}

func sameOutput(t *rapid.T, a flow.Output, aErr error, b flow.Output, bErr error) {
	t.Helper()
	if fmt.Sprint(aErr) != fmt.Sprint(bErr) || string(a.State) != string(b.State) || a.Note != b.Note ||
		a.End != b.End || len(a.Replies) != len(b.Replies) {
		t.Fatalf("two runs differ:\n%+v %v\n%+v %v", a, aErr, b, bErr)
	}
	for i := range a.Replies {
		if !proto.Equal(a.Replies[i], b.Replies[i]) {
			t.Fatalf("reply %d differs: %v and %v", i, a.Replies[i], b.Replies[i])
		}
	}
}

func checkError(t *rapid.T, err error) {
	t.Helper()
	var failed *flow.RunError
	if !errors.As(err, &failed) || failed.Line == 0 || failed.Column == 0 || failed.Step == "" {
		t.Fatalf("an error without a place: %#v", err)
	}
}

// nextState checks the new state, and that it is read again.
func nextState(t *rapid.T, f *flow.Flow, old json.RawMessage, out flow.Output) json.RawMessage {
	t.Helper()
	switch {
	case out.End && out.State != nil:
		t.Fatal("an end with a state")
	case out.End:
		return nil
	case out.State == nil:
		return old
	case len(out.State) > run.MaxState || !json.Valid(out.State):
		t.Fatalf("a bad state of %d bytes", len(out.State))
	}
	if flow.RestartNote(f, out.State) != "" {
		t.Fatalf("a state that its own flow does not know: %s", out.State)
	}
	return out.State
}

// fataler is a test of package testing or of rapid.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkReplies holds replies to WhatsApp's limits, by the numbers of limits.go.
func checkReplies(t fataler, replies []*wactorv1.Reply) {
	t.Helper()
	if len(replies) > run.MaxReplies {
		t.Fatalf("%d replies", len(replies))
	}
	for _, reply := range replies {
		if flaw := flawOf(reply); flaw != "" {
			t.Fatalf("%s: %v", flaw, reply)
		}
	}
}

func flawOf(reply *wactorv1.Reply) string {
	switch c := reply.GetContent().(type) {
	case *wactorv1.Reply_Text:
		return within("text", c.Text, 1, provider.MaxText)
	case *wactorv1.Reply_LocationRequest:
		return within("location request", c.LocationRequest, 1, provider.MaxLocationRequestBody)
	case *wactorv1.Reply_Buttons:
		b := c.Buttons
		return first(framed(b.Header, b.Body, b.Footer, provider.MaxButtonsBody),
			options(b.Options, provider.MaxButtons, provider.MaxButtonID, provider.MaxButtonTitle, map[string]bool{}))
	case *wactorv1.Reply_List:
		return flawOfList(c.List)
	case *wactorv1.Reply_Cta:
		return first(framed(c.Cta.Header, c.Cta.Body, c.Cta.Footer, provider.MaxCTABody),
			within("title", c.Cta.Title, 1, provider.MaxCTATitle), link(c.Cta.Url))
	case *wactorv1.Reply_Media:
		return flawOfMedia(c.Media)
	case *wactorv1.Reply_Location:
		if l := c.Location; l.Latitude < -90 || l.Latitude > 90 || l.Longitude < -180 || l.Longitude > 180 {
			return "no place on earth"
		}
		return ""
	}
	return "a reply of another kind"
}

func flawOfList(l *wactorv1.List) string {
	flaw := first(framed(l.Header, l.Body, l.Footer, provider.MaxListBody), within("button", l.Button, 1,
		provider.MaxListButton))
	rows, ids := 0, map[string]bool{}
	for _, s := range l.Sections {
		least := 0
		if len(l.Sections) > 1 {
			least = 1
		}
		flaw = first(flaw, within("section title", s.Title, least, provider.MaxSectionTitle),
			options(s.Rows, provider.MaxRows, provider.MaxRowID, provider.MaxRowTitle, ids))
		rows += len(s.Rows)
	}
	if rows == 0 || rows > provider.MaxRows {
		return fmt.Sprintf("%d rows", rows)
	}
	return flaw
}

func flawOfMedia(m *wactorv1.Media) string {
	if (m.Id == "") == (m.Link == "") {
		return "media with both or none of id and link"
	}
	flaw := within("caption", m.Caption, 0, provider.MaxCaption)
	if m.Link != "" {
		flaw = first(flaw, link(m.Link))
	}
	return flaw
}

func framed(header *wactorv1.Header, body, footer string, limit int) string {
	flaw := first(within("body", body, 1, limit), within("footer", footer, 0, provider.MaxFooter))
	switch c := header.GetContent().(type) {
	case *wactorv1.Header_Text:
		return first(flaw, within("header", c.Text, 1, provider.MaxHeaderText))
	case *wactorv1.Header_Media:
		return first(flaw, flawOfMedia(c.Media))
	}
	return flaw
}

func options(list []*wactorv1.Option, most, id, title int, ids map[string]bool) string {
	if len(list) == 0 || len(list) > most {
		return fmt.Sprintf("%d options", len(list))
	}
	flaw, titles := "", map[string]bool{}
	for _, o := range list {
		if ids[o.Id] || titles[o.Title] {
			return "an option twice"
		}
		ids[o.Id], titles[o.Title] = true, true
		flaw = first(flaw, within("id", o.Id, 1, id), within("title", o.Title, 1, title), within("description",
			o.Description, 0, provider.MaxRowDescription))
	}
	return flaw
}

func within(what, text string, least, most int) string {
	n := utf8.RuneCountInString(text)
	if n < least || n > most || !utf8.ValidString(text) || least > 0 && strings.TrimSpace(text) == "" {
		return fmt.Sprintf("%s of %d characters: %.80q", what, n, text)
	}
	return ""
}

func link(address string) string {
	if !strings.HasPrefix(address, "https://") || strings.ContainsAny(address, " \n") {
		return "no address: " + address
	}
	return ""
}

func first(flaws ...string) string {
	for _, flaw := range flaws {
		if flaw != "" {
			return flaw
		}
	}
	return ""
}
