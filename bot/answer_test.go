package bot

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// designAnswer is the answer that the contract shows.
const designAnswer = `{ "state": { "step": "DONE" },
  "replies": [ { "text": "Thanks!" }, { "buttons": { "body": "Anything else?", "options": [ { "id": "y", "title": "Yes" } ] } },
               { "raw": { "type": "template", "template": { "name": "t", "n": 3 } } } ],
  "timers": [ { "name": "nudge", "after": "600s" } ], "cancelTimers": ["nudge"], "end": false }`

func TestAnswer(t *testing.T) {
	got, err := decodeAnswer([]byte(designAnswer))
	if err != nil {
		t.Fatal(err)
	}
	want := &conversation.Answer{
		State: json.RawMessage(`{"step":"DONE"}`),
		Replies: []*wactorv1.Reply{
			reply(t, `{"text":"Thanks!"}`),
			reply(t, `{"buttons":{"body":"Anything else?","options":[{"id":"y","title":"Yes"}]}}`),
			reply(t, `{"raw":{"type":"template","template":{"name":"t","n":3}}}`),
		},
		Timers: []conversation.SetTimer{{Name: "nudge", After: 10 * time.Minute}}, CancelTimers: []string{"nudge"},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func reply(t *testing.T, text string) *wactorv1.Reply {
	t.Helper()
	reply := &wactorv1.Reply{}
	if err := protojson.Unmarshal([]byte(text), reply); err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestAnswerState(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                          "",
		`{"state":null}`:              "",
		`{"state":{}}`:                "{}",
		"{\"state\": {\n \"a\" : 1}}": `{"a":1}`,
		// Numbers are kept as they are written: a bot in another language knows larger ones.
		`{"state":{"id":12345678901234567890123,"x":1.10,"e":1e400}}`: `{"id":12345678901234567890123,"x":1.10,"e":1e400}`,
	} {
		answer, err := decodeAnswer([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if string(answer.State) != want || (answer.State == nil) != (want == "") {
			t.Errorf("%s: state %q, want %q", body, answer.State, want)
		}
	}
}

// TestAnswerForms holds what proto3 JSON allows and a bot may well write.
func TestAnswerForms(t *testing.T) {
	for name, body := range map[string]string{
		"names of the proto":    `{"cancel_timers":["a"],"replies":[{"location_request":"where?","reply_to":"wamid.1"}]}`,
		"null for absent":       `{"state":null,"replies":null,"timers":null,"cancelTimers":null,"end":null}`,
		"null content":          `{"replies":[{"text":null,"buttons":{"body":"b","options":[]}}]}`,
		"white space":           " \r\n{ \"replies\" : [ ] }\t",
		"fractions of a second": `{"timers":[{"name":"a","after":"1.5s"}]}`,
		"whole doubles":         `{"replies":[{"raw":{"n":9007199254740992,"f":0.1,"e":1e21,"z":100000000000000000000}}]}`,
		"shallow enough":        `{"replies":[{"raw":{"a":` + strings.Repeat("[", 96) + strings.Repeat("]", 96) + `}}]}`,
	} {
		if _, err := decodeAnswer([]byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnswerRefused shows that every mistake is named by its path. The texts in the bodies say
// SECRET, the reasons never do.
func TestAnswerRefused(t *testing.T) {
	timers := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"name":"SECRET%d","after":"1s"}`, i))
		}
		return strings.Join(all, ",")
	}
	cases := []struct{ body, reason string }{
		{``, `answer: empty body; answer {} or 204 to say nothing`},
		{" \n", `answer: empty body; answer {} or 204 to say nothing`},
		{`SECRET`, `answer: not JSON`},
		{`{"state":{}`, `answer: not JSON`},
		{`{} {}`, `answer: not JSON`},
		{"{\"state\":{\"a\":\"\xff\"}}", `answer: not UTF-8`},
		{`["SECRET"]`, `answer: must be an object, not a list`},
		{`null`, `answer: must be an object, not null`},
		{strings.Repeat(`[`, 101) + strings.Repeat(`]`, 101), `answer: nested deeper than 100 levels`},
		{`{"reply":"SECRET"}`, `reply: unknown key`},
		{`{"SECRET text of a user":1}`, `(unprintable key): unknown key`},
		{`{"Replies":[]}`, `Replies: unknown key, did you mean replies?`},
		{`{"end":false,"end":true}`, `end: given twice`},
		{`{"cancelTimers":[],"cancel_timers":[]}`, `cancelTimers: given twice`},
		{`{"end":"SECRET"}`, `end: must be true or false, not a string`},
		{`{"state":"SECRET"}`, `state: must be an object, not a string`},
		{`{"state":["SECRET"]}`, `state: must be an object, not a list`},
		{`{"replies":{"text":"SECRET"}}`, `replies: must be a list, not an object`},
		{`{"replies":["SECRET"]}`, `replies[0]: must be an object, not a string`},
		{`{"replies":[{"text":"SECRET"},null]}`, `replies[1]: must be an object, not null`},
		{`{"replies":[{"text":7}]}`, `replies[0].text: must be a string, not a number`},
		{`{"replies":[{}]}`, `replies[0]: has no content`},
		{`{"replies":[{"text":null}]}`, `replies[0]: has no content`},
		{`{"replies":[{"previewUrl":true}]}`, `replies[0]: has no content`},
		{`{"replies":[{"text":"SECRET","buttons":{}}]}`, `replies[0].buttons: a second content; only one is possible`},
		{`{"replies":[{"buttons":{"body":"b","options":[{"id":"SECRET","title":true}]}}]}`,
			`replies[0].buttons.options[0].title: must be a string, not true or false`},
		{`{"replies":[{"buttons":{"body":"b","header":{"text":"a","media":{}}}}]}`,
			`replies[0].buttons.header.media: a second content; only one is possible`},
		{`{"replies":[{"list":{"sections":[{"rows":[{"titel":"SECRET"}]}]}}]}`, `replies[0].list.sections[0].rows[0].titel: unknown key, did you mean title?`},
		{`{"replies":[{"location":{"latitude":"SECRET"}}]}`, `replies[0].location.latitude: must be a number, not a string`},
		{`{"replies":[{"location":{"latitude":1e999}}]}`, `replies[0].location.latitude: number out of range`},
		{`{"replies":[{"raw":"SECRET"}]}`, `replies[0].raw: must be an object, not a string`},
		{`{"replies":[{"raw":{"SECRET":[{"a":9007199254740993}]}}]}`,
			`replies[0].raw: holds a number that a double can't: write it as a string`},
		{`{"replies":[{"raw":{"a":1e999}}]}`, `replies[0].raw: holds a number that a double can't: write it as a string`},
		{`{"replies":[{"raw":{"SECRET":1,"SECRET":2}}]}`, `replies[0].raw: holds a key twice`},
		{`{"replies":[{"template":{"components":[1]}}]}`, `replies[0].template.components[0]: must be an object, not a number`},
		{`{"replies":[{"text":"SECRET \ud800"}]}`, `replies[0]: not a reply in proto3 JSON`},
		{`{"state":{"a":"` + strings.Repeat("x", MaxStateBytes) + `"}}`, `state: 262152 bytes, at most 262144`},
		{`{"timers":[{"name":"a","after":600}]}`, `timers[0].after: must be a duration in seconds such as "600s"`},
		{`{"timers":[{"name":"a","after":"10m"}]}`, `timers[0].after: must be a duration in seconds such as "600s"`},
		{`{"timers":[{"name":"a","after":"0s"}]}`, `timers[0].after: must be more than 0s and at most 31622400s`},
		{`{"timers":[{"name":"a","after":"-1s"}]}`, `timers[0].after: must be more than 0s and at most 31622400s`},
		{`{"timers":[{"name":"a","after":"315576000000s"}]}`, `timers[0].after: must be more than 0s and at most 31622400s`},
		{`{"timers":[{"name":"a","after":"999999999999s"}]}`, `timers[0]: not a timer in proto3 JSON`},
		{`{"timers":[{"name":"a"}]}`, `timers[0].after: must be more than 0s and at most 31622400s`},
		{`{"timers":[{"after":"1s"}]}`, `timers[0].name: must have 1 to 64 characters`},
		{`{"timers":[{"name":"SECRET","after":"1s"},{"name":"SECRET","after":"2s"}]}`, `timers[1].name: set twice in one turn`},
		{`{"timers":[` + timers(51) + `]}`, `timers: 51 in one turn, at most 50`},
		{`{"cancelTimers":"SECRET"}`, `cancelTimers: must be a list, not a string`},
		{`{"cancelTimers":[1]}`, `cancelTimers[0]: must be a string, not a number`},
		{`{"cancelTimers":["` + strings.Repeat("é", 65) + `"]}`, `cancelTimers[0]: must have 1 to 64 characters`},
	}
	for _, c := range cases {
		answer, err := decodeAnswer([]byte(c.body))
		shown := c.body[:min(len(c.body), 80)]
		switch {
		case err == nil:
			t.Errorf("%s: accepted as %+v", shown, answer)
		case err.Retryable:
			t.Errorf("%s: retryable", shown)
		case err.Reason != c.reason:
			t.Errorf("%s:\n got %s\nwant %s", shown, err.Reason, c.reason)
		case strings.Contains(err.Reason, "SECRET"):
			t.Errorf("%s: the reason quotes a value: %s", shown, err.Reason)
		}
	}
}

// FuzzAnswer feeds what a broken bot may send. What is accepted keeps the limits, survives storing,
// and reads the same when it is written and read again.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(designAnswer))
	f.Add([]byte(`{"replies":[{"text":"a\"]}"},{"location":{"latitude":1.5,"longitude":-2}}],"end":true}`))
	f.Add([]byte(`{"replies":[{"raw":{"a":[1,2,{"b":null}]}}],"cancel_timers":["x"],"timers":[{"name":"é","after":"0.5s"}]}`))
	f.Add([]byte(`{"state":{"a":{"a":"\ud800"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := decodeAnswer(body)
		if err != nil {
			if err.Retryable || err.Reason == "" || len(err.Reason) > 300 || answer != nil {
				t.Fatalf("answer %v, reason %q", answer, err.Reason)
			}
			return
		}
		if err := checkAnswer(answer); err != nil {
			t.Fatalf("past its limits: %v", err)
		}
		for _, reply := range answer.Replies {
			stored, err := proto.Marshal(reply)
			if err != nil {
				t.Fatalf("can't be stored: %v", err)
			}
			if err := proto.Unmarshal(stored, &wactorv1.Reply{}); err != nil {
				t.Fatalf("can't be read again: %v", err)
			}
		}
		if again, err := decodeAnswer(encodeAnswer(t, answer)); err != nil {
			t.Fatalf("refused when written again: %v", err)
		} else if diff := cmp.Diff(answer, again, protocmp.Transform()); diff != "" {
			t.Fatalf("written and read again (-want +got):\n%s", diff)
		}
	})
}

// encodeAnswer writes an answer as a bot would.
func encodeAnswer(t *testing.T, answer *conversation.Answer) []byte {
	t.Helper()
	out := map[string]any{"end": answer.End}
	if answer.State != nil {
		out["state"] = answer.State
	}
	if answer.CancelTimers != nil {
		out["cancelTimers"] = answer.CancelTimers
	}
	var replies []json.RawMessage
	for _, reply := range answer.Replies {
		text, err := protojson.Marshal(reply)
		if err != nil {
			t.Fatal(err)
		}
		replies = append(replies, text)
	}
	var timers []any
	for _, timer := range answer.Timers {
		after := fmt.Sprintf("%d.%09ds", timer.After/time.Second, timer.After%time.Second)
		timers = append(timers, map[string]any{"name": timer.Name, "after": after})
	}
	out["replies"], out["timers"] = replies, timers
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		t.Fatal(err)
	}
	return []byte(body.String())
}

func BenchmarkDecodeAnswer(b *testing.B) {
	for b.Loop() {
		if _, err := decodeAnswer([]byte(designAnswer)); err != nil {
			b.Fatal(err)
		}
	}
}
