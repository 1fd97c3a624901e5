package expr

import (
	"errors"
	"reflect"
	"strconv"

	"github.com/expr-lang/expr"

	"github.com/wactor/wactor/flow/value"
)

// functions are what expressions can call besides the language's own. keys, values and toPairs
// replace built-in ones that return a map's elements in random order, and string one that writes
// what differs between processes: a turn that is repeated must say the same again. now is a
// variable here: the function would ask the clock.
var functions = append([]expr.Option{
	expr.DisableBuiltin("now"),
	expr.DisableBuiltin("keys"), expr.Function("keys", sortedKeys, new(func(any) []any)),
	expr.DisableBuiltin("values"), expr.Function("values", sortedValues, new(func(any) []any)),
	expr.DisableBuiltin("toPairs"), expr.Function("toPairs", sortedPairs, new(func(any) []any)),
	expr.DisableBuiltin("string"), expr.Function("string", display, new(func(any) string)),
	expr.Function("fixed", fixed, new(func(any, int) string)),
}, timeFunctions...)

var errNoMap = errors.New("not a map")

// entries returns the elements of a map in the order of their keys.
func entries(args []any) ([]value.Entry, error) {
	m := reflect.ValueOf(args[0])
	if m.Kind() != reflect.Map {
		return nil, errNoMap
	}
	return value.Entries(m), nil
}

func sortedKeys(args ...any) (any, error) {
	return collect(args, func(e value.Entry) any { return e.Key })
}

func sortedValues(args ...any) (any, error) {
	return collect(args, func(e value.Entry) any { return e.Value })
}

func sortedPairs(args ...any) (any, error) {
	return collect(args, func(e value.Entry) any { return []any{e.Key, e.Value} })
}

func collect(args []any, pick func(value.Entry) any) (any, error) {
	list, err := entries(args)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = pick(e)
	}
	return out, nil
}

// display makes the text that {{ }} makes. The built-in string writes Go's own forms, and of some
// values their addresses.
func display(args ...any) (any, error) {
	text, err := value.AppendText(nil, args[0])
	if err != nil {
		return nil, err
	}
	return string(text), nil
}

// fixed writes a number with so many decimals: prices.
func fixed(args ...any) (any, error) {
	decimals, ok := args[1].(int)
	if !ok || decimals < 0 || decimals > 12 {
		return nil, errors.New("fixed takes 0 to 12 decimals")
	}
	var number float64
	switch v := args[0].(type) {
	case int:
		number = float64(v)
	case float64:
		number = v
	default:
		return nil, value.ErrNotNumber
	}
	return strconv.FormatFloat(number, 'f', decimals, 64), nil
}
