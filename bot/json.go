package bot

import (
	"bytes"
	"encoding/json"
	"strings"
)

// kind is what a JSON value is, in the words of an error message.
type kind string

const (
	kindObject  kind = "an object"
	kindList    kind = "a list"
	kindString  kind = "a string"
	kindNumber  kind = "a number"
	kindBool    kind = "true or false"
	kindNull    kind = "null"
	kindNothing kind = "nothing"
)

// kindOf tells the kind of a JSON value by its first character; the value may still be malformed.
func kindOf(raw []byte) kind {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return kindNothing
	}
	switch raw[0] {
	case '{':
		return kindObject
	case '[':
		return kindList
	case '"':
		return kindString
	case 't', 'f':
		return kindBool
	case 'n':
		return kindNull
	}
	return kindNumber
}

// field is one member of a JSON object.
type field struct {
	key   string
	value json.RawMessage
}

// fields splits a JSON object into its members, in their order and with repeated keys, which a map
// would hide. The text must be valid JSON; the values share its memory.
func fields(object json.RawMessage) []field {
	var members []field
	for i := next(object, bytes.IndexByte(object, '{')+1); object[i] != '}'; {
		end := skip(object, i)
		key := unquote(object[i:end])
		i = next(object, end) // the colon
		i = next(object, i+1) // the value
		end = skip(object, i)
		members = append(members, field{key: key, value: object[i:end]})
		if i = next(object, end); object[i] == ',' {
			i = next(object, i+1)
		}
	}
	return members
}

// elements splits a JSON list, as fields splits an object.
func elements(list json.RawMessage) []json.RawMessage {
	var values []json.RawMessage
	for i := next(list, bytes.IndexByte(list, '[')+1); list[i] != ']'; {
		end := skip(list, i)
		values = append(values, list[i:end])
		if i = next(list, end); list[i] == ',' {
			i = next(list, i+1)
		}
	}
	return values
}

// next returns the first place from i on that is no white space.
func next(raw []byte, i int) int {
	for raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\r' || raw[i] == '\n' {
		i++
	}
	return i
}

// skip returns the end of the value that begins at i.
func skip(raw []byte, i int) int {
	switch raw[i] {
	case '"':
		return skipString(raw, i)
	case '{', '[':
		return skipNested(raw, i)
	}
	for i < len(raw) && bytes.IndexByte([]byte(" \t\r\n,]}"), raw[i]) < 0 {
		i++
	}
	return i
}

func skipString(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipNested(raw []byte, i int) int {
	for level := 0; ; i++ {
		switch raw[i] {
		case '"':
			i = skipString(raw, i) - 1
		case '{', '[':
			level++
		case '}', ']':
			if level--; level == 0 {
				return i + 1
			}
		}
	}
}

// unquote reads a JSON string.
func unquote(raw json.RawMessage) string {
	var text string
	_ = json.Unmarshal(raw, &text) // can't fail: raw is a valid JSON string
	return text
}

// depth returns how deep the objects and lists of a valid JSON text are nested.
func depth(raw []byte) int {
	var level, deepest int
	inString := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// maxLabel is how long a key may be that is quoted, in characters.
const maxLabel = 24

// label makes an unknown key fit for a log: a key that does not look like a word that a programmer
// wrote may hold anything, such as a phone number.
func label(key string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	if key == "" || len(key) > maxLabel || strings.Trim(key, letters) != "" {
		return "(unprintable key)"
	}
	return key
}
