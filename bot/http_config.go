package bot

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// HTTPConfig says how a bot is reached over HTTP.
type HTTPConfig struct {
	// URL is where turns are posted: http or https, without user and password. Required.
	URL string
	// Timeout bounds a call from its start to the last byte of the answer. Default 30 s.
	Timeout time.Duration
	// Secret signs requests (see SignatureHeader); empty sends no signature.
	Secret string
	// Headers are sent with every request, such as Authorization. Those that the contract sets
	// can't be given.
	Headers map[string]string
	// MaxConcurrent is how many calls may be under way at once, and how many connections are kept;
	// more calls wait. Default 256.
	MaxConcurrent int
	// UserAgent names the caller. Default "wactor".
	UserAgent string
	// Excerpts puts the first 300 characters of a body that is no answer into the reason of the
	// failure. It is for development alone: a body may repeat what a user wrote, and reasons are
	// kept and logged.
	Excerpts bool
}

// ErrConfig reports an HTTPConfig that can't work.
var ErrConfig = errors.New("bot: bad configuration")

const (
	idempotencyKeyHeader = "Idempotency-Key"

	defaultTimeout       = 30 * time.Second
	defaultMaxConcurrent = 256
	defaultUserAgent     = "wactor"
)

func (c HTTPConfig) withDefaults() HTTPConfig {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxConcurrent == 0 {
		c.MaxConcurrent = defaultMaxConcurrent
	}
	if c.UserAgent == "" {
		c.UserAgent = defaultUserAgent
	}
	return c
}

// check reports the first mistake. It quotes no value: URL and headers may hold credentials.
func (c HTTPConfig) check() error {
	address, err := url.Parse(c.URL)
	switch {
	case err != nil, address.Scheme != "http" && address.Scheme != "https":
		return fmt.Errorf("%w: url must be one such as http://127.0.0.1:3000/turn", ErrConfig)
	case address.Hostname() == "":
		return fmt.Errorf("%w: url has no host", ErrConfig)
	case address.User != nil:
		return fmt.Errorf("%w: url holds credentials: put them into an Authorization header", ErrConfig)
	case c.Timeout < 0:
		return fmt.Errorf("%w: negative timeout", ErrConfig)
	case c.MaxConcurrent < 0:
		return fmt.Errorf("%w: negative number of concurrent calls", ErrConfig)
	}
	return nil
}

// header returns what all requests have in common.
func (c HTTPConfig) header() (http.Header, error) {
	header := http.Header{
		"Content-Type": {"application/json"},
		"Accept":       {"application/json"},
		"User-Agent":   {c.UserAgent},
	}
	for name, value := range c.Headers {
		key := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case reservedHeader(key):
			return nil, fmt.Errorf("%w: header %s is set by the contract", ErrConfig, key)
		case !headerName(name):
			return nil, fmt.Errorf("%w: %q is no header name", ErrConfig, name)
		case !headerValue(value):
			return nil, fmt.Errorf("%w: the value of header %s holds control characters", ErrConfig, key)
		}
		header[key] = []string{value}
	}
	return header, nil
}

// reservedHeader names what the contract sets, and what says where a message ends or who it is for.
func reservedHeader(key string) bool {
	switch key {
	case SignatureHeader, idempotencyKeyHeader, "Content-Type", "Content-Length", "Transfer-Encoding", "Connection",
		"Host":
		return true
	}
	return false
}

// headerName reports whether a text is a token of RFC 9110, section 5.6.2.
func headerName(name string) bool {
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}

func headerValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
