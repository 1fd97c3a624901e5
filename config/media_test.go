package config

import "testing"

func TestLinksBeginWhereBotsReachThem(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"http://127.0.0.1:8080":  func(*Config) {},
		"http://10.0.0.1:80":     func(c *Config) { c.Listen.HTTP = "10.0.0.1:80" },
		"http://[::1]:80":        func(c *Config) { c.Listen.HTTP = "[::1]:80" },
		"http://127.0.0.1:81":    func(c *Config) { c.Listen.HTTP = "[::]:81" },
		"https://127.0.0.1:8080": func(c *Config) { c.Listen.TLS = &ListenTLS{} },
		"https://bot.example":    func(c *Config) { c.Listen.ACME = &ListenACME{Domains: []string{"bot.example"}} },
		"https://lb.example/w":   func(c *Config) { c.Media.URL = "https://lb.example/w/" },
	} {
		c := Default()
		change(c)
		if got := c.MediaURL(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
