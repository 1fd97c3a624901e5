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

// TestBytesInFlightAreBounded: what has come counts, signed or not.
func TestBytesInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(&router{}, func(o *Options) { o.MaxInFlightBytes = 2000 })
		var all sync.WaitGroup
		first, refused := slowPost(g, &all, -1)
		if _, err := first.Write(make([]byte, 1990)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if response := post(g, "/webhooks/shop", "new", envelope(change("111",
			text("1", "m")))); response.Code != 503 || response.Header().Get("Retry-After") == "" {
			t.Errorf("past the limit: %d, %v", response.Code, response.Header())
		}
		first.Close()
		all.Wait()
		if refused.Code != 401 {
			t.Errorf("a stranger: %d", refused.Code)
		}
		if response := post(g, "/webhooks/shop", "new", envelope(change("111", text("1", "m")))); response.Code != 200 {
			t.Errorf("afterwards: %d", response.Code)
		}
	})
}
