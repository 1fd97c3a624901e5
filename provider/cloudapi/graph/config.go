package graph

import (
	"net/http"
	"net/url"
	"time"

	"github.com/wactor/wactor/provider/cloudapi"
)

// Config is the sending side of one business number. Only PhoneNumberID and AccessToken are needed.
type Config struct {
	// BaseURL is the address of the Graph API with its version; default cloudapi.DefaultGraphURL.
	// Plain http is for a local one.
	BaseURL string
	// PhoneNumberID is the number that replies come from.
	PhoneNumberID string
	// AccessToken is the bearer token; it is sent to BaseURL and nowhere else.
	AccessToken string
	// Timeout bounds one request from its start to the last byte of the answer, the wait for a free
	// connection included; default 10 s. A send that runs into it after it got a connection is in
	// doubt, so a short one puts replies in doubt.
	Timeout time.Duration
	// MarkRead marks the message that a reply answers as read, beside the send. It is best effort:
	// a mark that fails, or that would be more than 16 at once, is left out.
	MarkRead bool
	// Typing lets Sender.MarkRead show "typing..." as well. Replies never do: the sign would
	// outlive them.
	Typing bool
	// UserAgent is sent with each request; default "wactor".
	UserAgent string
	// Transport carries the requests; nil: own connections, MaxConns at most, of which MaxIdleConns
	// are kept, ended by Close. Several numbers share theirs when they get the same one from
	// NewTransport. It must not retry by itself.
	Transport http.RoundTripper
	// MaxConns bounds the connections to the provider; default 256, about 800 sends/s at 0.3 s
	// each.
	MaxConns int
	// MaxIdleConns bounds those kept open for the next send; default MaxConns: with fewer, a burst
	// opens and closes one for each.
	MaxIdleConns int
}

func (c Config) withDefaults() Config {
	setDefault(&c.BaseURL, cloudapi.DefaultGraphURL)
	setDefault(&c.Timeout, 10*time.Second)
	setDefault(&c.UserAgent, "wactor")
	setDefault(&c.MaxConns, 256)
	setDefault(&c.MaxIdleConns, c.MaxConns)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// endpoint returns where messages are posted; flaw says what makes sending impossible, and is empty
// where nothing does.
func (c Config) endpoint() (address *url.URL, flaw string) {
	address, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || address.Host == "" || (address.Scheme != "https" && address.Scheme != "http"):
		return nil, "graph_url is not an address"
	case !isWord(c.PhoneNumberID):
		return nil, "phone_number_id is missing or not a number"
	case !isToken(c.AccessToken):
		return nil, "access_token is missing or holds spaces or control characters"
	}
	return address.JoinPath(c.PhoneNumberID, "messages"), ""
}

func isWord(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	return text != ""
}

// isToken: anything else would make an invalid header, and net/http would refuse each request with
// the token in its error.
func isToken(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != ""
}
