package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// fileHosts are the hosts, besides that of the Graph API, that a file's address may name: Meta's
// own for files of users. The token goes nowhere else.
var fileHosts = []string{".fbsbx.com", ".fbcdn.net"}

// What is asked of the provider about files.
const (
	// fileConns bounds the connections for files; messages have connections of their own.
	fileConns = 64
	// fileHeader is how long an answer may take to begin.
	fileHeader = 30 * time.Second
)

// Files reads and stores the files of one business number: the ids in webhooks and in replies. It
// may be used by any number of goroutines. Errors hold no address and no token, and wrap
// provider.ErrFileGone, ErrFileDenied or ErrFileRejected where trying again does not help.
type Files struct {
	config    Config
	base      *url.URL
	flaw      string
	token     atomic.Pointer[string]
	transport *http.Transport
}

// NewFiles makes a Files; of the configuration it uses BaseURL, PhoneNumberID, AccessToken and
// UserAgent. A configuration that can't work is no error here: each call reports it.
func NewFiles(config Config) *Files {
	f := &Files{config: config.withDefaults(), transport: NewTransport(fileConns, fileConns)}
	f.transport.ResponseHeaderTimeout = fileHeader
	if _, f.flaw = f.config.endpoint(); f.flaw == "" {
		f.base, _ = url.Parse(f.config.BaseURL)
	}
	f.token.Store(&f.config.AccessToken)
	return f
}

// FilesForChannel makes the Files of a channel; the settings are cloudapi.Settings.
func FilesForChannel(settings provider.Settings) provider.Files {
	c := settings.(*cloudapi.Settings)
	return NewFiles(Config{
		BaseURL: strings.TrimRight(c.GraphURL, "/"), PhoneNumberID: c.PhoneNumberID,
		AccessToken: c.AccessToken.Reveal(),
	})
}

// Renew implements provider.Files: requests show the access token of the settings from now on.
func (f *Files) Renew(settings provider.Settings) error {
	token := settings.(*cloudapi.Settings).AccessToken.Reveal()
	if f.flaw != "" || !isToken(token) {
		return errToken
	}
	f.token.Store(&token)
	return nil
}

// Close closes idle connections.
func (f *Files) Close() { f.transport.CloseIdleConnections() }

// Resolve asks where a file can be read. The answer holds for five minutes (Meta, "Media").
func (f *Files) Resolve(ctx context.Context, id string) (provider.File, error) {
	if f.flaw != "" {
		return provider.File{}, fmt.Errorf("graph: %s: %w", f.flaw, provider.ErrFileDenied)
	}
	if !isMediaID(id) {
		return provider.File{}, fmt.Errorf("graph: not a media id: %w", provider.ErrFileGone)
	}
	// With the number the provider rejects ids that belong to another one.
	address := f.base.JoinPath(id)
	address.RawQuery = url.Values{"phone_number_id": {f.config.PhoneNumberID}}.Encode()
	response, err := f.do(ctx, http.MethodGet, address, nil)
	if err != nil {
		return provider.File{}, err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode != http.StatusOK {
		return provider.File{}, fileFailure(response.StatusCode, body)
	}
	return decodeFile(body)
}

// Open begins to read a file that Resolve described. It shows the token only to the Graph API's
// host and to Meta's hosts for files, over https unless the Graph API itself is configured with
// http, and follows no redirect. The caller closes the body; ctx ends it.
func (f *Files) Open(ctx context.Context, file provider.File) (io.ReadCloser, error) {
	address, err := url.Parse(file.Address)
	if err != nil || f.flaw != "" || !f.trusts(address) {
		return nil, errors.New("graph: the address of a file names a host that gets no token")
	}
	response, err := f.do(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	response.Body.Close()
	if response.StatusCode >= 300 && response.StatusCode <= 399 {
		return nil, errors.New("graph: the address of a file redirects, which is not followed")
	}
	return nil, fileFailure(response.StatusCode, body)
}

// trusts reports whether an address may get the token.
func (f *Files) trusts(address *url.URL) bool {
	if address.User != nil {
		return false
	}
	if address.Scheme == f.base.Scheme && address.Host == f.base.Host {
		return true
	}
	if address.Scheme != "https" || address.Port() != "" {
		return false
	}
	for _, host := range fileHosts {
		if strings.HasSuffix(strings.ToLower(address.Hostname()), host) {
			return true
		}
	}
	return false
}

// do makes one request, once. Redirects are not followed: this is a transport and no client.
func (f *Files) do(ctx context.Context, method string, address *url.URL, change func(*http.Request)) (*http.Response,
	error) {
	request, err := http.NewRequestWithContext(ctx, method, address.String(), http.NoBody)
	if err != nil {
		return nil, errors.New("graph: a request for a file can't be made")
	}
	request.Header.Set("Authorization", "Bearer "+*f.token.Load())
	request.Header.Set("User-Agent", f.config.UserAgent)
	if change != nil {
		change(request)
	}
	response, err := f.transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("graph: no answer about a file: %s", cause(err))
	}
	return response, nil
}

// fileFailure classes an answer other than 200. A rejected request for a file counts against the
// number (20 in an hour stop all), so a 4xx is final unless the provider says otherwise. Code 100
// is about the id here, where it may be about the number with a send.
func fileFailure(status int, body []byte) error {
	const invalidParameter = 100
	failure := cloudapi.Classify(status, body)
	err := fmt.Errorf("graph: a request for a file failed (code %d, http %d)", failure.Code, status)
	switch {
	case status >= 500 || status < 400 || status == http.StatusTooManyRequests ||
		failure.Outcome == provider.ChannelLimited || failure.Outcome == provider.Unknown:
		return err
	case failure.Outcome == provider.ChannelHeld && failure.Code != invalidParameter &&
		status != http.StatusNotFound && status != http.StatusGone:
		return fmt.Errorf("%w: %w", err, provider.ErrFileDenied)
	}
	return fmt.Errorf("%w: %w", err, provider.ErrFileGone)
}
