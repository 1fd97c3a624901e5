// Package value holds what a conversation can remember, and its JSON.
//
// A value is what JSON can say: nil, bool, int, float64, string, []any, map[string]any. Values are
// never changed in place, so conversations may share them.
//
// There is one kind of number: what is whole is an int, also where a division made it, so that a
// counter reads 3 and never 3.0, after any number of journeys through JSON. Integers are exact in
// all 64 bits; what is beyond is a float64.
package value

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a value.
const (
	// MaxElements is how many elements a value may hold, counting those of its lists and maps.
	MaxElements = 10_000
	// MaxDepth is how deep lists and maps may be nested.
	MaxDepth = 32
	// MaxBytes is how long a text of a value may be.
	MaxBytes = 256 << 10
)

// Why something is no value. The texts quote nothing of it.
var (
	ErrTooLarge = fmt.Errorf("a value has more than %d elements, or a text more than %d KiB", MaxElements,
		MaxBytes>>10)
	ErrTooDeep   = fmt.Errorf("a value is nested deeper than %d levels", MaxDepth)
	ErrNotNumber = errors.New("a number is not finite")
	ErrNoValue   = errors.New("a value of this kind cannot be stored")
	ErrNotJSON   = errors.New("not JSON")
)

// Normalise makes a value of whatever an expression or a JSON decoder returned; the error is one of
// those above.
func Normalise(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int:
		return v, nil
	case string:
		return normaliseText(v)
	case float64:
		return Float(v)
	}
	n := normaliser{left: MaxElements}
	out, err := n.value(v, 1)
	if err != nil {
		n = normaliser{left: MaxElements, inOrder: true}
		return n.value(v, 1)
	}
	return out, nil
}

type normaliser struct {
	left int
	// inOrder takes the elements of maps in the order of their keys, so that of several errors the
	// same one is returned every time, and of two keys that come out equal the same one stays.
	inOrder bool
}

// errOrder: two keys may come out equal.
var errOrder = errors.New("a key is not UTF-8")

func (n *normaliser) value(v any, depth int) (any, error) {
	if n.left--; n.left < 0 {
		return nil, ErrTooLarge
	}
	if depth > MaxDepth {
		return nil, ErrTooDeep
	}
	switch v := v.(type) {
	case nil, bool, int:
		return v, nil
	case string:
		return normaliseText(v)
	case float64:
		return Float(v)
	case json.Number:
		return number(v)
	case time.Time:
		return v.Format(time.RFC3339), nil
	case time.Duration:
		return v.String(), nil
	case map[string]any:
		return n.object(v, depth)
	case []any:
		return n.list(v, depth)
	}
	return n.reflected(reflect.ValueOf(v), depth)
}

func (n *normaliser) object(v map[string]any, depth int) (any, error) {
	out := make(map[string]any, len(v))
	if n.inOrder {
		for _, key := range slices.Sorted(maps.Keys(v)) {
			item, err := n.value(v[key], depth+1)
			if err != nil {
				return nil, err
			}
			out[strings.ToValidUTF8(key, "\uFFFD")] = item
		}
		return out, nil
	}
	//lint:order where it would matter, all is made again in order
	for key, item := range v {
		item, err := n.value(item, depth+1)
		if err != nil || !utf8.ValidString(key) {
			return nil, cmp.Or(err, errOrder)
		}
		out[key] = item
	}
	return out, nil
}

func (n *normaliser) list(v []any, depth int) (any, error) {
	out := make([]any, len(v))
	for i, item := range v {
		item, err := n.value(item, depth+1)
		if err != nil {
			return nil, err
		}
		out[i] = item
	}
	return out, nil
}

// reflected takes the types that functions of expressions return: []string, []int, map[any][]any,
// ...
func (n *normaliser) reflected(v reflect.Value, depth int) (any, error) {
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return number(json.Number(strconv.FormatUint(v.Uint(), 10)))
	case reflect.Float32:
		return Float(v.Float())
	case reflect.Slice, reflect.Array:
		if v.Len() > n.left {
			return nil, ErrTooLarge
		}
		items := make([]any, v.Len())
		for i := range items {
			items[i] = v.Index(i).Interface()
		}
		return n.list(items, depth)
	case reflect.Map:
		if v.Len() > n.left {
			return nil, ErrTooLarge
		}
		fields := make(map[string]any, v.Len())
		for _, e := range Entries(v) { // 1 and "1" are one key in JSON: the same one wins every time
			fields[e.name] = e.Value
		}
		return n.object(fields, depth)
	}
	return nil, ErrNoValue
}

func normaliseText(text string) (any, error) {
	if len(text) > MaxBytes {
		return nil, ErrTooLarge
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return text, nil
}

// exactFloat is the largest float64 below which every integer has one of its own.
const exactFloat = 1 << 53

// Float makes a value of a number: an int where it is whole. NaN and infinities are ErrNotNumber.
func Float(v float64) (any, error) {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return nil, ErrNotNumber
	case v == math.Trunc(v) && math.Abs(v) <= exactFloat:
		return int(v), nil
	}
	return v, nil
}

// number reads a JSON number.
func number(text json.Number) (any, error) {
	if i, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return int(i), nil
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return nil, ErrNotNumber
	}
	return Float(f)
}

// AppendText writes a value as a person reads it: a text as it is, nothing for nil, lists and maps
// as JSON. The errors are those of Normalise.
func AppendText(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return dst, nil
	case string:
		return append(dst, v...), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case time.Time:
		return v.AppendFormat(dst, "2006-01-02 15:04"), nil
	}
	value, err := Normalise(v)
	if err != nil {
		return nil, err
	}
	switch value := value.(type) {
	case string:
		return append(dst, value...), nil
	case float64:
		if math.Abs(value) < 1e21 {
			return strconv.AppendFloat(dst, value, 'f', -1, 64), nil
		}
	}
	return AppendJSON(dst, value), nil
}
