package media

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

// What can be wrong with a file.
var (
	errTooShort  = errors.New("the file is shorter than announced")
	errTooLong   = errors.New("the file is longer than announced")
	errWrongHash = errors.New("the SHA-256 of the file is not the announced one")
)

// content reads a file as it arrives, and hands its last byte out only when size and hash are
// right: a reader that counts bytes, as every HTTP client does, never takes a wrong file for a
// whole one. It is an io.ReadSeeker for http.ServeContent: seeking forward before the first read
// skips, which reads all the same, so that a part that reaches to the end is compared too.
type content struct {
	body io.Reader
	size int64
	want []byte // the hash; nil where none is known
	sum  hash.Hash

	at   int64 // where the next read begins
	came int64 // bytes read of the body
	err  error
}

func newContent(body io.Reader, size int64, want []byte) *content {
	return &content{body: body, size: size, want: want, sum: sha256.New()}
}

// Seek implements io.Seeker. It can't go back behind what was read.
func (c *content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, errors.New("media: seek before the beginning")
	}
	c.at = offset
	return offset, nil
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.came < c.at && c.err == nil { // skip
		n := int64(len(p))
		if _, err := c.take(p[:min(n, c.at-c.came)]); err != nil {
			c.err = err
		}
	}
	switch {
	case c.err != nil:
		return 0, c.err
	case c.at != c.came:
		c.err = errors.New("media: seek back")
		return 0, c.err
	case c.at >= c.size:
		return 0, io.EOF
	}
	n, err := c.take(p[:min(int64(len(p)), c.size-c.came)])
	c.at, c.err = c.at+int64(n), err
	return n, err
}

// take reads on. With the last byte it compares, and keeps that byte back where the file is wrong.
func (c *content) take(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.sum.Write(p[:n])
	c.came += int64(n)
	switch {
	case c.came == c.size:
		if err := c.check(); err != nil {
			return max(n-1, 0), err
		}
		return n, nil
	case err == io.EOF:
		return n, errTooShort
	}
	return n, err
}

func (c *content) check() error {
	var more [1]byte
	if n, err := io.ReadFull(c.body, more[:]); n > 0 {
		return errTooLong
	} else if err != io.EOF {
		return err
	}
	if c.want != nil && !bytes.Equal(c.sum.Sum(nil), c.want) {
		return errWrongHash
	}
	return nil
}
