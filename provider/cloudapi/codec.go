package cloudapi

import (
	"net/url"
	"sync"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Codec is the Cloud API's provider.Codec for one business number. Its fields are not changed once
// it is in use.
type Codec struct {
	// VerifyToken is the word that Meta repeats when the callback is set up.
	VerifyToken string
	// AppSecrets sign the webhooks; several while one is being replaced.
	AppSecrets []string

	signatures sync.Pool
}

var _ provider.Codec = (*Codec)(nil)

// Challenge implements provider.Codec.
func (c *Codec) Challenge(query url.Values) (answer []byte, ok bool) {
	challenge, ok := handshake(query, c.VerifyToken)
	return []byte(challenge), ok
}

// Signature implements provider.Codec.
func (c *Codec) Signature(header provider.Header) (provider.Signature, bool) {
	given, ok := parseSignature(header.Get(SignatureHeader))
	if !ok {
		return nil, false
	}
	s, ok := c.signatures.Get().(*signature)
	if !ok {
		if s = newSignature(c.AppSecrets); s == nil {
			return nil, false
		}
		s.home = &c.signatures
	}
	s.begin(given)
	return s, true
}

// Decode implements provider.Codec.
func (c *Codec) Decode(body []byte) (*provider.Batch, error) { return Decode(body) }

// Check implements provider.Codec.
func (c *Codec) Check(reply *wactorv1.Reply) error { return Check(reply) }

// Capabilities implements provider.Codec.
func (c *Codec) Capabilities() provider.Capabilities {
	return provider.Capabilities{Company: "Meta"}
}
