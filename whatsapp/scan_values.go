package whatsapp

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string as valid UTF-8; null is the empty string.
func (s *scanner) text(what string) string {
	value, plain := s.bytes(what)
	if plain || s.err != nil {
		return string(value)
	}
	return unquote(value)
}

// word reads a string that is most often one of names, and then costs no allocation.
func (s *scanner) word(what string, names map[string]string) string {
	value, plain := s.bytes(what)
	if known, ok := names[string(value)]; ok {
		return known
	}
	if plain || s.err != nil {
		return string(value)
	}
	return unquote(value)
}

func (s *scanner) bytes(what string) (value []byte, plain bool) {
	switch s.peek() {
	case '"':
		return s.quoted()
	case 'n':
		s.literal("null")
	default:
		s.mismatch(what)
	}
	return nil, true
}

// decimal reads a number; null is 0.
func (s *scanner) decimal(what string) float64 {
	switch c := s.peek(); {
	case c == 'n':
		s.literal("null")
	case c == '-' || isDigit(c):
		value, err := strconv.ParseFloat(string(s.digits()), 64)
		if err != nil && s.odd == "" {
			s.odd = what
		}
		return value
	default:
		s.mismatch(what)
	}
	return 0
}

// flag reads true or false; null is false.
func (s *scanner) flag(what string) bool {
	switch s.peek() {
	case 't':
		s.literal("true")
		return s.err == nil
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.mismatch(what)
	}
	return false
}

// whole reads a whole number, or a string of digits; everything else is 0. It is for values that are good to have (times,
// codes): a strange one shall not spoil its message.
func (s *scanner) whole() int64 {
	value := s.skip()
	if len(value) > 1 && value[0] == '"' {
		value = value[1 : len(value)-1]
	}
	number, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// quoted reads a string and returns what stands between its quotes; plain says that those bytes are its value: no escape,
// and nothing beyond ASCII.
func (s *scanner) quoted() (value []byte, plain bool) {
	s.pos++
	start := s.pos
	plain = true
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			value = s.data[start:s.pos]
			s.pos++
			return value, plain
		case c == '\\':
			plain = false
			if !s.escape() {
				s.fail(ErrSyntax)
				return nil, true
			}
		case c < ' ':
			s.fail(ErrSyntax)
			return nil, true
		default:
			plain = plain && c < utf8.RuneSelf
			s.pos++
		}
	}
	s.fail(ErrSyntax)
	return nil, true
}

// escape passes over an escape sequence.
func (s *scanner) escape() bool {
	rest := s.data[s.pos:]
	if len(rest) < 2 {
		return false
	}
	switch rest[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
		_, ok := hex4(rest[2:])
		s.pos += 6
		return ok
	}
	return false
}

// digits reads a number and returns its bytes.
func (s *scanner) digits() []byte {
	start := s.pos
	s.accept('-')
	if !s.accept('0') && !s.run() {
		s.fail(ErrSyntax)
	}
	if s.accept('.') && !s.run() {
		s.fail(ErrSyntax)
	}
	if s.accept('e') || s.accept('E') {
		_ = s.accept('+') || s.accept('-')
		if !s.run() {
			s.fail(ErrSyntax)
		}
	}
	return s.data[start:s.pos]
}

func (s *scanner) accept(c byte) bool {
	if s.pos >= len(s.data) || s.data[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

// run passes over digits and says whether there was one.
func (s *scanner) run() bool {
	start := s.pos
	for s.pos < len(s.data) && isDigit(s.data[s.pos]) {
		s.pos++
	}
	return s.pos > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// unquote turns the inside of a checked JSON string into text. Half surrogate pairs and invalid UTF-8 become U+FFFD, as in
// encoding/json: the texts go into protobuf strings, which must be valid.
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
