package media

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/internal/ratelog"
	"github.com/wactor/wactor/provider"
)

// Source is what Proxy needs of a provider.Files, which says what its methods promise.
type Source interface {
	// Resolve asks where a file can be read.
	Resolve(ctx context.Context, id string) (provider.File, error)
	// Open begins to read a resolved file.
	Open(ctx context.Context, file provider.File) (io.ReadCloser, error)
}

// Channel is what Proxy must know of a channel.
type Channel struct {
	Name   string
	Links  *Links
	Source Source
}

// Options configure a Proxy.
type Options struct {
	// Channels are those to begin with.
	Channels []Channel
	// MaxReads bounds the files that are read at once; more are answered 503. Default 64.
	MaxReads int
	// ReadWithin bounds the time that one file may take. Default 15 minutes.
	ReadWithin time.Duration
	// Now is the clock. Default time.Now.
	Now    func() time.Time
	Logger *slog.Logger
	// Metrics are those of all channels. Default: none that are seen.
	Metrics *Metrics
}

// maxSizes bound files by their kind, in bytes. The provider documents less for all but documents
// and videos, of which it delivers 100 MB; what is larger than this comes from no WhatsApp.
var maxSizes = map[string]int64{
	"image": 32 << 20, "audio": 32 << 20, "sticker": 2 << 20, "video": 100 << 20, "document": 100 << 20,
	"": 100 << 20,
}

// Proxy serves the links of all channels. It holds no file: what it reads of the provider goes on
// through one buffer.
type Proxy struct {
	options  Options
	channels atomic.Pointer[map[string]*served]
	reads    chan struct{}
	log      *ratelog.Logger
	metrics  *Metrics
	// stopped ends with Close.
	stopped context.Context
	stop    context.CancelFunc
}

// served is a channel with what is known of its files.
type served struct {
	Channel
	resolver *resolver
}

// NewProxy returns a Proxy.
func NewProxy(options Options) *Proxy {
	if options.MaxReads == 0 {
		options.MaxReads = 64
	}
	if options.ReadWithin == 0 {
		options.ReadWithin = 15 * time.Minute
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Metrics == nil {
		options.Metrics = NewMetrics(nil)
	}
	p := &Proxy{
		options: options, reads: make(chan struct{}, options.MaxReads),
		log: ratelog.New(options.Logger, options.Now), metrics: options.Metrics,
	}
	p.stopped, p.stop = context.WithCancel(context.Background())
	p.SetChannels(options.Channels)
	return p
}

// SetChannels replaces the channels. What is being read of a former one is read on.
func (p *Proxy) SetChannels(channels []Channel) {
	var before map[string]*served
	if known := p.channels.Load(); known != nil {
		before = *known
	}
	after := map[string]*served{}
	for _, c := range channels {
		next := &served{Channel: c}
		if old := before[c.Name]; old != nil && old.Source == c.Source {
			next.resolver = old.resolver
		} else {
			next.resolver = newResolver(c.Source, p.options.Now)
		}
		after[c.Name] = next
	}
	p.channels.Store(&after)
}

// Close breaks off what is being read, so that a listener can end, and rejects what comes later.
// Other nodes serve the same links.
func (p *Proxy) Close() { p.stop() }

// ServeHTTP answers GET and HEAD of a link: 200, 206 or 304; 403 where the signature does not fit,
// 410 where the link has expired, 404 where there is no such channel or the provider has no such
// file, 502 where the provider does not answer, or answers what can't be the file, 503 where too
// many files are read.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		p.reject(w, resultRejected, http.StatusMethodNotAllowed, "GET or HEAD only")
		return
	}
	name, sealed, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Path), "/")
	channel := (*p.channels.Load())[name]
	if channel == nil {
		p.reject(w, resultRejected, http.StatusNotFound, "unknown channel")
		return
	}
	query := r.URL.Query()
	file, err := channel.Links.open(sealed, query.Get("expires"), query.Get("signature"), p.options.Now())
	switch {
	case errors.Is(err, errExpired):
		p.warn(channel, err, "a link to a file was used after its time")
		p.reject(w, resultRejected, http.StatusGone, err.Error())
	case err != nil:
		p.warn(channel, err, "a link to a file was rejected")
		p.reject(w, resultRejected, http.StatusForbidden, err.Error())
	default:
		p.serve(w, r, channel, file)
	}
}

// serve answers a link that is right.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, channel *served, file linked) {
	if file.hash != nil && matches(r.Header.Get("If-None-Match"), tag(file.hash)) {
		w.Header().Set("ETag", tag(file.hash))
		w.WriteHeader(http.StatusNotModified)
		p.metrics.requests.WithLabelValues(resultOK).Inc()
		return
	}
	if p.stopped.Err() != nil {
		w.Header().Set("Connection", "close")
		p.reject(w, resultOverloaded, http.StatusServiceUnavailable, "this node stops, try again")
		return
	}
	select {
	case p.reads <- struct{}{}:
		defer func() { <-p.reads }()
	default:
		w.Header().Set("Retry-After", "1")
		p.reject(w, resultOverloaded, http.StatusServiceUnavailable, "too many files are read, try again")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), p.options.ReadWithin)
	defer cancel()
	// The listener's limits are for webhooks; a large file takes longer.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Now().Add(p.options.ReadWithin))
	defer context.AfterFunc(p.stopped, func() {
		cancel()
		_ = control.SetWriteDeadline(time.Now()) // a reader may be as slow as it likes
	})()
	found, body, err := p.find(ctx, channel, file, r.Method == http.MethodGet)
	if err != nil {
		p.fail(w, channel, err)
		return
	}
	if body != nil {
		defer body.Close()
	}
	p.stream(w, r, channel, found, body)
}

// find asks the provider for a file and, where open, begins to read it. An address that the
// provider named a while ago and does not take any more is asked for once again.
func (p *Proxy) find(ctx context.Context, channel *served, file linked, open bool) (provider.File, io.ReadCloser,
	error) {
	for {
		found, asked, err := channel.resolver.resolve(ctx, file.id)
		if err == nil {
			found, err = agreed(found, file)
		}
		if err != nil || !open {
			return found, nil, err
		}
		body, err := channel.Source.Open(ctx, found)
		switch {
		case err == nil:
			return found, body, nil
		case !errors.Is(err, provider.ErrFileGone) && !errors.Is(err, provider.ErrFileDenied):
			return found, nil, err
		case asked:
			channel.resolver.reject(file.id, err)
			return found, nil, err
		}
		channel.resolver.stale(file.id, found.Address)
	}
}

// What a provider may say of a file that Wactor does not pass on.
var (
	errNoSize    = errors.New("the provider names no size")
	errTooLarge  = errors.New("the file is larger than files of its kind are")
	errOtherHash = errors.New("the provider names another SHA-256 than its webhook did")
)

// agreed compares what the provider says of a file now with what its webhook said.
func agreed(found provider.File, file linked) (provider.File, error) {
	switch {
	case found.Size <= 0:
		return found, errNoSize
	case found.Size > maxSizes[file.kind]:
		return found, errTooLarge
	case file.hash != nil && found.SHA256 != nil && !bytes.Equal(file.hash, found.SHA256):
		return found, errOtherHash
	case file.hash != nil:
		found.SHA256 = file.hash
	}
	return found, nil
}

// stream writes the answer. A file that turns out to be wrong breaks the connection before its last
// byte.
func (p *Proxy) stream(w http.ResponseWriter, r *http.Request, channel *served, found provider.File,
	body io.ReadCloser) {
	header := w.Header()
	header.Set("Content-Type", mimeType(found.MIMEType))
	header.Set("Cache-Control", "private, no-cache")
	header.Set("X-Content-Type-Options", "nosniff")
	// A user's file is not a page of this site.
	header.Set("Content-Disposition", "attachment")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if found.SHA256 != nil {
		header.Set("ETag", tag(found.SHA256))
	}
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // several parts would have to be read more than once
	}
	file := newContent(body, found.Size, found.SHA256)
	http.ServeContent(w, r, "", time.Time{}, file)
	p.metrics.bytesIn.Add(float64(file.came))
	if file.err != nil && file.err != io.EOF {
		p.metrics.requests.WithLabelValues(resultBroken).Inc()
		if r.Context().Err() == nil {
			p.warn(channel, cause(file.err), "a file was broken off")
		}
		panic(http.ErrAbortHandler)
	}
	p.metrics.requests.WithLabelValues(resultOK).Inc()
}

// fail answers what the provider did not deliver.
func (p *Proxy) fail(w http.ResponseWriter, channel *served, err error) {
	if !errors.Is(err, context.Canceled) { // the reader left
		p.warn(channel, err, "a file could not be read")
	}
	if errors.Is(err, provider.ErrFileGone) {
		p.reject(w, resultGone, http.StatusNotFound, "the provider has no such file, or no longer")
		return
	}
	p.reject(w, resultFailed, http.StatusBadGateway, "the file can't be read from the provider")
}

func (p *Proxy) reject(w http.ResponseWriter, result string, status int, text string) {
	p.metrics.requests.WithLabelValues(result).Inc()
	http.Error(w, text, status)
}

// warn logs a cause once a minute for each channel.
func (p *Proxy) warn(channel *served, why error, message string) {
	type line struct{ channel, why string }
	p.log.Warn(line{channel.Name, why.Error()}, message, func() []any {
		return []any{"channel", channel.Name, "error", why}
	})
}

// errInterrupted stands for what the network says of a connection, which holds addresses.
var errInterrupted = errors.New("the connection to the provider broke")

// cause is why a file was broken off.
func cause(err error) error {
	for _, known := range []error{errTooShort, errTooLong, errWrongHash} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errInterrupted
}

// mimeType is the provider's word where it is one.
func mimeType(word string) string {
	kind, parameters, err := mime.ParseMediaType(word)
	if err == nil {
		word = mime.FormatMediaType(kind, parameters)
	}
	if err != nil || word == "" || !strings.Contains(kind, "/") {
		return "application/octet-stream"
	}
	return word
}

// tag is the ETag of a file.
func tag(hash []byte) string { return `"` + hex.EncodeToString(hash) + `"` }

// matches reports whether a header If-None-Match names a tag.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == tag || part == "*" {
			return true
		}
	}
	return false
}
