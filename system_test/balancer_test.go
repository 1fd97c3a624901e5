//go:build linux

package system_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A balancer passes webhooks on to the nodes in turn, as one in front of a deployment does. It
// leaves out nodes that do not say that they are ready, and tries the next node where no connection
// comes about, since then nothing was sent. What was sent is not sent again: many balancers do not
// repeat a POST, and a cluster that needs them to would fail behind those. So a webhook fails here
// whenever a node took it and did not answer, or refused it. What waits for a node that does not
// answer its checks any more is answered 502 (as HAProxy does with "on-marked-down
// shutdown-sessions"): a node that stands still answers no request.
type balancer struct {
	outages *outages
	server  *http.Server
	client  *http.Transport
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu       sync.Mutex
	targets  []*target
	next     int
	statuses map[int]int
}

// target is a node as a balancer sees it.
type target struct {
	member *member
	up     atomic.Bool

	mu      sync.Mutex
	waiting map[*http.Request]context.CancelFunc
}

const (
	// checkEvery is how often nodes are asked whether they are ready, and checkWithin bounds the
	// wait for an answer.
	checkEvery  = 100 * time.Millisecond
	checkWithin = time.Second
	// checksMissed is how many checks a node leaves without an answer until what waits for it is
	// given up.
	checksMissed = 2
	// connectWithin bounds the wait for a connection: a dead machine does not refuse it.
	connectWithin = 500 * time.Millisecond
	// answerWithin bounds the wait for an answer, after which the balancer answers 504.
	answerWithin = 10 * time.Second
)

// errUnreachable marks that no connection came about.
var errUnreachable = errors.New("no connection")

// newBalancer starts a balancer before the nodes of a cluster. It ends with the test.
func newBalancer(t *testing.T, c *cluster) *balancer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b := &balancer{
		outages: newOutages(c.shards), stop: cancel, statuses: map[int]int{},
		client: &http.Transport{
			DisableKeepAlives: true, // a kept connection may be closed while it is used, which no server can prevent
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := (&net.Dialer{Timeout: connectWithin}).DialContext(ctx, network, address)
				if err != nil {
					return nil, errors.Join(errUnreachable, err)
				}
				return conn, nil
			},
		},
	}
	listener, err := net.Listen("tcp", loadAddress+":8080")
	if err != nil {
		t.Fatal(err)
	}
	b.server = &http.Server{Handler: http.HandlerFunc(b.pass), ReadHeaderTimeout: time.Minute}
	b.work.Go(func() { _ = b.server.Serve(listener) })
	for _, m := range c.members {
		b.add(ctx, m)
	}
	t.Cleanup(b.close)
	return b
}

func (b *balancer) close() {
	b.stop()
	b.server.Close()
	b.work.Wait()
}

// url is where webhooks of a channel go.
func (b *balancer) url(channel string) string {
	return "http://" + loadAddress + ":8080/webhooks/" + channel
}

// add passes webhooks on to one more node, as soon as it is ready, until ctx ends.
func (b *balancer) add(ctx context.Context, m *member) {
	one := &target{member: m, waiting: map[*http.Request]context.CancelFunc{}}
	one.up.Store(m.ready(ctx))
	b.mu.Lock()
	b.targets = append(b.targets, one)
	b.mu.Unlock()
	b.work.Go(func() {
		tick := time.NewTicker(checkEvery)
		defer tick.Stop()
		for missed := 0; ; {
			select {
			case <-tick.C:
				status := m.readiness(ctx, checkWithin)
				one.up.Store(status == http.StatusOK)
				if missed++; status != 0 {
					missed = 0
				} else if missed >= checksMissed {
					one.giveUp()
				}
			case <-ctx.Done():
				return
			}
		}
	})
}

// giveUp ends all that waits for the node.
func (o *target) giveUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, cancel := range o.waiting {
		cancel()
	}
}

// pass passes a request on. It is over with the answer's last byte.
func (o *target) pass(transport *http.Transport, request *http.Request) (status int, answer []byte, err error) {
	ctx, cancel := context.WithCancel(request.Context())
	defer cancel()
	o.mu.Lock()
	o.waiting[request] = cancel
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		delete(o.waiting, request)
		o.mu.Unlock()
	}()
	response, err := transport.RoundTrip(request.WithContext(ctx))
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// turn returns the nodes in the order in which they are tried: those that are up, the next in turn
// first; where none is, all.
func (b *balancer) turn() []*target {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	var up, all []*target
	for i := range b.targets {
		one := b.targets[(b.next+i)%len(b.targets)]
		all = append(all, one)
		if one.up.Load() {
			up = append(up, one)
		}
	}
	if len(up) == 0 {
		return all
	}
	return up
}

// pass answers one webhook.
func (b *balancer) pass(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender has gone
	}
	shard := b.outages.shardOf(body)
	if shard != 0 {
		b.outages.arrived(shard, time.Now())
	}
	status, answer := b.send(r, body)
	if shard != 0 {
		b.outages.answered(shard, status == http.StatusOK, time.Now())
	}
	b.mu.Lock()
	b.statuses[status]++
	b.mu.Unlock()
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// send sends a webhook to the first node that can be reached.
func (b *balancer) send(r *http.Request, body []byte) (status int, answer []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	for _, one := range b.turn() {
		out, err := http.NewRequestWithContext(ctx, r.Method, "http://"+one.member.http()+r.URL.RequestURI(),
			bytes.NewReader(body))
		if err != nil {
			return http.StatusBadRequest, nil
		}
		out.Header = r.Header.Clone()
		status, answer, err := one.pass(b.client, out)
		switch {
		case errors.Is(err, errUnreachable):
			one.up.Store(false) // until the next check
			continue
		case ctx.Err() != nil:
			return http.StatusGatewayTimeout, nil
		case err != nil:
			return http.StatusBadGateway, nil
		}
		return status, answer
	}
	return http.StatusServiceUnavailable, []byte("no node can be reached")
}

// answers returns how many webhooks were answered with each status so far.
func (b *balancer) answers() map[int]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.statuses)
}

// TestBalancer proves that a webhook goes on to the next node where one can't be reached, and that
// a refusal is passed on.
func TestBalancer(t *testing.T) {
	c := startCluster(t, 1)
	dead := &member{name: "absent", address: "10.77.0.9"}
	c.members = append(c.members, dead)
	b := newBalancer(t, c)
	for _, one := range b.targets {
		one.up.Store(true)
	}
	for range 4 {
		response, err := http.Post(b.url("shop"), "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("an unsigned webhook was answered %d", response.StatusCode)
		}
	}
	if answers := b.answers(); answers[http.StatusUnauthorized] != 4 || len(answers) != 1 {
		t.Errorf("answers %v, want 4 of 401", answers)
	}
}
