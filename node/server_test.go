package node

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// TestStopWaitsForBalancers: a load balancer notices late that a node is no longer ready, and sends
// on until then.
func TestStopWaitsForBalancers(t *testing.T) {
	w := newWorld(t)
	n := w.start(w.counter("cluster: { gossip: 127.0.0.1:0, rpc: 127.0.0.1:0 }"))
	deadline := time.Now().Add(20 * time.Second)
	for ready := 0; ready != http.StatusOK; {
		if ready, _ = w.get(n, "/readyz"); time.Now().After(deadline) {
			t.Fatal("the node does not get ready")
		}
	}
	var sent atomic.Int64
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		looked := time.Now()
		for i := 0; ; i++ {
			if time.Since(looked) > quietFor/2 { // as slow as a balancer may be that is still noticed
				looked = time.Now()
				if ready, _ := w.get(n, "/readyz"); ready != http.StatusOK {
					return
				}
			}
			if status := w.send(n, "491", fmt.Sprintf("wamid.%d", i), "hello"); status != http.StatusOK {
				t.Errorf("webhook %d was answered %d", i, status)
				return
			}
			sent.Add(1)
		}
	}()
	for sent.Load() < 10 {
		if time.Now().After(deadline) {
			t.Fatal("no webhook is accepted")
		}
		time.Sleep(time.Millisecond)
	}
	w.stop(n)
	<-stopped
}
