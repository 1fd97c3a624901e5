package media

import (
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestWrongContentNeverEnds(t *testing.T) {
	sum := sha256.Sum256([]byte("hello"))
	for name, c := range map[string]struct {
		body string
		size int64
		want error
	}{
		"right":    {"hello", 5, nil},
		"short":    {"hell", 5, errTooShort},
		"empty":    {"", 5, errTooShort},
		"long":     {"hello!", 5, errTooLong},
		"other":    {"jello", 5, errWrongHash},
		"one byte": {"h", 1, errWrongHash},
	} {
		for reader, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
			"data with end": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(newContent(wrap(strings.NewReader(c.body)), c.size, sum[:]))
			if !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, want %v", name, reader, err, c.want)
			}
			if c.want != nil && int64(len(got)) >= c.size {
				t.Errorf("%s, %s: all %d bytes were handed out", name, reader, len(got))
			}
		}
	}
}

func TestContentSkips(t *testing.T) {
	sum := sha256.Sum256([]byte("hello"))
	c := newContent(strings.NewReader("hello"), 5, sum[:])
	if n, err := c.Seek(0, io.SeekEnd); n != 5 || err != nil {
		t.Error(n, err)
	}
	if _, err := c.Seek(3, io.SeekStart); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(c); string(got) != "lo" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := c.Seek(0, io.SeekStart); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(c); err == nil {
		t.Errorf("read %q again", got)
	}
	bad := newContent(strings.NewReader("jello"), 5, sum[:])
	_, _ = bad.Seek(3, io.SeekStart)
	if got, err := io.ReadAll(bad); err != errWrongHash || string(got) != "l" {
		t.Errorf("%q, %v", got, err)
	}
}
