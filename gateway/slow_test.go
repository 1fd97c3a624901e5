package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/wactor/wactor/provider/cloudapi"
)

// slowPost posts a body that comes as it is written to the pipe. Its signature is well formed, and
// no secret made it.
func slowPost(g *Gateway, all *sync.WaitGroup, length int64) (body *io.PipeWriter, answer *httptest.ResponseRecorder) {
	reader, writer := io.Pipe()
	request := httptest.NewRequest(http.MethodPost, "/webhooks/shop", reader)
	request.ContentLength = length
	request.Header.Set(cloudapi.SignatureHeader, "sha256="+strings.Repeat("0", 64))
	recorder := httptest.NewRecorder()
	all.Go(func() { g.ServeHTTP(recorder, request) })
	return writer, recorder
}

// TestStrangersTakeNoPlace: connections that announce a body and never send it are no webhooks in
// flight. A thousand of them would else keep out the provider's, from any machine that can reach
// the address.
func TestStrangersTakeNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(&router{}, func(o *Options) { o.MaxInFlight, o.MaxInFlightBytes = 2, 4<<20 })
		var all sync.WaitGroup
		for range 10 {
			body, _ := slowPost(g, &all, 2<<20)
			defer body.Close()
		}
		synctest.Wait()
		if response := post(g, "/webhooks/shop", "new", envelope(change("111", text("1", "m")))); response.Code != 200 {
			t.Errorf("beside slow strangers: %d", response.Code)
		}
	})
}

// TestBodiesInWorkAreBounded: what is signed counts until it is answered.
func TestBodiesInWorkAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(&router{silent: true}, func(o *Options) { o.MaxInFlightBytes = 600 })
		body := envelope(change("111", text("1", strings.Repeat("m", 200))))
		var all sync.WaitGroup
		all.Go(func() { post(g, "/webhooks/shop", "new", body) })
		synctest.Wait()
		if response := post(g, "/webhooks/shop", "new", body); response.Code != 503 ||
			response.Header().Get("Retry-After") == "" {
			t.Errorf("past the limit: %d, %v", response.Code, response.Header())
		}
		all.Wait()
		if got := g.inFlightBytes.Load(); got != 0 {
			t.Errorf("%d bytes are left in the count", got)
		}
	})
}

// TestUnprovenBytesAreBounded: strangers' bodies stay within their room, the largest of them goes
// when it is full, and the provider's webhooks pass.
func TestUnprovenBytesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 64 * chunkSize
		g := newGateway(&router{}, func(o *Options) { o.MaxUnsignedBytes = most })
		var all sync.WaitGroup
		var bodies []*io.PipeWriter
		var answers []*httptest.ResponseRecorder
		for range 20 {
			body, answer := slowPost(g, &all, -1)
			bodies, answers = append(bodies, body), append(answers, answer)
			all.Go(func() { _, _ = body.Write(make([]byte, 10*chunkSize-1)) })
			synctest.Wait()
			if g.room.used > most || g.room.usedStrange > most-most/4 {
				t.Fatalf("%d bytes are held, %d of strangers", g.room.used, g.room.usedStrange)
			}
			if response := post(g, "/webhooks/shop", "new", envelope(change("111",
				text("1", "m")))); response.Code != 200 {
				t.Fatalf("the provider's webhook: %d", response.Code)
			}
		}
		for _, body := range bodies {
			body.Close()
		}
		all.Wait()
		if g.room.used != 0 || g.room.usedStrange != 0 || len(g.room.open) != 0 {
			t.Errorf("%d bytes are left in the count", g.room.used)
		}
		for _, answer := range answers {
			if answer.Code != 401 && answer.Code != 503 {
				t.Errorf("a stranger: %d", answer.Code)
			}
		}
	})
}

// TestProvenConnectionsKeepTheirPart: what a connection that has shown a good signature sends is
// never dropped for a stranger's body.
func TestProvenConnectionsKeepTheirPart(t *testing.T) {
	r := newRoom()
	r.bound(8 * chunkSize)
	proven, stranger := &arrival{room: r, trusted: true}, &arrival{room: r, control: controlOf()}
	for range 5 {
		if !r.take(proven) {
			t.Fatal("no room for the proven one")
		}
	}
	for range 3 {
		if !r.take(stranger) {
			t.Fatal("no room for the stranger")
		}
	}
	if newcomer := (&arrival{room: r, control: controlOf()}); !r.take(newcomer) || !stranger.evicted.Load() {
		t.Error("the larger stranger did not make room for the smaller one")
	}
	for range 2 {
		if !r.take(proven) {
			t.Fatal("no room for the proven one beside strangers")
		}
	}
	if r.take(proven) && r.used > r.most || proven.evicted.Load() || r.take(stranger) {
		t.Errorf("%d bytes are held", r.used)
	}
}

func controlOf() *http.ResponseController { return http.NewResponseController(httptest.NewRecorder()) }

// TestLargeBodiesAreWhole: a body of many chunks is delivered as it was sent.
func TestLargeBodiesAreWhole(t *testing.T) {
	for _, size := range []int{1, chunkSize - 400, chunkSize, 3*chunkSize + 7} {
		r := &router{}
		long := strings.Repeat("x", size)
		body := envelope(change("111", `{"id":"m","from":"1","type":"text","text":{"body":"`+long+`"}}`))
		if response := post(newGateway(r, nil), "/webhooks/shop", "new", body); response.Code != 200 ||
			r.got[0].Message().Text != long {
			t.Errorf("%d bytes: %d", size, response.Code)
		}
	}
}
