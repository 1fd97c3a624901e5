package bot

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/wactor/wactor/conversation"
)

// Limits of one answer. An answer past one of them is a failure for good, but for the number of
// replies where they are made to fit: the same bot would answer the same again.
const (
	// MaxReplies is how many replies one turn may make.
	MaxReplies = conversation.MaxReplies
	// MaxStateBytes is how large the state may be, as compact JSON.
	MaxStateBytes = conversation.MaxStateBytes
	// MaxTimers is how many timers one turn may set, and how many it may cancel.
	MaxTimers = 50
	// MaxTimerName is how long the name of a timer may be, in characters.
	MaxTimerName = 64
	// MaxTimerAfter is how far ahead a timer may be set.
	MaxTimerAfter = 366 * 24 * time.Hour
	// MaxAnswerBytes is how large the body of an HTTP bot's answer may be, after decompression and
	// without the data of files.
	MaxAnswerBytes = 1 << 20
	// MaxAnswerData is how large the data of all files of an answer may be, as base64: 16 MiB of
	// bytes, and the rest of a line.
	MaxAnswerData = 16<<20/3*4 + 4<<10
	// maxLargeAnswers is how many answers past MaxAnswerBytes a bot's calls read at once.
	maxLargeAnswers = 4
	// MaxAnswerDepth is how deep objects and lists may be nested in an HTTP bot's answer. A reply's
	// raw object becomes a protobuf Struct, three messages a level; decoders refuse more than
	// 10,000, so that a reply nested deeper than that could be stored and never read again.
	MaxAnswerDepth = 100
)

// checkAnswer holds an answer to the limits above. Its errors name the JSON path, so that they read
// the same for every kind of bot.
func checkAnswer(answer *conversation.Answer) *conversation.BotError {
	if answer == nil {
		return conversation.Permanent("no answer")
	}
	if answer.State != nil {
		if err := checkState(answer.State); err != nil {
			return err
		}
	}
	for i, reply := range answer.Replies {
		if reply.GetContent() == nil {
			return conversation.Permanent("replies[%d]: has no content", i)
		}
	}
	return checkTimers(answer)
}

func checkState(state json.RawMessage) *conversation.BotError {
	switch {
	case len(state) > MaxStateBytes:
		return conversation.Permanent("state: %d bytes, at most %d", len(state), MaxStateBytes)
	case !json.Valid(state) || !utf8.Valid(state):
		return conversation.Permanent("state: not JSON in UTF-8")
	case kindOf(state) != kindObject:
		return conversation.Permanent("state: must be %s, not %s", kindObject, kindOf(state))
	}
	return nil
}

func checkTimers(answer *conversation.Answer) *conversation.BotError {
	if n := len(answer.Timers); n > MaxTimers {
		return conversation.Permanent("timers: %d in one turn, at most %d", n, MaxTimers)
	}
	if n := len(answer.CancelTimers); n > MaxTimers {
		return conversation.Permanent("cancelTimers: %d in one turn, at most %d", n, MaxTimers)
	}
	set := make(map[string]bool, len(answer.Timers))
	for i, timer := range answer.Timers {
		switch {
		case !timerName(timer.Name):
			return conversation.Permanent("timers[%d].name: must have 1 to %d characters", i, MaxTimerName)
		case set[timer.Name]:
			return conversation.Permanent("timers[%d].name: set twice in one turn", i)
		case timer.After <= 0 || timer.After > MaxTimerAfter:
			return conversation.Permanent("timers[%d].after: must be more than 0s and at most %.0fs", i,
				MaxTimerAfter.Seconds())
		}
		set[timer.Name] = true
	}
	for i, name := range answer.CancelTimers {
		if !timerName(name) {
			return conversation.Permanent("cancelTimers[%d]: must have 1 to %d characters", i, MaxTimerName)
		}
	}
	return nil
}

func timerName(name string) bool {
	n := utf8.RuneCountInString(name)
	return n > 0 && n <= MaxTimerName && utf8.ValidString(name)
}
