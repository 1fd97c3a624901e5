package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/provider"
)

// chunkSize is what a body arrives in. Almost every webhook fits into one, and is decoded where it
// lies.
const chunkSize = 16 << 10

type chunk [chunkSize]byte

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// arrival is a body on its way in. Until its signature is found to be right it is a stranger's: its
// chunks are counted in the gateway's room, whatever length it announces.
type arrival struct {
	room    *room
	trusted bool
	// control ends the wait for a body that has to make room.
	control *http.ResponseController
	held    []*chunk
	size    int // bytes in them
	evicted atomic.Bool
}

var errTooManyBytes = errors.New("gateway: too many bytes of unproven webhooks are in flight")

// read takes the whole body in, and into the signature as it comes.
func (a *arrival) read(body io.Reader, signature provider.Signature) error {
	for {
		at := a.size % chunkSize
		if at == 0 && a.size == len(a.held)*chunkSize {
			if !a.room.take(a) {
				return errTooManyBytes
			}
			a.held = append(a.held, chunks.Get().(*chunk))
		}
		n, err := body.Read(a.held[len(a.held)-1][at:])
		_, _ = signature.Write(a.held[len(a.held)-1][at : at+n])
		a.size += n
		switch {
		case a.evicted.Load():
			return errTooManyBytes
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// bytes returns the body in one piece. It is valid until free.
func (a *arrival) bytes() []byte {
	if len(a.held) == 1 {
		return a.held[0][:a.size]
	}
	whole := make([]byte, 0, a.size)
	for left := a.size; left > 0; left = a.size - len(whole) {
		whole = append(whole, a.held[0][:min(left, chunkSize)]...)
		chunks.Put(a.held[0])
		a.held = a.held[1:]
	}
	return whole
}

// free gives the chunks back.
func (a *arrival) free() {
	for _, one := range a.held {
		chunks.Put(one)
	}
	a.held = nil
}

// room bounds the bytes of bodies without a proven signature. A quarter of it is kept for
// connections that have shown a good signature before. When it is full, the largest of the
// strangers goes: webhooks are small, and who holds megabytes without a signature is most likely no
// provider.
type room struct {
	mu                sync.Mutex
	most, strangers   int64
	used, usedStrange int64
	open              map[*arrival]int64 // and how much each takes
}

func newRoom() *room { return &room{open: map[*arrival]int64{}} }

// bound sets how many bytes there is room for. What is there stays.
func (r *room) bound(most int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.most, r.strangers = most, most-most/4
}

// take counts one more chunk of a body in; false where there is no room for it.
func (r *room) take(a *arrival) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.evicted.Load() {
		return false
	}
	for !r.fits(a) {
		if !r.evict(a) {
			return false
		}
	}
	r.add(a, chunkSize)
	return true
}

func (r *room) fits(a *arrival) bool {
	return r.used+chunkSize <= r.most && (a.trusted || r.usedStrange+chunkSize <= r.strangers)
}

// evict ends the largest body of a stranger that is larger than this one is going to be.
func (r *room) evict(a *arrival) bool {
	var largest *arrival
	bound := r.open[a] + chunkSize
	if a.trusted {
		bound = 0
	}
	for other, size := range r.open {
		if !other.trusted && other != a && size > bound {
			largest, bound = other, size
		}
	}
	if largest == nil {
		return false
	}
	r.drop(largest)
	largest.evicted.Store(true)
	_ = largest.control.SetReadDeadline(time.Unix(1, 0)) // it waits no longer
	return true
}

func (r *room) add(a *arrival, n int64) {
	r.open[a] += n
	r.used += n
	if !a.trusted {
		r.usedStrange += n
	}
}

func (r *room) drop(a *arrival) {
	r.add(a, -r.open[a])
	delete(r.open, a)
}

// leave takes a body out of the count: it is read, or given up.
func (r *room) leave(a *arrival) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(a)
}

// trust is what is known of a connection.
type trust struct{ shown atomic.Bool }

type trustKey struct{}

// ConnContext gives each connection of the public listener a memory of whether it has shown a good
// signature. It is for http.Server.ConnContext; without it every connection stays a stranger's.
func (g *Gateway) ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, trustKey{}, new(trust))
}

func trustOf(ctx context.Context) *trust {
	if known, ok := ctx.Value(trustKey{}).(*trust); ok {
		return known
	}
	return new(trust)
}
