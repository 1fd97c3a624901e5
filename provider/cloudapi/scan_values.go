package cloudapi

import "strconv"

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

// whole reads a whole number, or a string of digits; everything else is 0. It is for values that
// are good to have (times, codes): a strange one shall not spoil its message.
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
