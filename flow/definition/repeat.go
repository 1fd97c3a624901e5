package definition

import (
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// onFail labels the way after the last bad answer.
const onFail = "on_fail"

// repeat says what follows a bad answer.
type repeat struct {
	error   *expr.Template
	retries int // how often the question is put again; forever where negative
	onFail  *Target
}

// defaultRetries is how often a question with on_fail is put again.
const defaultRetries = 3

func readRepeat(p *parser, f source.Fields, what string) repeat {
	out := repeat{error: p.TextOf(f, "error"), retries: -1, onFail: p.target(f.Get(onFail), onFail)}
	p.AtMost(out.error, provider.MaxText, "error", "")
	if f.Has("on_fail") {
		out.retries = defaultRetries
	}
	if !f.Has("retries") {
		return out
	}
	out.retries = p.Count(f.Get("retries"), "retries", 0, maxRetries)
	if !f.Has("on_fail") {
		p.Report(f.Place("retries"), what+" has retries without on_fail",
			"name the step to go to after the last one; without both the question is put forever")
	}
	return out
}

// maxRetries bounds ask.retries.
const maxRetries = 100

// reject answers a bad answer: the error text where there is one, else the question again; after
// the last retry on_fail.
func (b repeat) reject(r *run.Run, tries int, put func(*run.Run) error) (*Step, error) {
	if b.retries >= 0 && tries >= b.retries {
		return b.onFail.Step, nil
	}
	if b.error == nil {
		return nil, again(r, put, tries+1)
	}
	return nil, again(r, b.complain, tries+1)
}

func (b repeat) complain(r *run.Run) error {
	return putText(r, b.error, "an error text")
}

// putText says a text that must not be silence: the user could not know that an answer is waited
// for.
func putText(r *run.Run, t *expr.Template, what string) error {
	body, err := r.Text(t)
	if err != nil {
		return err
	}
	if strings.TrimSpace(body) == "" {
		r.Note("step " + r.Step + ": " + what + " came out empty")
		body = fit.Blank
	}
	return r.Say(t.At, body, false)
}

// again says something and goes on waiting for the answer.
func again(r *run.Run, say func(*run.Run) error, tries int) error {
	if err := say(r); err != nil {
		return err
	}
	r.Ask(tries)
	return nil
}

// staleTap reports whether the message is a tap on an option that another step offered: WhatsApp
// leaves old buttons alive, and an old "Yes" is no answer to the question of now. The question is
// put again, and no retry is counted.
func staleTap(r *run.Run, options map[string]bool) bool {
	choice := r.In.Message.GetChoice()
	if choice.GetId() == "" || !options[choice.GetId()] || !tapped(r.In.Message) {
		return false
	}
	r.Note("a tap on an option of an earlier question")
	return true
}

// tapped reports whether a message is a tap on a button or a row of this bot.
func tapped(m *wactorv1.Message) bool {
	return m.GetType() == "button_reply" || m.GetType() == "list_reply"
}
