package media

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wactor/wactor/provider"
)

const (
	// addressLife is how long an address is used; the provider promises five minutes.
	addressLife = 4 * time.Minute
	// goneLife is how long it is remembered that the provider has no such file: it blocks a number
	// for half an hour after twenty rejected requests within one.
	goneLife = 30 * time.Minute
	// deniedLife is shorter: an operator may replace the token at any time.
	deniedLife = time.Minute
	// resolveWithin bounds one question.
	resolveWithin = 15 * time.Second
	// maxResolved bounds what is remembered.
	maxResolved = 10_000
)

// resolver asks the provider for the addresses of one channel's files: once at a time for an id,
// and not again for what it rejected.
type resolver struct {
	source Source
	now    func() time.Time

	mu    sync.Mutex
	known map[string]*resolution
}

// resolution is one question. Its fields are set when done is closed.
type resolution struct {
	done  chan struct{}
	file  provider.File
	err   error
	until time.Time
}

func newResolver(source Source, now func() time.Time) *resolver {
	return &resolver{source: source, now: now, known: map[string]*resolution{}}
}

// resolve returns an address that is still good for a minute. asked reports whether the provider
// was asked for this call.
func (r *resolver) resolve(ctx context.Context, id string) (file provider.File, asked bool, err error) {
	for {
		one, mine := r.join(id)
		if mine {
			r.ask(ctx, id, one)
			return one.file, true, one.err
		}
		select {
		case <-one.done:
		case <-ctx.Done():
			return provider.File{}, false, ctx.Err()
		}
		if r.now().Before(one.until) {
			return one.file, false, one.err
		}
		r.forget(id, one)
	}
}

// join returns the question of an id; mine says that the caller has to ask it.
func (r *resolver) join(id string) (one *resolution, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.known[id]; one != nil {
		return one, false
	}
	if len(r.known) >= maxResolved {
		r.sweep()
	}
	one = &resolution{done: make(chan struct{})}
	r.known[id] = one
	return one, true
}

// ask asks, even if the one who came first leaves: others wait for the answer.
func (r *resolver) ask(ctx context.Context, id string, one *resolution) {
	defer close(one.done)
	one.err = errors.New("media: the question broke off") // where the source panics
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveWithin)
	defer cancel()
	one.file, one.err = r.source.Resolve(ctx, id)
	one.until = r.now().Add(lifeOf(one.err))
}

// lifeOf is how long an answer is used.
func lifeOf(err error) time.Duration {
	switch {
	case err == nil:
		return addressLife
	case errors.Is(err, provider.ErrFileGone):
		return goneLife
	case errors.Is(err, provider.ErrFileDenied):
		return deniedLife
	}
	return time.Second // those who waited share the answer; the next one asks again
}

// forget drops an answer, unless another one has taken its place.
func (r *resolver) forget(id string, one *resolution) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[id] == one {
		delete(r.known, id)
	}
}

// stale drops the address of an id that the provider no longer takes.
func (r *resolver) stale(id, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.known[id]
	if one == nil {
		return
	}
	select {
	case <-one.done:
		if one.file.Address == address {
			delete(r.known, id)
		}
	default:
	}
}

// reject notes that a file can't be read although the provider names an address.
func (r *resolver) reject(id string, err error) {
	one := &resolution{done: make(chan struct{}), err: err, until: r.now().Add(lifeOf(err))}
	close(one.done)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[id] = one
}

// sweep makes room: first what has run out, then whatever comes first.
func (r *resolver) sweep() {
	now := r.now()
	for _, all := range []bool{false, true} {
		for id, one := range r.known {
			select {
			case <-one.done:
				if all || !now.Before(one.until) {
					delete(r.known, id)
				}
			default:
			}
			if all && len(r.known) < maxResolved/2 {
				return
			}
		}
		if len(r.known) < maxResolved {
			return
		}
	}
}
