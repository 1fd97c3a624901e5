package provider

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
)

// Files are the files of one channel at its provider. It may be used by any number of goroutines.
// Errors wrap one of those below where trying again does not help, and hold no address and no
// secret.
type Files interface {
	// Resolve asks where a file can be read.
	Resolve(ctx context.Context, id string) (File, error)
	// Open begins to read a file that Resolve described, until ctx ends; the caller closes it. It
	// shows the channel's secrets to the provider's own hosts alone.
	Open(ctx context.Context, file File) (io.ReadCloser, error)
	// Upload stores a file, and returns the id by which replies name it. A repeated call makes a
	// second file, which does no harm.
	Upload(ctx context.Context, file Upload) (id string, err error)
	// Renew uses the secrets of other settings, where requests can be made with them.
	Renew(settings Settings) error
	// Close closes idle connections.
	Close()
}

// File is a file that a provider keeps, as the provider describes it.
type File struct {
	// Address is where the file can be read with the channel's credentials, for some minutes.
	Address string
	// MIMEType is the provider's word; may be empty.
	MIMEType string
	// SHA256 is the hash of the content, 32 bytes; nil where the provider named none.
	SHA256 []byte
	// Size is the length in bytes; 0 where the provider named none.
	Size int64
}

// Upload is a file that is to be stored.
type Upload struct {
	// MIMEType is that of the content, such as image/jpeg.
	MIMEType string
	// Size is the length of the content in bytes.
	Size    int64
	Content io.Reader
}

// Why a file can't be read or stored. What wraps none of these may succeed when it is tried again.
var (
	// ErrFileGone reports an id that the provider does not know, no longer, or not for this number.
	ErrFileGone = errors.New("the provider has no such file")
	// ErrFileDenied reports that the channel's token or permissions do not suffice.
	ErrFileDenied = errors.New("the provider denied access")
	// ErrFileRejected reports a file that the provider will never store: its type or its size.
	ErrFileRejected = errors.New("the provider rejected the file")
)

// ParseSHA256 reads a hash as providers write it, in hexadecimal or in base64, with or without
// padding; nil where the text is neither.
func ParseSHA256(text string) []byte {
	const size = 32
	if sum, err := hex.DecodeString(text); err == nil && len(sum) == size {
		return sum
	}
	for _, encoding := range []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if sum, err := encoding.DecodeString(text); err == nil && len(sum) == size {
			return sum
		}
	}
	return nil
}
