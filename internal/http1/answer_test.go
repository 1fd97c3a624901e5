package http1

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
)

// FuzzReadPlain: an answer that is read the short way is what net/http reads, and leaves nothing
// behind.
func FuzzReadPlain(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 2 \r\nDate: x\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n folded: x\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}",
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		short := &Conn{in: bufio.NewReaderSize(strings.NewReader(text), 4<<10)}
		got, ok := short.readPlain()
		if !ok {
			if left, _ := io.ReadAll(short.in); string(left) != text {
				t.Fatalf("%q is left", left)
			}
			return
		}
		// Where it comes in two parts it goes the long way.
		long := &Conn{in: bufio.NewReader(io.MultiReader(strings.NewReader(text[:5]),
			strings.NewReader(text[5:])))}
		want, keep, err := long.read()
		if err != nil || !keep || want.Status != got.Status || !bytes.Equal(want.Body, got.Body) ||
			want.Header.Get("Retry-After") != "" {
			t.Errorf("%+v, not %+v, %v, %v", got, want, keep, err)
		}
	})
}

// TestPlainAnswersAreUsed: what the Graph API says goes the short way.
func TestPlainAnswersAreUsed(t *testing.T) {
	for text, want := range map[string]bool{
		"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: 2\r\n\r\n{}": true,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}":                             false,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n{}":                                false,
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}":                                         false,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n":                       false,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{":                                                   false,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n":                               false,
	} {
		c := &Conn{in: bufio.NewReader(strings.NewReader(text))}
		if a, ok := c.readPlain(); ok != want || ok && string(a.Body) != "{}" {
			t.Errorf("%q: %v %q", text, ok, a.Body)
		}
	}
}
