package simulate

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// graph is the fake Graph API, served.
type graph struct {
	server  http.Server
	serving sync.WaitGroup
	// asked counts requests of any kind.
	asked atomic.Int64
	// running is held by every request, and by close when there are none any more.
	running sync.RWMutex
	closed  bool
}

func newGraph(o *Options, took func(emulator.Taken)) *graph {
	api := emulator.NewGraph(o.AccessToken, o.Faults, took)
	g := &graph{}
	g.server = http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter,
		q *http.Request) {
		g.running.RLock()
		defer g.running.RUnlock()
		if g.closed {
			panic(http.ErrAbortHandler)
		}
		g.asked.Add(1)
		api.ServeHTTP(w, q)
	})}
	return g
}

func (g *graph) serve(listener net.Listener) {
	g.serving.Go(func() { _ = g.server.Serve(listener) })
}

// close ends all connections and waits for the requests under way: nothing is taken afterwards.
func (g *graph) close() {
	_ = g.server.Close()
	g.serving.Wait()
	g.running.Lock()
	defer g.running.Unlock()
	g.closed = true
}
