package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// FuzzNames: a name comes back whole from behind anything, keys sort as names do, and no name's
// keys begin as another's.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"shop/1", "a", "a\x00", "a\x00b", "ab", "\x00\x01", "\x00\xff", "ä"} {
		f.Add(name, "b", []byte("rest"))
	}
	f.Add("", "\x00", []byte{0, 1})
	f.Add("a\x00\x01", "a", []byte{0xff})
	f.Fuzz(func(t *testing.T, a, b string, rest []byte) {
		encodedA, encodedB := appendName(nil, a), appendName(nil, b)
		name, tail, ok := CutName(append(encodedA[:len(encodedA):len(encodedA)], rest...))
		if !ok || name != a || !bytes.Equal(tail, rest) {
			t.Fatalf("%q came back as %q and %q", a, name, tail)
		}
		if bytes.Compare(encodedA, encodedB) != strings.Compare(a, b) {
			t.Fatalf("%q and %q change their order", a, b)
		}
		if a != b && bytes.HasPrefix(encodedA, encodedB) {
			t.Fatalf("the key of %q begins as that of %q", a, b)
		}
	})
}

// FuzzCutKeys: what was not made by the encoders is refused, or is exactly what they would make of
// it.
func FuzzCutKeys(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(appendName(nil, "shop/1"))
	f.Add([]byte{'a', 0, 2})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 9, 'a', 0, 1, 't'})
	f.Fuzz(func(t *testing.T, key []byte) {
		if name, rest, ok := CutName(key); ok && !bytes.Equal(append(appendName(nil, name), rest...), key) {
			t.Fatalf("%q was read as %q and %q", key, name, rest)
		}
		dueMs, name, timer, ok := CutDue(key)
		if ok && !bytes.Equal(append(appendName(Number(uint64(dueMs)), name), timer...), key) {
			t.Fatalf("%q was read as %d, %q and %q", key, dueMs, name, timer)
		}
	})
}

// FuzzHead: a head comes back with its revision, and anything else is corrupt.
func FuzzHead(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(JoinHead(Standing{Revision: 7, Chain: 8}, []byte("head")))
	f.Add(make([]byte, 8))
	f.Fuzz(func(t *testing.T, value []byte) {
		at, head, err := SplitHead(value)
		switch {
		case err != nil && !errors.Is(err, ErrHead):
			t.Fatal(err)
		case err == nil && !bytes.Equal(JoinHead(at, head), value) &&
			!bytes.Equal(append(binary.BigEndian.AppendUint64(nil, at.Revision), head...), value):
			t.Fatalf("%x was read as %v and %x", value, at, head)
		}
	})
}
