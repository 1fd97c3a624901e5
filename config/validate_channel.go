package config

import (
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/internal/nearest"
)

// plainName is what channels and bots may be called: it stands in paths, identities and metrics.
var plainName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

const plainNameRemedy = "use a-z, 0-9, _ and -, up to 64 characters"

func (c *Config) validateChannels(r *report) {
	if len(c.Channels) == 0 {
		r.add("channels", "add a channel; docs/configuration.md shows one", "at least one is required")
		return
	}
	names, numbers := map[string]string{}, map[reflect.Type]map[string]string{} // numbers by provider
	for i := range c.Channels {
		path, channel := element("channels", i), &c.Channels[i]
		channel.validate(r, path)
		c.validateBotOf(r, path, channel.Bot)
		unique(r, names, child(path, "name"), channel.Name, "give each channel a name of its own")
		if channel.Settings == nil {
			continue
		}
		key, number := channel.Settings.Number()
		kind := reflect.TypeOf(channel.Settings)
		if numbers[kind] == nil {
			numbers[kind] = map[string]string{}
		}
		unique(r, numbers[kind], child(path, key), number, "a webhook must lead to one channel: remove one of the two")
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
	if c.Settings == nil {
		r.add(child(path, "provider"), "build it with the provider's settings", "has no settings")
	} else {
		c.Settings.Validate(part{r, path})
	}
	validateInDoubt(r, child(path, "in_doubt"), &c.InDoubt)
	c.Pace.validate(r, child(path, "pace"))
	r.optionalDuration(child(path, "window"), c.Window, time.Minute, 7*day)
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
