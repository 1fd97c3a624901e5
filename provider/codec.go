package provider

import (
	"io"
	"net/url"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Codec speaks the format of one provider for one channel: it holds the channel's secrets, and no
// other state. It performs no I/O, and any number of goroutines may call it.
type Codec interface {
	// Challenge answers the request with which the provider verifies the callback's address; false
	// where the request does not know the channel's token.
	Challenge(query url.Values) (answer []byte, ok bool)
	// Signature begins the check of a webhook's body; false where no body can match this header,
	// so that none needs to be read.
	Signature(header Header) (signature Signature, ok bool)
	// Decode reads the body of an authentic webhook. An error means that the body as a whole is not
	// a webhook of this provider; a part that can't be understood is an Unread of the batch.
	// Nothing returned refers to the body. Messages have no ReceivedMs yet.
	Decode(body []byte) (*Batch, error)
	// Check reports why the provider would refuse a reply; nil where its documented limits allow
	// it. Errors name a field and a limit, never a value.
	Check(reply *wactorv1.Reply) error
	// Capabilities are the same on each call.
	Capabilities() Capabilities
}

// Header is the header of a webhook; http.Header is one.
type Header interface{ Get(name string) string }

// Signature takes the body of one webhook in pieces, as they arrive. Write never fails.
type Signature interface {
	io.Writer
	// Authentic reports whether the provider sent what was written. It compares in constant time,
	// is called at most once, and nothing is written afterwards.
	Authentic() bool
}

// Authentic checks a whole body.
func Authentic(c Codec, header Header, body []byte) bool {
	signature, ok := c.Signature(header)
	if !ok {
		return false
	}
	_, _ = signature.Write(body)
	return signature.Authentic()
}

// Capabilities are what differs from provider to provider. A field is added with its first use.
type Capabilities struct {
	// Company is who runs the provider, for logs: Meta.
	Company string
}
