package flow

import (
	"errors"
	"time"
	_ "time/tzdata" // a zone must mean the same on every machine, also in an image without zone files

	"github.com/expr-lang/expr"
)

// timeFunctions replace built-in ones that look at the machine's own zone: Wactor's nodes may run
// in different ones, and a turn that is repeated elsewhere must say the same.
var timeFunctions = []expr.Option{
	expr.DisableBuiltin("timezone"), expr.Function("timezone", timezone, new(func(string) *time.Location)),
	expr.DisableBuiltin("date"), expr.Function("date", date,
		new(func(string) time.Time), new(func(string, string) time.Time), new(func(string, string, string) time.Time)),
}

var (
	errNoZone = errors.New("there is no such time zone")
	errNoDate = errors.New("not a date")
)

// zone finds a time zone by its IANA name, such as Europe/Berlin.
func zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errNoZone
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, errNoZone
	}
	return location, nil
}

func timezone(args ...any) (any, error) {
	name, ok := args[0].(string)
	if !ok {
		return nil, errNoZone
	}
	location, err := zone(name)
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
		if location, err = zone(texts[2]); err != nil {
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
