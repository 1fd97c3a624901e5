package transcript

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wactor/wactor/flow"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// The marks at the start of a line.
const (
	userMark    = "> " // the user's message
	botMark     = "< " // a reply
	moreMark    = "| " // a further line of a reply
	callMark    = "? " // a call to a service
	answerMark  = "= " // the service's answer to the call above: a status and a body, or why there was none
	noteMark    = "! " // the note of the journal, the end of the conversation, or why the turn failed
	stateMark   = "~ " // the state, after "@ show state"
	settingMark = "@ " // a setting: now, name, state, show
)

// ErrTranscript is a line that Play does not understand. The error is a *BadLine.
var ErrTranscript = errors.New("transcript: bad line")

// BadLine is an ErrTranscript with its place.
type BadLine struct {
	// Line counts from 1.
	Line int
	Err  error
}

func (b *BadLine) Error() string { return fmt.Sprintf("%v %d: %v", ErrTranscript, b.Line, b.Err) }

func (b *BadLine) Unwrap() []error { return []error{ErrTranscript, b.Err} }

// start is the time of a transcript that names none.
var start = time.Date(2026, time.January, 2, 15, 4, 5, 0, time.UTC)

// Play plays the lines of the user, and of services, to the flow, and returns the whole transcript
// as it is with this flow. Comments, blank lines and settings stay as they are. A call that the
// transcript has no answer for is unreachable. Each message comes a minute after the one before it.
func Play(f *flow.Flow, text string) (string, error) {
	p := &player{flow: f, now: start, user: &wactorv1.User{Id: "15550001111", WaId: "15550001111", Name: "Ana"}}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		next := i + 1
		for next < len(lines) && isAnswer(lines[next]) {
			next++
		}
		if err := p.line(lines[i], answers(lines[i+1:next])); err != nil {
			return "", &BadLine{Line: i + 1, Err: err}
		}
		i = next - 1
	}
	return p.out.String(), nil
}

// isAnswer: the line follows from the message before it.
func isAnswer(line string) bool {
	for _, mark := range []string{botMark, moreMark, callMark, answerMark, noteMark, stateMark} {
		if strings.HasPrefix(line, mark) || line == strings.TrimSpace(mark) && line != "" {
			return true
		}
	}
	return false
}

// answers returns what services answered, in order.
func answers(lines []string) []string {
	var out []string
	for _, line := range lines {
		if answer, ok := strings.CutPrefix(line, answerMark); ok {
			out = append(out, answer)
		}
	}
	return out
}

type player struct {
	flow      *flow.Flow
	user      *wactorv1.User
	now       time.Time
	state     json.RawMessage
	version   uint64
	phone     Phone
	showState bool
	out       strings.Builder
}

func (p *player) line(line string, answers []string) error {
	switch {
	case line == "" || strings.HasPrefix(line, "#"):
		p.out.WriteString(line + "\n")
		return nil
	case strings.HasPrefix(line, settingMark):
		p.out.WriteString(line + "\n")
		return p.setting(line[len(settingMark):])
	case strings.HasPrefix(line, userMark):
		p.out.WriteString(line + "\n")
		return p.message(unescape(line[len(userMark):]), answers)
	case isAnswer(line):
		return errors.New("an answer before the first message")
	}
	return fmt.Errorf("%q starts with none of > < | ? = ! ~ @ #", line)
}

// unescape makes line breaks of \n in what the user writes.
func unescape(text string) string { return strings.ReplaceAll(text, `\n`, "\n") }

func (p *player) setting(text string) error {
	key, value, _ := strings.Cut(text, " ")
	switch key {
	case "now":
		now, err := time.Parse(time.RFC3339, value)
		p.now = now
		return err
	case "name":
		p.user.Name = value
	case "state":
		p.state = json.RawMessage(value)
	case "show":
		p.showState = value == "state"
	case "flow": // which flow it is for: the business of the caller that opens the files
	default:
		return fmt.Errorf("unknown setting %q", key)
	}
	return nil
}

// message plays one turn.
func (p *player) message(text string, answers []string) error {
	m, err := p.phone.Message(text)
	if err != nil {
		return err
	}
	m.SentMs = p.now.UnixMilli()
	out, err := p.flow.Step(flow.Input{
		State: p.state, User: p.user, Message: m, Now: p.now, Version: p.version,
		TurnID: "T" + strconv.FormatUint(p.version+1, 10),
	})
	for err == nil && out.Call != nil {
		p.mark(callMark, renderCall(out.Call))
		var result flow.CallResult
		if result, answers, err = p.answer(answers); err != nil {
			return err
		}
		out, err = p.flow.Resume(out.Continuation, result)
	}
	p.now = p.now.Add(time.Minute)
	if err != nil {
		p.mark(noteMark, "failed: "+inAnyFolder(err).Error())
		return nil
	}
	p.commit(out)
	return nil
}

// inAnyFolder names the flow's file without its folder: a transcript plays the same from
// everywhere.
func inAnyFolder(err error) error {
	var failed *flow.RunError
	if !errors.As(err, &failed) {
		return err
	}
	local := *failed
	local.File = filepath.Base(failed.File)
	return &local
}

func (p *player) commit(out flow.Output) {
	p.version++
	for _, reply := range out.Replies {
		p.phone.Show(reply)
		p.mark(botMark, Render(reply))
	}
	if out.Note != "" {
		p.mark(noteMark, out.Note)
	}
	switch {
	case out.End:
		p.state = nil
		p.mark(noteMark, "end")
	case out.State != nil:
		p.state = out.State
	}
	if p.showState {
		p.mark(stateMark, string(p.state))
	}
}

// mark writes a text of one or more lines.
func (p *player) mark(mark, text string) {
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			mark = moreMark
		}
		p.out.WriteString(strings.TrimRight(mark+line, " ") + "\n")
	}
}

func renderCall(c *flow.Call) string {
	out := c.Method + " " + c.URL
	for _, h := range c.Headers {
		out += "\n" + h.Name + ": " + h.Value
	}
	if c.Body != nil {
		out += "\n" + string(c.Body)
	}
	return out
}

// answer takes the next answer of a service and writes it.
func (p *player) answer(answers []string) (flow.CallResult, []string, error) {
	line := string(flow.CallUnreachable)
	if len(answers) > 0 {
		line, answers = answers[0], answers[1:]
	}
	p.mark(answerMark, line)
	switch failure := flow.CallFailure(line); failure {
	case flow.CallTimeout, flow.CallUnreachable, flow.CallTooLarge:
		return flow.CallResult{Failure: failure}, answers, nil
	}
	code, body, _ := strings.Cut(line, " ")
	status, err := strconv.Atoi(code)
	if err != nil {
		return flow.CallResult{}, nil, fmt.Errorf("%q is neither a status nor %s, %s or %s", line, flow.CallTimeout,
			flow.CallUnreachable, flow.CallTooLarge)
	}
	return flow.CallResult{Status: status, Body: []byte(body)}, answers, nil
}
