package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// store is a Source for tests.
type store struct {
	mu       sync.Mutex
	file     provider.File
	body     string
	fail     error
	failOpen []error // by call; nil afterwards
	resolves atomic.Int64
	opens    atomic.Int64
	wait     chan struct{} // where set, Resolve waits for it
}

func (s *store) Resolve(ctx context.Context, _ string) (provider.File, error) {
	n := s.resolves.Add(1)
	if s.wait != nil {
		select {
		case <-s.wait:
		case <-ctx.Done():
			return provider.File{}, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	file := s.file
	file.Address = fmt.Sprint(n)
	return file, s.fail
}

func (s *store) Open(context.Context, provider.File) (io.ReadCloser, error) {
	s.opens.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failOpen) > 0 {
		err := s.failOpen[0]
		s.failOpen = s.failOpen[1:]
		if err != nil {
			return nil, err
		}
	}
	return io.NopCloser(strings.NewReader(s.body)), nil
}

// world is a Proxy with one channel.
type world struct {
	*store
	links  *Links
	proxy  *Proxy
	server *httptest.Server
	log    *bytes.Buffer
	mu     sync.Mutex
	time   time.Time
}

func newWorld(t *testing.T, body string) *world {
	sum := sha256.Sum256([]byte(body))
	w := &world{
		store: &store{body: body, file: provider.File{
			MIMEType: "image/jpeg", SHA256: sum[:], Size: int64(len(body)),
		}},
		log: &bytes.Buffer{}, time: start,
	}
	w.proxy = NewProxy(Options{
		Channels: []Channel{
			{Name: "shop", Source: w.store, Links: NewLinks("", "shop", time.Hour, []string{"secret"})},
			{Name: "help", Source: w.store, Links: NewLinks("", "help", time.Hour, []string{"secret"})},
		},
		Now: w.now, Logger: slog.New(slog.NewTextHandler(w.log, nil)), Metrics: NewMetrics(prometheus.NewRegistry()),
		MaxReads: 8,
	})
	w.server = httptest.NewServer(w.proxy)
	t.Cleanup(w.server.Close)
	w.links = NewLinks(w.server.URL, "shop", time.Hour, []string{"secret"})
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

const testID = "4490709327384033"

func (w *world) link() string { return w.links.URL(photo(testID), w.now()) }

func (w *world) get(t *testing.T, address string, header ...string) (*http.Response, string, error) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil { // broken off before the header left
		return &http.Response{}, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

func TestProxyServesAFile(t *testing.T) {
	w := newWorld(t, "hello")
	r, body, err := w.get(t, w.link())
	if r.StatusCode != 200 || body != "hello" || err != nil || r.ContentLength != 5 {
		t.Fatalf("%d %q %v", r.StatusCode, body, err)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/jpeg", "ETag": `"` + helloHash + `"`, "X-Content-Type-Options": "nosniff",
		"Content-Disposition": "attachment", "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, c := range []struct {
		header, value string
		status        int
		want          string
	}{
		{"Range", "bytes=1-2", 206, "el"}, {"Range", "bytes=3-", 206, "lo"}, {"Range", "bytes=-1", 206, "o"},
		{"Range", "bytes=9-", 416, ""}, {"Range", "bytes=0-1,3-4", 200, "hello"},
		{"If-None-Match", `"` + helloHash + `"`, 304, ""}, {"If-None-Match", `"other"`, 200, "hello"},
	} {
		r, body, err := w.get(t, w.link(), c.header, c.value)
		if r.StatusCode != c.status || err != nil || c.want != "" && body != c.want {
			t.Errorf("%s %s: %d %q %v", c.header, c.value, r.StatusCode, body, err)
		}
	}
	head, err := http.Head(w.link())
	if err != nil || head.StatusCode != 200 || head.ContentLength != 5 {
		t.Errorf("HEAD: %v %v", head, err)
	}
	head.Body.Close()
	if n := w.resolves.Load(); n != 1 {
		t.Errorf("the provider was asked %d times for one address", n)
	}
}

func TestProxyRejects(t *testing.T) {
	w := newWorld(t, "hello")
	link := w.link()
	w.pass(time.Minute)
	for name, c := range map[string]struct {
		address string
		want    int
	}{
		"another channel":  {strings.Replace(link, "/media/shop/", "/media/help/", 1), 403},
		"unknown channel":  {strings.Replace(link, "/media/shop/", "/media/none/", 1), 404},
		"another end":      {strings.Replace(link, "expires=1", "expires=2", 1), 403},
		"no signature":     {link[:strings.Index(link, "?")], 403},
		"nothing":          {w.server.URL + Path, 404},
		"after its time":   {w.links.URL(photo(testID), start.Add(-time.Hour)), 410},
		"another's secret": {NewLinks(w.server.URL, "shop", time.Hour, []string{"x"}).URL(photo(testID), start), 403},
	} {
		for range 3 {
			if r, body, _ := w.get(t, c.address); r.StatusCode != c.want || strings.Contains(body, "hello") {
				t.Errorf("%s: %d %q, want %d", name, r.StatusCode, body, c.want)
			}
		}
	}
	if n := w.resolves.Load(); n != 0 {
		t.Errorf("the provider was asked %d times", n)
	}
	if n := strings.Count(w.log.String(), "was rejected"); n != 2 { // of two channels
		t.Errorf("%d lines in\n%s", n, w.log)
	}
	response, err := http.Post(link, "", nil)
	if err != nil || response.StatusCode != 405 {
		t.Errorf("POST: %v %v", response.StatusCode, err)
	}
	response.Body.Close()
}

// TestWrongFilesAreBrokenOff: what the provider sends is not what it announced.
func TestWrongFilesAreBrokenOff(t *testing.T) {
	other := sha256.Sum256([]byte("other"))
	for name, c := range map[string]struct {
		change func(*store)
		status int // 0 where the connection breaks
		log    string
	}{
		"a wrong hash":   {func(s *store) { s.body = "jello" }, 0, "SHA-256"},
		"longer":         {func(s *store) { s.body = "hello, world" }, 0, "longer than announced"},
		"shorter":        {func(s *store) { s.body = "hel" }, 0, "shorter than announced"},
		"another hash":   {func(s *store) { s.file.SHA256 = other[:] }, 502, "another SHA-256"},
		"no size":        {func(s *store) { s.file.Size = 0 }, 502, "names no size"},
		"too large":      {func(s *store) { s.file.Size = 33 << 20 }, 502, "larger than files of its kind"},
		"does not exist": {func(s *store) { s.fail = provider.ErrFileGone }, 404, "no such file"},
		"no answer":      {func(s *store) { s.fail = errors.New("graph: timeout") }, 502, "timeout"},
	} {
		w := newWorld(t, "hello")
		c.change(w.store)
		for range 3 {
			r, body, err := w.get(t, w.link())
			if (c.status == 0) != (err != nil) || r.StatusCode != c.status || body == "hello" {
				t.Errorf("%s: %d %q %v", name, r.StatusCode, body, err)
			}
		}
		w.server.Close() // waits for the handlers
		if log := w.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, c.log) ||
			strings.Contains(log, testID) {
			t.Errorf("%s: the log says %s", name, log)
		}
	}
}

func TestOneResolveAtATime(t *testing.T) {
	w := newWorld(t, "hello")
	w.wait = make(chan struct{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if r, body, err := w.get(t, w.link()); r.StatusCode != 200 || body != "hello" {
				t.Errorf("%d %q %v", r.StatusCode, body, err)
			}
		})
	}
	for len(w.proxy.reads) < 8 {
		time.Sleep(time.Millisecond)
	}
	if r, _, _ := w.get(t, w.link()); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d", r.StatusCode)
	}
	close(w.wait)
	all.Wait()
	if n := w.resolves.Load(); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
}

// TestRejectionsAreRemembered: the provider blocks a number that asks twenty times in an hour for
// what it does not have.
func TestRejectionsAreRemembered(t *testing.T) {
	w := newWorld(t, "hello")
	ask := func(want int) {
		t.Helper()
		if r, _, _ := w.get(t, w.link()); r.StatusCode != want {
			t.Errorf("%d, want %d", r.StatusCode, want)
		}
	}
	w.fail = fmt.Errorf("graph: %w", provider.ErrFileGone)
	for range 5 {
		ask(404)
	}
	w.pass(goneLife - time.Second)
	ask(404)
	if n := w.resolves.Load(); n != 1 {
		t.Errorf("asked %d times within half an hour", n)
	}
	w.pass(time.Second)
	w.fail = fmt.Errorf("graph: %w", provider.ErrFileDenied)
	ask(502)
	ask(502)
	w.pass(deniedLife)
	w.fail = nil
	ask(200)
	if n := w.resolves.Load(); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

// TestStaleAddressIsAskedForOnceMore: an address that was good a minute ago is no longer.
func TestStaleAddressIsAskedForOnceMore(t *testing.T) {
	w := newWorld(t, "hello")
	gone := fmt.Errorf("graph: %w", provider.ErrFileGone)
	get := func(want int) {
		t.Helper()
		if r, _, _ := w.get(t, w.link()); r.StatusCode != want {
			t.Errorf("%d, want %d", r.StatusCode, want)
		}
	}
	get(200)
	w.failOpen = []error{gone}
	get(200)
	if n := w.resolves.Load(); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	w.failOpen = []error{gone, gone, gone}
	get(404)
	get(404)
	if r, o := w.resolves.Load(), w.opens.Load(); r != 3 || o != 5 {
		t.Errorf("asked %d times, opened %d times", r, o)
	}
	w.pass(addressLife + goneLife)
	w.failOpen = []error{fmt.Errorf("graph: %w", provider.ErrFileDenied)}
	get(502)
	get(502)
	w.pass(deniedLife) // an operator has replaced the token
	get(200)
}

func TestResolvedIsBounded(t *testing.T) {
	r := newResolver(&store{}, func() time.Time { return start })
	for i := range maxResolved + 10 {
		_, _, _ = r.resolve(t.Context(), fmt.Sprint(i))
	}
	if n := len(r.known); n > maxResolved {
		t.Errorf("%d are remembered", n)
	}
}

// TestReadsOutliveTheListenersLimits: a listener of webhooks wants a whole request within seconds;
// a file may take longer.
func TestReadsOutliveTheListenersLimits(t *testing.T) {
	links := NewLinks("", "shop", time.Hour, []string{"secret"})
	slow := slowSource{t: t, pauses: 10, pause: 30 * time.Millisecond}
	p := NewProxy(Options{Channels: []Channel{{Name: "shop", Links: links, Source: slow}}})
	server := httptest.NewUnstartedServer(p)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	response, err := http.Get(server.URL + links.URL(&wactorv1.Media{Type: "audio", Id: "1"}, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n, err := io.Copy(io.Discard, response.Body); n != 10 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// slowSource has a file of bytes with a pause before each; without a bound where pauses is large.
type slowSource struct {
	t      *testing.T
	pauses int64
	pause  time.Duration
}

func (s slowSource) Resolve(context.Context, string) (provider.File, error) {
	return provider.File{Address: "x", Size: s.pauses}, nil
}

func (s slowSource) Open(ctx context.Context, _ provider.File) (io.ReadCloser, error) {
	return io.NopCloser(&slowBody{ctx: ctx, slowSource: s}), nil
}

type slowBody struct {
	slowSource
	ctx  context.Context
	came int64
}

func (b *slowBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(b.pause):
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
	if b.came == b.pauses {
		return 0, io.EOF
	}
	b.came++
	p[0] = 0
	return 1, nil
}

// TestCloseBreaksReadsOff: neither a provider that delivers nothing nor a reader that takes nothing
// keeps a node from stopping.
func TestCloseBreaksReadsOff(t *testing.T) {
	links := NewLinks("", "shop", time.Hour, []string{"secret"})
	p := NewProxy(Options{Channels: []Channel{
		{Name: "shop", Links: links, Source: large{90 << 20}},
		{Name: "help", Links: NewLinks("", "help", time.Hour, []string{"secret"}),
			Source: slowSource{t: t, pauses: 5, pause: time.Hour}},
	}})
	server := httptest.NewServer(p)
	defer server.Close()
	document := &wactorv1.Media{Type: "document", Id: "1"}
	response, err := http.Get(server.URL + links.URL(document, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	waiting := make(chan error, 1)
	go func() {
		response, err := http.Get(server.URL + (*p.channels.Load())["help"].Links.URL(document, time.Now()))
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		waiting <- err
	}()
	for len(p.reads) < 2 {
		time.Sleep(time.Millisecond)
	}
	p.Close()
	if err := <-waiting; err == nil {
		t.Error("a read that waits went on")
	}
	for len(p.reads) > 0 { // until both handlers have returned
		time.Sleep(time.Millisecond)
	}
	if response, err := http.Get(server.URL + links.URL(document, time.Now())); err == nil {
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			t.Error("a file is read after the end")
		}
	}
}

// large is a Source of one file of zeros.
type large struct{ size int64 }

func (l large) Resolve(context.Context, string) (provider.File, error) {
	return provider.File{Address: "x", Size: l.size}, nil
}

func (l large) Open(context.Context, provider.File) (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(zeros{}, l.size)), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// BenchmarkProxy reads a document of 100 MiB: B/op is what it costs in memory.
func BenchmarkProxy(b *testing.B) {
	const size = 100 << 20
	links := NewLinks("", "shop", time.Hour, []string{"secret"})
	p := NewProxy(Options{Channels: []Channel{{Name: "shop", Links: links, Source: large{size}}}})
	server := httptest.NewServer(p)
	defer server.Close()
	link := server.URL + links.URL(&wactorv1.Media{Type: "document", Id: "1"}, time.Now())
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		response, err := http.Get(link)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, response.Body)
		if err != nil || n != size {
			b.Fatal(n, err)
		}
		response.Body.Close()
	}
}
