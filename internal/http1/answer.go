package http1

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// Answer is what the server said to one request.
type Answer struct {
	Status int
	// Body is what was read of it: cut off where the connection broke or MaxAnswer was reached.
	Body []byte
	// Header is nil where it says nothing of weight: of a plain "200 OK" with a Content-Length.
	Header http.Header
}

// read reads an answer. keep says that the connection may be used again.
func (c *Conn) read() (a Answer, keep bool, err error) {
	if a, ok := c.readPlain(); ok {
		return a, true, nil
	}
	// Closing the body would read on; who owns the connection ends it instead.
	response, err := http.ReadResponse(c.in, nil) //nolint:bodyclose // see above

	// "103 Early Hints" and such
	for err == nil && response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols {
		response, err = http.ReadResponse(c.in, nil) //nolint:bodyclose // see above
	}
	if err != nil {
		return a, false, err
	}
	// An error here only cuts the body off: the status line has already said what happened.
	text, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer))
	whole := err == nil && len(text) < MaxAnswer && c.in.Buffered() == 0
	return Answer{Status: response.StatusCode, Body: text, Header: response.Header}, whole && !response.Close, nil
}

// readPlain reads what nearly every answer is: "200 OK" with a Content-Length, whose headers and
// body came at once. Where it is anything else, nothing is read, and net/http has to see what it
// is.
func (c *Conn) readPlain() (Answer, bool) {
	if _, err := c.in.Peek(1); err != nil {
		return Answer{}, false
	}
	came, _ := c.in.Peek(c.in.Buffered())
	headers, ok := bytes.CutPrefix(came, []byte("HTTP/1.1 200 OK\r\n"))
	end := bytes.Index(headers, []byte("\r\n\r\n"))
	if !ok || end < 0 {
		return Answer{}, false
	}
	body := headers[end+4:]
	length, ok := plainLength(headers[:end+2])
	if !ok || length != len(body) {
		return Answer{}, false
	}
	a := Answer{Status: http.StatusOK, Body: bytes.Clone(body)}
	_, err := c.in.Discard(len(came))
	return a, err == nil
}

// plainLength returns the Content-Length, if there is one and the headers say nothing else of how
// to read the body or of the connection.
func plainLength(headers []byte) (length int, ok bool) {
	for len(headers) > 0 {
		line, rest, _ := bytes.Cut(headers, []byte("\r\n"))
		headers = rest
		name, value, colon := bytes.Cut(line, []byte(":"))
		switch {
		case !colon || !isName(name) || bytes.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
			return 0, false // net/http will say what it is
		case bytes.EqualFold(name, []byte("Content-Length")):
			n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 20)
			if err != nil || ok {
				return 0, false
			}
			length, ok = int(n), true
		case bytes.EqualFold(name, []byte("Transfer-Encoding")), bytes.EqualFold(name, []byte("Connection")),
			bytes.EqualFold(name, []byte("Retry-After")):
			return 0, false
		}
	}
	return length, ok
}

// isName reports whether a header's name is of letters, digits and hyphens.
func isName(name []byte) bool {
	for _, c := range name {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return len(name) > 0
}
