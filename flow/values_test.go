package flow_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/flow/run"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestValuesThatMakeNoMessage: what a value makes of a message is sent as far as it can be, and the
// journal has the rest.
func TestValuesThatMakeNoMessage(t *testing.T) {
	for name, c := range map[string]struct{ steps, said, note string }{
		"long text": {"  a: { say: \"{{ repeat('ä ', 50000) }}\", end: true }\n",
			"", "step a: what was past 20 messages was left out"},
		"empty question": {"  a: { ask: { text: '{{ user.wa_id }}', goto: a } }\n",
			"…", "step a: a question came out empty"},
		"empty error": {"  a: { ask: { text: Q, type: integer, error: '{{ user.wa_id }}', goto: a } }\n", "Q", ""},
		"empty body": {"  a: { choices: { text: '{{ user.wa_id }}', goto: a, options: [A] } }\n",
			"…[A]", "step a: a body came out empty"},
		"empty title": {"  a: { choices: { text: T, goto: a, options: [A, '{{ user.wa_id }}'] } }\n", "T[A][2]", ""},
		"same titles": {"  a: { choices: { text: T, goto: a, options: ['{{ user.name }}', Ana] } }\n",
			"T[1. Ana][2. Ana]", ""},
		"titles alike when cut": {"  a: { choices: { text: T, goto: a, options: " +
			`["{{ user.name + ' with her child under five' }}", "{{ user.name + ' with her child over five' }}"]` + " } }\n",
			"T[Ana with…under five][Ana with h…over five]", ""},
		"same ids": {"  a: { say: { buttons: { body: T, options: [{ id: '{{ user.name }}', title: A }, { id: Ana, " +
			"title: B }] } }, end: true }\n", "T[A]", "step a: an option was left out: its id came twice"},
		"link": {"  a: { media: { type: image, link: '{{ message.text }}' }, end: true }\n",
			"", "step a: a file was left out: the address did not come out as one of https"},
		"link of a button": {"  a: { say: { cta: { body: T, title: B, url: '{{ message.text }}' } }, end: true }\n",
			"T", "step a: a button was left out: the address did not come out as one of https"},
		"no degrees": {"  a: { location: { latitude: '{{ message.text }}', longitude: 1 }, end: true }\n",
			"", "step a: a location was left out: a coordinate did not come out as degrees"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := parseSteps(t, c.steps).Step(input(nil, text("hi"), 1))
			if err != nil {
				t.Fatal(err)
			}
			checkReplies(t, out.Replies)
			if name == "long text" {
				if len(out.Replies) != run.MaxReplies {
					t.Errorf("%d replies", len(out.Replies))
				}
			} else if got := said(out.Replies); got != c.said {
				t.Errorf("said %q, want %q", got, c.said)
			}
			if out.Note != c.note {
				t.Errorf("note %q, want %q", out.Note, c.note)
			}
		})
	}
}

// said is the text of replies and the titles of their options.
func said(replies []*wactorv1.Reply) string {
	var out strings.Builder
	for _, r := range replies {
		b := r.GetButtons()
		out.WriteString(r.GetText() + b.GetBody())
		for _, o := range b.GetOptions() {
			out.WriteString("[" + o.Title + "]")
		}
	}
	return out.String()
}

// TestNoTextOfAUserFailsATurn says what a user wrote, and what the user is called, in every place
// where a flow can.
func TestNoTextOfAUserFailsATurn(t *testing.T) {
	f, err := flow.Parse("x", []byte(`name: x
start: a
steps:
  a:
    set: { said: message.text }
    say:
      - "{{ vars.said }}"
      - { text: "{{ user.name }}", preview_url: true }
      - buttons: { body: "{{ vars.said }}", header: "{{ user.name }}", footer: "{{ vars.said }}", options: [
          { id: "{{ vars.said }}", title: "{{ user.name }}" }, { id: "{{ user.name }}", title: "{{ vars.said }}" }] }
      - list: { body: "{{ vars.said }}", button: "{{ user.name }}", header: "{{ vars.said }}", sections: [
          { title: "{{ user.name }}", rows: [{ id: "{{ vars.said }}", title: "{{ vars.said }}", description: "{{ user.name }}" }] },
          { title: "{{ vars.said }}", rows: [{ id: "{{ user.name }}", title: "{{ vars.said }}" }] }] }
      - cta: { body: "{{ vars.said }}", title: "{{ user.name }}", url: "https://example.com/{{ vars.said }}" }
      - cta: { body: "{{ vars.said }}", title: "{{ user.name }}", url: "{{ vars.said }}" }
      - media: { type: document, id: "{{ vars.said }}", caption: "{{ vars.said }}", filename: "{{ user.name }}" }
      - media: { type: image, link: "{{ vars.said }}" }
      - location: { latitude: "{{ vars.said }}", longitude: "{{ user.name }}", name: "{{ vars.said }}" }
      - location_request: "{{ vars.said }}"
    goto: few
  few:
    choices: { text: "{{ vars.said }}", header: "{{ user.name }}", footer: "{{ vars.said }}", goto: many, options: [
      "{{ vars.said }}", "{{ vars.said }}!", "{{ user.name }}"], error: "{{ vars.said }}" }
  many:
    choices: { text: "{{ vars.said }}", button: "{{ user.name }}", goto: numbers, options: [
      "{{ vars.said }}", "{{ user.name }}", A, { title: "{{ vars.said }}", description: "{{ user.name }}" }] }
  numbers:
    choices: { text: "{{ vars.said }}", goto: question, options: [
      "{{ vars.said }}", "{{ user.name }}", "{{ vars.said }}", 4, 5, 6, 7, 8, 9, 10, 11] }
  question: { ask: { text: "{{ vars.said }}", error: "{{ user.name }}", type: integer, goto: a } }
`))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var state []byte
		name := rapid.OneOf(rapid.String(), drawLong()).Draw(t, "name")
		for turn := range rapid.IntRange(1, 8).Draw(t, "turns") {
			in := input(state, text(rapid.OneOf(
				rapid.SampledFrom([]string{"1", "2", "12", " ", "https://example.com", "A"}), rapid.String(),
				drawLong(),
			).Draw(t, "text")), turn)
			in.User.Name = name
			out, err := f.Step(in)
			if err != nil {
				t.Fatal(err)
			}
			checkReplies(t, out.Replies)
			if len(out.Replies) == 0 {
				t.Fatal("the user gets no answer")
			}
			state = out.State
		}
	})
}

// drawLong draws a text of up to WhatsApp's 4096 characters.
func drawLong() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		piece := rapid.SampledFrom([]string{"ä", "word ", "a\n\n", "🙂", " "}).Draw(t, "piece")
		return strings.Repeat(piece, rapid.IntRange(1, 4096/len([]rune(piece))).Draw(t, "times"))
	})
}
