package node

import (
	"time"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/graph"
)

// providers has one line for each kind of channel (docs/providers.md).
var providers = map[config.Provider]func(*config.Channel, graph.Pace) (provider.Codec, sender){
	config.WhatsAppCloud: whatsAppCloud,
}

// sender sends the replies of one channel, within its pace.
type sender interface {
	actors.Sender
	// Share is how many nodes send for the channel.
	Share(nodes int)
	// Held reports since when the channel can't send, and why; zero where it can.
	Held() (since time.Time, reason string)
	Close()
}

func whatsAppCloud(c *config.Channel, pace graph.Pace) (provider.Codec, sender) {
	return cloudapi.Codec{VerifyToken: c.VerifyToken.Reveal(), AppSecrets: c.AppSecret.Reveal()},
		graph.NewPaced(graph.New(graph.Config{
			BaseURL: c.GraphURL, PhoneNumberID: c.PhoneNumberID, AccessToken: c.AccessToken.Reveal(),
			MarkRead: c.MarkRead, Typing: c.Typing,
		}), pace)
}
