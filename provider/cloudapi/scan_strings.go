package cloudapi

import (
	"unicode/utf16"
	"unicode/utf8"
)

// quoted reads a string and returns what stands between its quotes; plain says that those bytes are
// its value: no escape, and nothing beyond ASCII. Half of the time of Decode is spent here, in the
// loop over plain bytes.
func (s *scanner) quoted() (value []byte, plain bool) {
	start := s.pos + 1
	plain = true
	for i := start; i < len(s.data); {
		c := s.data[i]
		switch {
		case plainBytes[c]:
			i++
		case c == '"':
			s.pos = i + 1
			return s.data[start:i], plain
		case c == '\\':
			size := escapeSize(s.data[i:])
			if size == 0 {
				s.fail(ErrSyntax)
				return nil, true
			}
			plain = false
			i += size
		case c < ' ':
			s.fail(ErrSyntax)
			return nil, true
		default:
			plain = false
			i++
		}
	}
	s.fail(ErrSyntax)
	return nil, true
}

// plainBytes are those that stand for themselves in a JSON string and in UTF-8.
var plainBytes = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// escapeSize returns the length of an escape sequence, 0 where it is none.
func escapeSize(rest []byte) int {
	if len(rest) < 2 {
		return 0
	}
	switch rest[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(rest[2:]); ok {
			return 6
		}
	}
	return 0
}

// unquote turns the inside of a checked JSON string into text. Half surrogate pairs and invalid
// UTF-8 become U+FFFD, as in encoding/json: the texts go into protobuf strings, which must be
// valid.
func unquote(inside []byte) string {
	out := make([]byte, 0, len(inside))
	for i := 0; i < len(inside); {
		switch c := inside[i]; {
		case c == '\\' && inside[i+1] == 'u':
			r, size := escapedRune(inside[i:])
			out = utf8.AppendRune(out, r)
			i += size
		case c == '\\':
			out = append(out, unescaped(inside[i+1]))
			i += 2
		case c < utf8.RuneSelf:
			out = append(out, c)
			i++
		default:
			r, size := utf8.DecodeRune(inside[i:])
			out = utf8.AppendRune(out, r)
			i += size
		}
	}
	return string(out)
}

// escapedRune reads \uXXXX, or two of them that make one rune.
func escapedRune(inside []byte) (r rune, size int) {
	first, _ := hex4(inside[2:])
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	if len(inside) >= 12 && inside[6] == '\\' && inside[7] == 'u' {
		second, _ := hex4(inside[8:])
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, 12
		}
	}
	return utf8.RuneError, 6
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

func hex4(digits []byte) (r rune, ok bool) {
	if len(digits) < 4 {
		return 0, false
	}
	for _, c := range digits[:4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
