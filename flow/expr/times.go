package expr

import (
	"errors"
	"time"

	"github.com/expr-lang/expr"

	"github.com/wactor/wactor/flow/zone"
)

// timeFunctions replace built-in ones that look at the machine's own zone: Wactor's nodes may run
// in different ones, and a turn that is repeated elsewhere must say the same.
var timeFunctions = []expr.Option{
	expr.DisableBuiltin("timezone"), expr.Function("timezone", timezone, new(func(string) *time.Location)),
	expr.DisableBuiltin("date"), expr.Function("date", date,
		new(func(string) time.Time), new(func(string, string) time.Time), new(func(string, string, string) time.Time)),
}

var errNoDate = errors.New("not a date")

func timezone(args ...any) (any, error) {
	name, ok := args[0].(string)
	if !ok {
		return nil, zone.ErrUnknown
	}
	location, err := zone.Load(name)
	if err != nil {
		return nil, err
	}
	return location, nil
}

// dateForms are what date takes without a layout.
var dateForms = []string{time.DateOnly, time.TimeOnly, time.DateTime, time.RFC3339}

// date reads date(text), date(text, layout) or date(text, layout, zone); without a zone a text that
// names none is in UTC.
func date(args ...any) (any, error) {
	texts := make([]string, len(args))
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok {
			return nil, errNoDate
		}
		texts[i] = text
	}
	location, forms := time.UTC, dateForms
	if len(texts) > 1 {
		forms = texts[1:2]
	}
	if len(texts) > 2 {
		var err error
		if location, err = zone.Load(texts[2]); err != nil {
			return nil, err
		}
	}
	for _, form := range forms {
		if t, err := time.ParseInLocation(form, texts[0], location); err == nil {
			return t, nil
		}
	}
	return nil, errNoDate
}
