package flow

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/expr-lang/expr"
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

type entry struct {
	name       string
	key, value any
}

var errNoMap = errors.New("not a map")

// entries returns the elements of a map in the order of their keys.
func entries(args []any) ([]entry, error) {
	m := reflect.ValueOf(args[0])
	if m.Kind() != reflect.Map {
		return nil, errNoMap
	}
	return sortedEntries(m), nil
}

// sortedEntries orders by the key's text, and keys of one text by their types.
func sortedEntries(m reflect.Value) []entry {
	out := make([]entry, 0, m.Len())
	for key, value := range m.Seq2() {
		out = append(out, entry{name: fmt.Sprint(key.Interface()), key: key.Interface(), value: value.Interface()})
	}
	slices.SortFunc(out, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(fmt.Sprintf("%T", a.key), fmt.Sprintf("%T", b.key)))
	})
	return out
}

func sortedKeys(args ...any) (any, error) {
	return collect(args, func(e entry) any { return e.key })
}

func sortedValues(args ...any) (any, error) {
	return collect(args, func(e entry) any { return e.value })
}

func sortedPairs(args ...any) (any, error) {
	return collect(args, func(e entry) any { return []any{e.key, e.value} })
}

func collect(args []any, pick func(entry) any) (any, error) {
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
	text, err := appendDisplay(nil, args[0])
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
		return nil, errNotNumber
	}
	return strconv.FormatFloat(number, 'f', decimals, 64), nil
}
