package cloudapi

import "bytes"

// scanner reads JSON in place, one value after the other, and checks the syntax of all that it
// passes.
//
// The webhook is the hot path, and most of its bytes are names and nesting that nobody needs:
// encoding/json with nested RawMessage scans them once a level and allocates for each (compare
// BenchmarkDecode and BenchmarkDecodeEncodingJSON). The price is an own scanner, and FuzzScanner
// holds it to encoding/json's verdict and to its strings.
//
// Two kinds of mistake are told apart. A syntax mistake sets err, which ends the whole body. A
// value of an unexpected type sets odd, which only spoils the piece that the caller is reading; the
// value is skipped and reading goes on.
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
		if s.depth++; s.depth > MaxDepth {
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
	if s.odd == "" {
		s.odd = what
	}
	s.skip()
}

func (s *scanner) literal(word string) {
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		s.fail(ErrSyntax)
		return
	}
	s.pos += len(word)
}
