package expr

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"

	"github.com/wactor/wactor/flow/value"
)

// functions are what expressions can call besides the language's own. replace, join and uniq take
// the place of built-in ones that can make gigabytes, or take the square of a list's length. keys,
// values and toPairs replace built-in ones that return a map's elements in random order, and string
// one that writes what differs between processes: a turn that is repeated must say the same again.
// now is a variable here: the function would ask the clock.
var functions = append([]expr.Option{
	expr.DisableBuiltin("now"),
	expr.DisableBuiltin("keys"), expr.Function("keys", sortedKeys, new(func(any) []any)),
	expr.DisableBuiltin("values"), expr.Function("values", sortedValues, new(func(any) []any)),
	expr.DisableBuiltin("toPairs"), expr.Function("toPairs", sortedPairs, new(func(any) []any)),
	expr.DisableBuiltin("string"), expr.Function("string", display, new(func(any) string)),
	expr.DisableBuiltin("replace"), expr.Function("replace", replace,
		new(func(string, string, string) string), new(func(string, string, string, int) string)),
	expr.DisableBuiltin("join"), expr.Function("join", join,
		new(func([]any) string), new(func([]any, string) string), new(func([]string) string),
		new(func([]string, string) string)),
	expr.DisableBuiltin("uniq"), expr.Function("uniq", uniq, new(func(any) []any)),
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

var errText = errors.New("not a text")

// replace is the built-in one, within maxMade.
func replace(args ...any) (any, error) {
	var texts [3]string
	for i := range texts {
		var ok bool
		if texts[i], ok = args[i].(string); !ok {
			return nil, errText
		}
	}
	times := -1
	if len(args) > 3 {
		var ok bool
		if times, ok = args[3].(int); !ok {
			return nil, value.ErrNotNumber
		}
	}
	count := strings.Count(texts[0], texts[1])
	if times >= 0 {
		count = min(count, times)
	}
	if len(texts[0])+count*len(texts[2]) > maxMade {
		return nil, errMade
	}
	return strings.Replace(texts[0], texts[1], texts[2], times), nil
}

// join is the built-in one, within maxMade.
func join(args ...any) (any, error) {
	separator := ""
	if len(args) > 1 {
		var ok bool
		if separator, ok = args[1].(string); !ok {
			return nil, errText
		}
	}
	var items []string
	switch list := args[0].(type) {
	case []string:
		items = list
	case []any:
		for _, item := range list {
			text, ok := item.(string)
			if !ok {
				return nil, errText
			}
			items = append(items, text)
		}
	default:
		return nil, errText
	}
	length := 0
	for _, item := range items {
		if length += len(item) + len(separator); length > maxMade {
			return nil, errMade
		}
	}
	return strings.Join(items, separator), nil
}

// uniq is the built-in one in the time of one look at each element: alike are those whose JSON is.
func uniq(args ...any) (any, error) {
	list := reflect.ValueOf(args[0])
	if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
		return nil, errText
	}
	seen := make(map[string]bool, list.Len())
	out := []any{}
	for _, item := range list.Seq2() {
		v, err := value.Normalise(item.Interface())
		if err != nil {
			return nil, err
		}
		key := string(value.AppendJSON(nil, v))
		if !seen[key] {
			seen[key] = true
			out = append(out, item.Interface())
		}
	}
	return out, nil
}
