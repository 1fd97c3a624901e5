package cloudapi

import (
	"net/url"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Codec is the Cloud API's provider.Codec for one business number.
type Codec struct {
	// VerifyToken is the word that Meta repeats when the callback is set up.
	VerifyToken string
	// AppSecrets sign the webhooks; several while one is being replaced.
	AppSecrets []string
}

var _ provider.Codec = Codec{}

// Challenge implements provider.Codec.
func (c Codec) Challenge(query url.Values) (answer []byte, ok bool) {
	challenge, ok := Handshake(query, c.VerifyToken)
	return []byte(challenge), ok
}

// Signature implements provider.Codec.
func (c Codec) Signature(header provider.Header) (provider.Signature, bool) {
	return newSignature(c.AppSecrets, header.Get(SignatureHeader))
}

// Decode implements provider.Codec.
func (c Codec) Decode(body []byte) (*provider.Batch, error) { return Decode(body) }

// Check implements provider.Codec.
func (c Codec) Check(reply *wactorv1.Reply) error { return Check(reply) }

// Capabilities implements provider.Codec.
func (c Codec) Capabilities() provider.Capabilities {
	return provider.Capabilities{Company: "Meta"}
}
