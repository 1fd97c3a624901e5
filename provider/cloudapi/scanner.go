package cloudapi

import (
	"bytes"
	"strconv"
)

// scanner reads JSON in place, one value after the other, and checks the syntax of all that it
// passes.
//
// The webhook is the hot path, and most of its bytes are names and nesting that are not needed:
// encoding/json with nested RawMessage scans them once a level and allocates for each (compare
// BenchmarkDecode and BenchmarkDecodeEncodingJSON). The price is an own scanner, and FuzzScanner
// holds it to encoding/json's verdict and to its strings.
//
// Two kinds of mistake are distinguished. A syntax mistake sets err, which ends the whole body. A
// value of an unexpected type sets odd, skips the value and goes on: the caller decides whether the
// piece that it reads can do without.
type scanner struct {
	data  []byte
	pos   int
	depth int
	err   error
	odd   string
}

// members walks an object, or elements of an array: for in := s.object("text"); s.member(&in); {
// use in.key, read a value }. The body of the loop must read exactly one value, skip() at least.
type members struct {
	key     []byte
	open    bool
	started bool
}

// object enters an object; what names it where it is none. A null is an empty object.
func (s *scanner) object(what string) members { return s.enter('{', what) }

// array enters an array; what names it where it is none. A null is an empty array.
func (s *scanner) array(what string) members { return s.enter('[', what) }

func (s *scanner) enter(open byte, what string) members {
	switch s.peek() {
	case open:
		s.pos++
		if s.depth++; s.depth > maxDepth {
			s.fail(ErrTooDeep)
		}
		return members{open: s.err == nil}
	case 'n':
		s.literal("null")
	default:
		s.mismatch(what)
	}
	return members{}
}

// member moves to the next member of an object and reads its key.
func (s *scanner) member(in *members) bool {
	if !s.more(in, '}') {
		return false
	}
	if s.peek() != '"' {
		s.fail(ErrSyntax)
		return false
	}
	key, plain := s.quoted()
	if in.key = key; !plain && s.err == nil {
		in.key = []byte(unquote(key))
	}
	if s.peek() != ':' {
		s.fail(ErrSyntax)
		return false
	}
	s.pos++
	return true
}

// element moves to the next element of an array.
func (s *scanner) element(in *members) bool { return s.more(in, ']') }

func (s *scanner) more(in *members, closing byte) bool {
	if !in.open || s.err != nil {
		return false
	}
	c := s.peek()
	if c == closing {
		s.pos++
		s.depth--
		in.open = false
		return false
	}
	if in.started {
		if c != ',' {
			s.fail(ErrSyntax)
			return false
		}
		s.pos++
	}
	in.started = true
	return true
}

// skip passes over one value of any type and returns its bytes.
func (s *scanner) skip() []byte {
	c := s.peek()
	start := s.pos
	switch c {
	case '{':
		for in := s.object(""); s.member(&in); {
			s.skip()
		}
	case '[':
		for in := s.array(""); s.element(&in); {
			s.skip()
		}
	case '"':
		s.quoted()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.digits()
	}
	return s.data[start:s.pos]
}

// end reports a body that goes on behind its value.
func (s *scanner) end() {
	if s.peek(); s.pos < len(s.data) {
		s.fail(ErrSyntax)
	}
}

// peek passes over white space and returns the next byte, 0 at the end. A literal 0 is no JSON
// either way.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
	s.pos = len(s.data)
}

// mismatch notes that the next value is not of the type that what needs, and passes over it.
func (s *scanner) mismatch(what string) {
	s.note(what)
	s.skip()
}

// note names a part of the wrong type; the first one counts.
func (s *scanner) note(what string) {
	if s.odd == "" {
		s.odd = what
	}
}

func (s *scanner) literal(word string) {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		s.fail(ErrSyntax)
		return
	}
	s.pos += len(word)
}

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

// bytes reads a string. A number is read as its digits: some intermediaries write ids and texts
// that look like numbers without their quotes.
func (s *scanner) bytes(what string) (value []byte, plain bool) {
	switch c := s.peek(); {
	case c == '"':
		return s.quoted()
	case c == 'n':
		s.literal("null")
	case c == '-' || isDigit(c):
		return s.digits(), true
	default:
		s.mismatch(what)
	}
	return nil, true
}

// textOrJSON reads a string that holds JSON, or the JSON itself: some intermediaries unfold it.
func (s *scanner) textOrJSON(what string) string {
	if c := s.peek(); c == '{' || c == '[' {
		return string(bytes.ToValidUTF8(s.skip(), []byte("\ufffd")))
	}
	return s.text(what)
}

// decimal reads a number, or a string that holds one; ok is false where there is none.
func (s *scanner) decimal(what string) (value float64, ok bool) {
	switch c := s.peek(); {
	case c == 'n':
		s.literal("null")
		return 0, false
	case c == '"', c == '-', isDigit(c):
		text, plain := s.bytes(what)
		number := scanner{data: bytes.TrimSpace(text)}
		number.digits()
		number.end()
		value, err := strconv.ParseFloat(string(number.data), 64)
		if ok = plain && number.err == nil && err == nil; ok {
			return value, true
		}
		s.note(what)
	default:
		s.mismatch(what)
	}
	return 0, false
}

// flag reads true or false, or a string of either; everything else is false.
func (s *scanner) flag(what string) bool {
	switch s.peek() {
	case 't':
		s.literal("true")
		return s.err == nil
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	case '"':
		value, _ := s.quoted()
		if string(value) != "true" && string(value) != "false" {
			s.note(what)
		}
		return string(value) == "true"
	default:
		s.mismatch(what)
	}
	return false
}

// whole reads a whole number, or a string of digits; everything else is 0. It is for values that
// are good to have (times, codes): a strange one must not spoil its message.
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
