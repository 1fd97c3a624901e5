package definition

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/value"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// answerKind says what an ask takes for an answer, and which value it makes of it.
type answerKind func(*wactorv1.Message) (value any, ok bool)

// answerKinds are the names of ask.type; those of a text can also be named by ask.validate.
var answerKinds = map[string]answerKind{
	"text":     textual(func(s string) (any, bool) { return s, true }),
	"number":   textual(parseNumber),
	"integer":  textual(parseInteger),
	"email":    textual(parseEmail),
	"phone":    textual(parsePhone),
	"date":     textual(parseDate),
	"location": locationAnswer,
	"media":    mediaAnswer("image", "video", "audio", "document", "sticker"),
	"image":    mediaAnswer("image"),
	"video":    mediaAnswer("video"),
	"audio":    mediaAnswer("audio"),
	"document": mediaAnswer("document"),
}

// validators are the kinds that ask.validate can name.
var validators = []string{"email", "number", "integer", "phone", "date"}

// typed reports whether a message is something that the user wrote or pressed: its text is an
// answer.
func typed(m *wactorv1.Message) bool {
	switch m.GetType() {
	case "text", "button_reply", "list_reply", "button":
		return true
	}
	return false
}

// textual makes a kind of a parser of texts. White space around a text and an empty text are never
// an answer.
func textual(parse func(string) (any, bool)) answerKind {
	return func(m *wactorv1.Message) (any, bool) {
		text := strings.TrimSpace(m.GetText())
		if !typed(m) || text == "" {
			return nil, false
		}
		return parse(text)
	}
}

// numberPattern takes at most 18 digits: so many fit an int.
var numberPattern = regexp.MustCompile(`^[+-]?[0-9]{1,18}([.,][0-9]{1,12})?$`)

// ambiguousPattern is what can be read as a number with a thousands separator.
var ambiguousPattern = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$`)

// parseNumber takes 3, -3, 2.5 and 2,5. What may hold a thousands separator is refused: 1.500 is
// one and a half to one reader and fifteen hundred to another.
func parseNumber(text string) (any, bool) {
	if !numberPattern.MatchString(text) || ambiguousPattern.MatchString(text) {
		return nil, false
	}
	if i, err := strconv.Atoi(text); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err != nil {
		return nil, false
	}
	v, err := value.Float(f)
	return v, err == nil
}

func parseInteger(text string) (any, bool) {
	value, ok := parseNumber(text)
	if _, whole := value.(int); !whole {
		return nil, false
	}
	return value, ok
}

var emailPattern = regexp.MustCompile(`^[^\s@<>()",;:\\]{1,64}@[^\s@<>()",;:\\.]+(\.[^\s@<>()",;:\\.]+)+$`)

// parseEmail checks the form alone; whether the address exists only a mail can tell.
func parseEmail(text string) (any, bool) {
	return text, len(text) <= 254 && emailPattern.MatchString(text)
}

var phonePattern = regexp.MustCompile(`^\+?[0-9 ()/.-]+$`)

// parsePhone takes 7 to 15 digits (the most that E.164 allows) and returns them, with the plus sign
// where there was one.
func parsePhone(text string) (any, bool) {
	if !phonePattern.MatchString(text) {
		return nil, false
	}
	number := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, text)
	if len(number) < 7 || len(number) > 15 {
		return nil, false
	}
	if text[0] == '+' {
		number = "+" + number
	}
	return number, true
}

// dateLayouts are the forms of a date. 31/12/2026 is day first, as most of the world writes.
var dateLayouts = []string{"2006-1-2", "2.1.2006", "2/1/2006"}

// parseDate returns a date as YYYY-MM-DD.
func parseDate(text string) (any, bool) {
	for _, layout := range dateLayouts {
		if day, err := time.Parse(layout, text); err == nil && day.Year() >= 1000 {
			return day.Format(time.DateOnly), true
		}
	}
	return nil, false
}

func locationAnswer(m *wactorv1.Message) (any, bool) {
	if m.GetType() != "location" || m.GetLocation() == nil {
		return nil, false
	}
	return expr.LocationValue(m.GetLocation()), true
}

func mediaAnswer(types ...string) answerKind {
	return func(m *wactorv1.Message) (any, bool) {
		if !slices.Contains(types, m.GetType()) {
			return nil, false
		}
		return expr.MediaValue(m.GetType(), m.GetMedia()), true
	}
}
