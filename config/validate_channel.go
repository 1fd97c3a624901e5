package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/internal/nearest"
)

// plainName is what channels and bots may be called: it stands in paths, identities and metrics.
var plainName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

const plainNameRemedy = "use a-z, 0-9, _ and -, up to 64 characters"

var digits = regexp.MustCompile(`^[0-9]{1,32}$`)

func (c *Config) validateChannels(r *report) {
	if len(c.Channels) == 0 {
		r.add("channels", "add a channel; docs/configuration.md shows one", "at least one is required")
		return
	}
	names, numbers := map[string]string{}, map[string]string{}
	for i := range c.Channels {
		path, channel := element("channels", i), &c.Channels[i]
		channel.validate(r, path)
		c.validateBotOf(r, path, channel.Bot)
		unique(r, names, child(path, "name"), channel.Name, "give each channel a name of its own")
		unique(r, numbers, child(path, "phone_number_id"), channel.PhoneNumberID,
			"a webhook must lead to one channel: remove one of the two")
	}
}

// unique reports a value that another path has already.
func unique(r *report, taken map[string]string, path, value, remedy string) {
	if value == "" || r.isFaulty(path) {
		return
	}
	if first, again := taken[value]; again {
		r.add(path, remedy, "%s is taken by %s", r.quote(path, value), parent(first))
		return
	}
	taken[value] = path
}

func (c *Config) validateBotOf(r *report, path, name string) {
	path = child(path, "bot")
	names := make([]string, 0, len(c.Bots))
	for name := range c.Bots {
		names = append(names, name)
	}
	switch {
	case name == "":
		r.add(path, "name one of bots", "is required")
	case !slices.Contains(names, name) && !r.isFaulty("bots"):
		r.add(path, nearest.Remedy(name, names, "add it under bots"), "no bot is called %s", r.quote(path, name))
	}
}

func (c *Channel) validate(r *report, path string) {
	r.required(child(path, "name"), c.Name == "", "give the channel a name; it becomes part of the webhook's address")
	r.name(child(path, "name"), c.Name)
	c.validateProvider(r, child(path, "provider"))
	r.required(child(path, "phone_number_id"), c.PhoneNumberID == "", "copy it from the provider's console")
	for i, number := range c.IgnoreNumbers {
		if !digits.MatchString(number) {
			r.add(element(child(path, "ignore_numbers"), i), "copy the phone_number_id from the provider's console",
				"%s is not a phone_number_id: digits", r.quote(path, number))
		}
	}
	if c.PhoneNumberID != "" && !digits.MatchString(c.PhoneNumberID) {
		r.add(child(path, "phone_number_id"), "copy the phone number ID, not the phone number", "must have digits only")
	}
	r.required(child(path, "verify_token"), c.VerifyToken.Empty(), `choose a word, and write it as "${VERIFY_TOKEN}"`)
	c.validateAppSecret(r, child(path, "app_secret"))
	r.required(child(path, "access_token"), c.AccessToken.Empty(), `write it as "${ACCESS_TOKEN}"`)
	r.oneWord(child(path, "access_token"), c.AccessToken)
	r.url(child(path, "graph_url"), c.GraphURL)
	validateInDoubt(r, child(path, "in_doubt"), &c.InDoubt)
	c.Pace.validate(r, child(path, "pace"))
	r.optionalDuration(child(path, "window"), c.Window, time.Minute, 7*day)
}

func (c *Channel) validateProvider(r *report, path string) {
	switch c.Provider {
	case WhatsAppCloud:
	case "":
		r.required(path, true, "write "+string(WhatsAppCloud))
	case wasender:
		r.add(path, "use "+string(WhatsAppCloud), "wasender is not in this version")
	default:
		r.oneOf(path, string(c.Provider), string(WhatsAppCloud))
	}
}

func (c *Channel) validateAppSecret(r *report, path string) {
	const remedy = `copy the app secret from the provider's console, and write it as "${APP_SECRET}"`
	if len(c.AppSecret) == 0 {
		r.add(path, remedy, "is required")
	}
	for i, secret := range c.AppSecret {
		at := path
		if r.has(element(path, i)) {
			at = element(path, i)
		}
		r.required(at, secret.Empty(), remedy)
		r.oneWord(at, secret)
	}
}

// oneWord finds what was copied along with a secret of the provider's: all webhooks would be
// refused for it, or all replies held, and nothing that is shown would tell why.
func (r *report) oneWord(path string, secret Secret) {
	if strings.ContainsFunc(secret.Reveal(), func(c rune) bool { return c <= ' ' || c > '~' }) {
		r.add(path, "copy it again, alone",
			"holds a space, a line break or another character that is in no such secret")
	}
}

func validateInDoubt(r *report, path string, d *policy.InDoubt) {
	r.durationBetween(child(path, "wait"), d.Wait, time.Second, time.Hour)
	if !r.isFaulty(child(path, "wait")) {
		r.durationBetween(child(path, "max"), d.Max, d.Wait, day)
	}
}

func (r *report) name(path, value string) {
	if value != "" && !plainName.MatchString(value) {
		r.add(path, plainNameRemedy, "%s can't be a name", r.quote(path, value))
	}
}

// url reports what is no address of an HTTP server. One with credentials is not quoted.
func (r *report) url(path, value string) {
	address, err := url.Parse(value)
	switch {
	case err == nil && address.User != nil, err != nil && strings.Contains(value, "@"):
		r.add(path, "send them in a header or token", "must not hold credentials")
	case err != nil, address.Scheme != "http" && address.Scheme != "https", address.Hostname() == "",
		address.Fragment != "":
		r.add(path, "write one such as https://example.com/path", "%s is no http or https address",
			r.quote(path, value))
	}
}
