package node

import (
	"net"
	"net/http"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/media"
)

// mediaURL is the address with which links to files begin.
func mediaURL(n *Node, cfg *config.Config) string {
	located := *cfg
	if _, port, _ := net.SplitHostPort(cfg.Listen.HTTP); port == "0" {
		located.Listen.HTTP = n.HTTPAddr() // the system has chosen a port
	}
	return located.MediaURL()
}

// newLinks makes the links of a channel. Their keys come from the secrets of its webhooks: each
// channel has one, on each node that serves it, and it is replaced node by node.
func newLinks(n *Node, cfg *config.Config, c *config.Channel) *media.Links {
	return media.NewLinks(mediaURL(n, cfg), c.Name, cfg.Media.URLLife, c.Settings.WebhookSecrets())
}

// mediaHandler serves the links of all channels until the public listener ends.
func mediaHandler(n *Node) http.Handler {
	n.serving.files = media.NewProxy(media.Options{
		Channels: n.serving.now().files(), Logger: n.options.Logger, Metrics: media.NewMetrics(n.registry),
	})
	n.public.http.RegisterOnShutdown(n.serving.files.Close)
	return n.serving.files
}
