package config

import (
	"strings"
	"testing"
)

// TestListenersNeedOneSourceOfCertificates, whole, with public names and an authority over https.
func TestListenersNeedOneSourceOfCertificates(t *testing.T) {
	for listen, want := range map[string]string{
		`tls: { cert: a }`: "listen.tls.key",
		`tls: { cert: a, key: b }, acme: { domains: [bot.example.com] }`:      "listen.tls has certificates already",
		`acme: { email: a@example.com }`:                                      "listen.acme.domains",
		`acme: { domains: [localhost] }`:                                      "is no public name",
		`acme: { domains: ["bot example.com"] }`:                              "is no public name",
		`acme: { domains: [bot.example.com], directory: "http://a.example" }`: "is no address of an authority",
		`tls: { cert: a, key: b, client_ca: c }`:                              "",
		`acme: { domains: [bot.example.com] }`:                                "",
	} {
		src := "listen: { " + listen + " }\nchannels: [{ name: shop, provider: whatsapp_cloud, phone_number_id: '1', " +
			"verify_token: v, app_secret: s, access_token: t, bot: b }]\nbots: { b: { flow: f.yaml } }\n"
		c, err := Parse("/etc/wactor/wactor.yaml", []byte(src),
			func(string) (string, bool) { return "", false }, nil, kinds)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", listen, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", listen, err)
		} else if l := c.Listen; l.TLS != nil && l.TLS.ClientCA != "/etc/wactor/c" || l.ACME != nil &&
			l.ACME.Directory != LetsEncrypt {
			t.Errorf("%s: %+v %+v", listen, l.TLS, l.ACME)
		}
	}
}
