package value

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// reader reads JSON straight into values. encoding/json would make a tree of its own first, which
// every turn would pay for; a fuzz test holds the two equal.
type reader struct {
	data []byte
	pos  int
	// left is how many elements may still come.
	left int
}

// Decode reads a JSON value within the limits; the error is one of this package.
func Decode(data []byte) (any, error) { return DecodeWithin(data, MaxElements, 1) }

// DecodeWithin reads a value of at most so many elements, whose own depth counts as the given one:
// a container of values is not one itself.
func DecodeWithin(data []byte, elements, depth int) (any, error) {
	r := &reader{data: data, left: elements}
	v, err := r.value(depth)
	if err != nil {
		return nil, err
	}
	if r.next() != 0 || r.pos < len(r.data) {
		return nil, ErrNotJSON
	}
	return v, nil
}

// next skips white space and returns the byte after it; 0 at the end.
func (r *reader) next() byte {
	for ; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (r *reader) value(depth int) (any, error) {
	if r.left--; r.left < 0 {
		return nil, ErrTooLarge
	}
	if depth > MaxDepth {
		return nil, ErrTooDeep
	}
	switch c := r.next(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.list(depth)
	case c == '"':
		return r.text()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	return r.word()
}

func (r *reader) word() (any, error) {
	for _, w := range []struct {
		text  string
		value any
	}{{"null", nil}, {"true", true}, {"false", false}} {
		if strings.HasPrefix(string(r.data[r.pos:min(r.pos+5, len(r.data))]), w.text) {
			r.pos += len(w.text)
			return w.value, nil
		}
	}
	return nil, ErrNotJSON
}

func (r *reader) list(depth int) (any, error) {
	out := []any{}
	r.pos++
	if r.take(']') {
		return out, nil
	}
	for {
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
		if r.take(']') {
			return out, nil
		}
		if !r.take(',') {
			return nil, ErrNotJSON
		}
	}
}

// object reads a map; of a key that is there twice the last value counts.
func (r *reader) object(depth int) (any, error) {
	out := map[string]any{}
	r.pos++
	if r.take('}') {
		return out, nil
	}
	for {
		if r.next() != '"' {
			return nil, ErrNotJSON
		}
		key, err := r.text()
		if err != nil {
			return nil, err
		}
		if !r.take(':') {
			return nil, ErrNotJSON
		}
		if out[key], err = r.value(depth + 1); err != nil {
			return nil, err
		}
		if r.take('}') {
			return out, nil
		}
		if !r.take(',') {
			return nil, ErrNotJSON
		}
	}
}

// take skips a byte that must come next.
func (r *reader) take(c byte) bool {
	if r.next() != c {
		return false
	}
	r.pos++
	return true
}

// text reads a string: as it stands where it has no escapes, else by encoding/json.
func (r *reader) text() (string, error) {
	start := r.pos
	simple := true
	for r.pos++; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return r.unquote(start, simple)
		case c == '\\':
			simple = false
			r.pos++
		case c < ' ':
			return "", ErrNotJSON
		}
	}
	return "", ErrNotJSON
}

func (r *reader) unquote(start int, simple bool) (string, error) {
	inside := r.data[start+1 : r.pos-1]
	if len(inside) > MaxBytes {
		return "", ErrTooLarge
	}
	if simple && utf8.Valid(inside) {
		return string(inside), nil
	}
	var text string
	if json.Unmarshal(r.data[start:r.pos], &text) != nil {
		return "", ErrNotJSON
	}
	return text, nil
}

// number reads -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
func (r *reader) number() (any, error) {
	start := r.pos
	if r.data[r.pos] == '-' {
		r.pos++
	}
	zero := r.pos < len(r.data) && r.data[r.pos] == '0'
	if digits := r.digits(); digits == 0 || zero && digits > 1 {
		return nil, ErrNotJSON
	}
	if r.pos < len(r.data) && r.data[r.pos] == '.' {
		r.pos++
		if r.digits() == 0 {
			return nil, ErrNotJSON
		}
	}
	if r.pos < len(r.data) && (r.data[r.pos] == 'e' || r.data[r.pos] == 'E') {
		r.pos++
		if r.pos < len(r.data) && (r.data[r.pos] == '+' || r.data[r.pos] == '-') {
			r.pos++
		}
		if r.digits() == 0 {
			return nil, ErrNotJSON
		}
	}
	return number(json.Number(r.data[start:r.pos]))
}

func (r *reader) digits() int {
	start := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos - start
}
