package node

import (
	"time"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/graph"
)

// kind makes the parts of a channel that are its provider's.
type kind struct {
	codec  func(*config.Channel) provider.Codec
	sender func(*config.Channel, graph.Pace) sender
}

// providers has one line for each kind of channel (docs/providers.md).
var providers = map[config.Provider]kind{
	config.WhatsAppCloud: {whatsAppCodec, whatsAppSender},
}

// sender sends the replies of one channel, within its pace.
type sender interface {
	actors.Sender
	// Share is how many nodes send for the channel.
	Share(nodes int)
	// SetAccessToken replaces the token; a channel that is held tries the new one.
	SetAccessToken(token string)
	// Held reports since when the channel can't send, and why; zero where it can.
	Held() (since time.Time, reason string)
	Close()
}

func whatsAppCodec(c *config.Channel) provider.Codec {
	return &cloudapi.Codec{VerifyToken: c.VerifyToken.Reveal(), AppSecrets: c.AppSecret.Reveal()}
}

func whatsAppSender(c *config.Channel, pace graph.Pace) sender {
	return graph.NewPaced(graph.New(graph.Config{
		BaseURL: c.GraphURL, PhoneNumberID: c.PhoneNumberID, AccessToken: c.AccessToken.Reveal(),
		MarkRead: c.MarkRead, Typing: c.Typing,
	}), pace)
}
