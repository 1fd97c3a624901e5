package config

import (
	"net"
	"regexp"
	"strconv"
	"time"

	"github.com/wactor/wactor/internal/nearest"
)

// Validate reports what is wrong with a configuration that a program built; the error is a
// problem.List. Load and Parse have done it.
func (c *Config) Validate() error {
	r := newReport("")
	c.validate(r)
	if len(r.problems) > 0 {
		return r.problems.Sorted()
	}
	return nil
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (c *Config) validate(r *report) {
	if c.Node.Name != "" && !nodeName.MatchString(c.Node.Name) {
		r.add("node.name", "use letters, digits, dots, underscores and hyphens, up to 64", "%s can't be a name",
			r.quote("node.name", c.Node.Name))
	}
	if c.Node.Zone != "" && !nodeName.MatchString(c.Node.Zone) {
		r.add("node.zone", "use letters, digits, dots, underscores and hyphens, up to 64", "%s can't be a zone",
			r.quote("node.zone", c.Node.Zone))
	}
	r.required("node.data_dir", c.Node.DataDir == "", "name a folder")
	c.validateListen(r)
	c.Cluster.validate(r)
	c.validateChannels(r)
	c.validateBots(r)
	c.validateWindows(r)
	c.Limits.validate(r)
	c.Media.validate(r)
	c.Backup.validate(r)
	c.validateRestore(r)
	r.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	r.oneOf("log.format", c.Log.Format, "text", "json")
}

// minToken is the least length of what keeps strangers out: 16 characters of hex are 64 bits.
const minToken = 16

func (c *Config) validateListen(r *report) {
	c.Listen.validate(r)
	c.validatePorts(r)
	c.Admin.validate(r, c.Listen.Admin)
}

// Loopback reports whether only this machine can reach an address. A name other than localhost may
// stand for any machine.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// providerRepeats is how long the provider sends a webhook again that was not answered 200: 7 days,
// and the day that ids are kept by.
const providerRepeats = 8 * day

func (c *Config) validateWindows(r *report) {
	r.durationBetween("stale_after", c.StaleAfter, time.Minute, 89*day)
	switch {
	case c.DedupWindow <= providerRepeats:
		r.add("dedup_window", "write 9d", "must be more than 8d: the provider repeats webhooks for 7 days, and a "+
			"repeated message "+
			"whose id is forgotten runs a second time")
	case c.DedupWindow <= c.StaleAfter && !r.isFaulty("stale_after"):
		r.add("dedup_window", "make it longer than stale_after", "must be more than stale_after (%s): a message that "+
			"is not stale yet "+
			"must still be known", formatDuration(c.StaleAfter))
	case c.DedupWindow > 90*day:
		r.add("dedup_window", "write 9d", "must be at most 90d")
	}
}

func (l *Limits) validate(r *report) {
	r.between("limits.inbox", l.Inbox, 1, 100_000)
	r.between("limits.journal", l.Journal, 10, 1_000_000)
	r.between("limits.active_conversations", l.ActiveConversations, 1, 10_000_000)
	r.between("limits.in_flight_webhooks", l.InFlightWebhooks, 1, 1_000_000)
	if l.UnsignedBodies != 0 && (l.UnsignedBodies < 1<<20 || l.UnsignedBodies > 4<<30) {
		r.add("limits.unsigned_bodies", "leave it out for a sixteenth of the memory", "must be 1MiB to 4GiB, not %s",
			r.show("limits.unsigned_bodies", l.UnsignedBodies.String()))
	}
	if l.Body < 64<<10 || l.Body > 16<<20 {
		r.add("limits.body", "write 3MiB, the most that the provider sends", "must be 64KiB to 16MiB, not %s",
			r.show("limits.body", l.Body.String()))
	}
}

// required reports a value that is missing.
func (r *report) required(path string, empty bool, remedy string) {
	switch {
	case !empty:
	case r.places[path].source != "":
		r.add(path, remedy, "is required, but %s is empty", r.quote(path, ""))
	default:
		r.add(path, remedy, "is required")
	}
}

func (r *report) between(path string, value, least, most int) {
	if value < least || value > most {
		r.add(path, "", "must be %d to %d, not %s", least, most, r.show(path, strconv.Itoa(value)))
	}
}

func (r *report) durationBetween(path string, value, least, most time.Duration) {
	if value < least || value > most {
		r.add(path, "", "must be %s to %s, not %s", formatDuration(least), formatDuration(most),
			r.show(path, formatDuration(value)))
	}
}

// oneOf reports a value that is none of some words.
func (r *report) oneOf(path, value string, words ...string) {
	for _, word := range words {
		if value == word {
			return
		}
	}
	r.add(path, nearest.Remedy(value, words, ""), "must be %s, not %s", alternatives(words), r.quote(path, value))
}

// address reports what is not host:port with a port number.
func (r *report) address(path, value string) {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		r.add(path, `write one such as ":8080" or "127.0.0.1:8081"`, "%s is no address of host and port",
			r.quote(path, value))
	}
}

func alternatives(words []string) string {
	text := words[0]
	for i, word := range words[1:] {
		if i == len(words)-2 {
			text += " or " + word
		} else {
			text += ", " + word
		}
	}
	return text
}
