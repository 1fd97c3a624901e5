package node

import (
	"net"
	"net/http"

	"github.com/wactor/wactor/bot"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/media"
	"github.com/wactor/wactor/provider"
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

// withFiles gives a channel what its provider has for files: links in its turns, and uploads of
// what its bot answers. It returns the sender that knows them.
func withFiles(n *Node, cfg *config.Config, c *channel, files provider.Files, sender provider.Sender) provider.Sender {
	c.files, c.links = files, newLinks(n, cfg, c.config)
	uploads := media.NewUploads(files, cfg.Media.Dir, media.NewMetrics(n.registry))
	c.bot = bot.Linked(bot.Placed(c.bot, uploads), c.links.URL)
	return uploads.Sender(sender)
}

// mediaHandler serves the links of all channels until the public listener ends.
func mediaHandler(n *Node) http.Handler {
	options := media.Options{Logger: n.options.Logger, Metrics: media.NewMetrics(n.registry)}
	for _, c := range n.channels {
		if c.files != nil {
			channel := media.Channel{Name: c.config.Name, Links: c.links, Source: c.files}
			options.Channels = append(options.Channels, channel)
		}
	}
	proxy := media.NewProxy(options)
	n.public.http.RegisterOnShutdown(proxy.Close)
	return proxy
}
