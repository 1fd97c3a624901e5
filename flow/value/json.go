package value

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AppendJSON writes a value with sorted keys: the same value is the same bytes.
func AppendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return appendFloat(dst, v)
	case string:
		return AppendQuoted(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, item)
		}
		return append(dst, ']')
	case map[string]any:
		return AppendObject(dst, v)
	}
	return append(dst, "null"...)
}

// AppendObject writes a map as AppendJSON does.
func AppendObject(dst []byte, v map[string]any) []byte {
	dst = append(dst, '{')
	if len(v) == 1 { // the usual case needs no sorting
		for key, item := range v { //lint:order there is one
			dst = append(AppendQuoted(dst, key), ':')
			dst = AppendJSON(dst, item)
		}
		return append(dst, '}')
	}
	for i, key := range slices.Sorted(maps.Keys(v)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendQuoted(dst, key), ':')
		dst = AppendJSON(dst, v[key])
	}
	return append(dst, '}')
}

// appendFloat writes whole numbers, which are beyond the exact integers here, with an exponent:
// they come back as floats.
func appendFloat(dst []byte, v float64) []byte {
	if v == math.Trunc(v) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

const hexDigits = "0123456789abcdef"

// AppendQuoted writes a JSON string; invalid UTF-8 becomes U+FFFD.
func AppendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); i++ {
		if c := text[i]; c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			continue
		}
		if text[i] >= utf8.RuneSelf {
			char, size := utf8.DecodeRuneInString(text[i:])
			if char != utf8.RuneError || size > 1 {
				i += size - 1
				continue
			}
		}
		dst = append(dst, text[start:i]...)
		dst = appendEscape(dst, text[i])
		start = i + 1
	}
	return append(append(dst, text[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	}
	if c >= utf8.RuneSelf {
		return append(dst, `\ufffd`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
