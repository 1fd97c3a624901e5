package config

import (
	"net"
	"net/url"
	"strings"
	"time"
)

// Media is how files get from users to bots and back.
type Media struct {
	// URL is the address under which bots reach this node's listen.http, or a balancer in front of
	// all nodes; links to files begin with it. Default: http://127.0.0.1 with the port of
	// listen.http (https and the first domain with listen.acme, https with listen.tls).
	URL string `yaml:"url"`
	// URLLife is how long a link to a file can be read from the attempt of the turn on that brought
	// it. Default 1h; 1m to 7d, after which the provider has the file no longer.
	URLLife time.Duration `yaml:"url_life"`
	// Dir holds the files that flows send; a relative path counts from the configuration file's
	// folder. Default none: flows send no files of their own.
	Dir string `yaml:"dir"`
}

// MediaURL is the address with which links to files begin.
func (c *Config) MediaURL() string {
	if c.Media.URL != "" {
		return strings.TrimSuffix(c.Media.URL, "/")
	}
	scheme := "http"
	if c.Listen.TLS != nil || c.Listen.ACME != nil {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(c.Listen.HTTP)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if c.Listen.ACME != nil && len(c.Listen.ACME.Domains) > 0 {
		return scheme + "://" + c.Listen.ACME.Domains[0]
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

func (m *Media) validate(r *report) {
	if m.URL != "" {
		r.url("media.url", m.URL)
	}
	r.durationBetween("media.url_life", m.URLLife, time.Minute, 7*day)
}

// warnOfLinks warns of a bot on another machine, where links to files name this one's loopback.
func (c *Config) warnOfLinks(r *report, path, address string) {
	bot, err := url.Parse(address)
	links, linksErr := url.Parse(c.MediaURL())
	if err != nil || linksErr != nil || !Loopback(links.Host) || Loopback(net.JoinHostPort(bot.Hostname(), "0")) {
		return
	}
	r.warnAt(path, "set media.url to the address under which bots reach listen.http",
		"is on another machine, which can't open links to files: they begin with %s", c.MediaURL())
}
