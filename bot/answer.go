package bot

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// decodeAnswer reads the body of a 200: a wactor.v1.TurnResponse in its proto3 JSON form, and
// nothing that is not one. State passes through as it was written, save for white space.
//
// Its reasons name the JSON path of the first mistake and never a value.
func decodeAnswer(body []byte) (*conversation.Answer, *conversation.BotError) {
	if err := checkText(body); err != nil {
		return nil, err
	}
	if err := checkMessage("", body, (&wactorv1.TurnResponse{}).ProtoReflect().Descriptor()); err != nil {
		return nil, err
	}
	answer, err := readAnswer(body)
	if err != nil {
		return nil, err
	}
	if err := checkAnswer(answer); err != nil {
		return nil, err
	}
	return answer, nil
}

func checkText(body []byte) *conversation.BotError {
	switch {
	case kindOf(body) == kindNothing:
		return conversation.Permanent("answer: empty body; answer {} or 204 to say nothing")
	case !utf8.Valid(body):
		return conversation.Permanent("answer: not UTF-8")
	case !json.Valid(body):
		return conversation.Permanent("answer: not JSON")
	case depth(body) > MaxAnswerDepth:
		return conversation.Permanent("answer: nested deeper than %d levels", MaxAnswerDepth)
	}
	return nil
}

// rawAnswer is a TurnResponse whose shape has been checked.
type rawAnswer struct {
	state        json.RawMessage
	replies      []json.RawMessage
	timers       []json.RawMessage
	cancelTimers []json.RawMessage
	end          bool
	handoff      json.RawMessage
}

func readAnswer(body []byte) (*conversation.Answer, *conversation.BotError) {
	raw := splitAnswer(body)
	answer := &conversation.Answer{State: raw.state, End: raw.end}
	for i, text := range raw.replies {
		reply := &wactorv1.Reply{}
		if err := protojson.Unmarshal(text, reply); err != nil {
			// The shape is right, so this is a text that is no Unicode, such as half of a surrogate
			// pair.
			return nil, conversation.Permanent("replies[%d]: not a reply in proto3 JSON", i)
		}
		answer.Replies = append(answer.Replies, reply)
	}
	for i, text := range raw.timers {
		timer, ok := readTimer(text)
		if !ok {
			return nil, conversation.Permanent("timers[%d]: not a timer in proto3 JSON", i)
		}
		answer.Timers = append(answer.Timers, timer)
	}
	if len(raw.handoff) > 0 {
		var handoff wactorv1.Handoff
		if err := protojson.Unmarshal(raw.handoff, &handoff); err != nil {
			return nil, conversation.Permanent("handoff: not a handoff in proto3 JSON")
		}
		answer.Handoff = &conversation.Handoff{Note: handoff.Note}
		if handoff.Until != nil {
			answer.Handoff.UntilMs = handoff.Until.AsTime().UnixMilli()
		}
	}
	for _, text := range raw.cancelTimers {
		answer.CancelTimers = append(answer.CancelTimers, unquote(text))
	}
	return answer, nil
}

// splitAnswer takes the answer apart by the names that checkMessage knows: encoding/json would know
// one name for each field, and ignore its case.
func splitAnswer(body []byte) rawAnswer {
	var raw rawAnswer
	for _, member := range fields(body) {
		if kindOf(member.value) == kindNull {
			continue
		}
		switch member.key {
		case "state":
			raw.state = compact(member.value)
		case "replies":
			raw.replies = elements(member.value)
		case "timers":
			raw.timers = elements(member.value)
		case "cancelTimers", "cancel_timers":
			raw.cancelTimers = elements(member.value)
		case "end":
			raw.end = string(member.value) == "true"
		case "handoff":
			raw.handoff = member.value
		}
	}
	return raw
}

// readTimer takes an absent duration for zero, which checkAnswer refuses.
func readTimer(text json.RawMessage) (conversation.SetTimer, bool) {
	var timer wactorv1.SetTimer
	if err := protojson.Unmarshal(text, &timer); err != nil {
		return conversation.SetTimer{}, false
	}
	return conversation.SetTimer{Name: timer.Name, After: timer.After.AsDuration()}, true
}

// compact returns a copy without white space: what is stored must not pin the whole answer, and
// counts against a limit.
func compact(raw json.RawMessage) json.RawMessage {
	var out bytes.Buffer
	_ = json.Compact(&out, raw) // can't fail: raw is valid JSON
	return out.Bytes()
}
