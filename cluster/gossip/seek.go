package gossip

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// When others are looked for.
const (
	firstRetry  = 250 * time.Millisecond // then twice as long each time, up to seekEvery
	seekEvery   = 10 * time.Second       // while no node, or fewer than before, are there
	rejoinEvery = 30 * time.Second       // always: two halves of a cluster that was cut may each look whole to itself
	complainAt  = 3 * time.Second        // nodes that start together need a moment to find each other
)

// seeker looks for other nodes, for as long as it runs.
type seeker struct {
	targets []target
	self    netip.AddrPort
	logger  *slog.Logger
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	// contact exchanges all that is known with the node at an address.
	contact func(netip.AddrPort) error
	// others, addresses and left are a table's.
	others    func() int
	addresses func() (known map[netip.AddrPort]bool, missed []netip.AddrPort)
	left      <-chan struct{}

	lonely     time.Time // when the search for any other node began; zero where one is there
	complained bool
}

// run returns when the context ends. No error ends it: addresses may come to life, and names to
// resolve, at any time.
func (s *seeker) run(ctx context.Context) {
	quick := firstRetry
	for {
		failures := s.seek(ctx)
		if ctx.Err() != nil {
			return
		}
		pause := rejoinEvery
		_, missed := s.addresses()
		switch {
		case s.others() == 0 && len(s.targets) > 0:
			s.complain(failures)
			pause = quick
			quick = min(2*quick, seekEvery)
		case len(missed) > 0:
			pause = seekEvery
			fallthrough
		default:
			s.found()
			quick = firstRetry
		}
		if !s.wait(ctx, pause) {
			return
		}
	}
}

// wait reports whether there is a next time.
func (s *seeker) wait(ctx context.Context, pause time.Duration) bool {
	next := time.Now().Add(pause)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case <-s.left:
			// Who was taken for dead may be there, at this address or another one.
			timer.Reset(min(time.Until(next), firstRetry))
		}
	}
}

// seek contacts each address where no known node is, and says what failed.
func (s *seeker) seek(ctx context.Context) (failures []string) {
	var addresses []netip.AddrPort
	for _, target := range s.targets {
		resolved, err := s.resolve(ctx, target)
		if err != nil {
			failures = append(failures, fmt.Sprintf("%v: %v", target, err))
		}
		addresses = append(addresses, resolved...)
	}
	_, missed := s.addresses()
	addresses = append(addresses, missed...)
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	for _, address := range slices.Compact(addresses) {
		// Each contact may tell of all the others.
		if known, _ := s.addresses(); address == s.self || known[address] {
			continue
		}
		if ctx.Err() != nil {
			return failures
		}
		if err := s.contact(address); err != nil {
			failures = append(failures, fmt.Sprintf("%v: %v", address, failure(err)))
		}
	}
	return failures
}

func (s *seeker) resolve(ctx context.Context, t target) ([]netip.AddrPort, error) {
	hosts := make([]netip.Addr, 1)
	var err error
	if hosts[0], err = netip.ParseAddr(t.host); err != nil {
		ctx, cancel := context.WithTimeout(ctx, lookupLimit)
		defer cancel()
		if hosts, err = s.lookup(ctx, t.host); err != nil {
			return nil, err
		}
	}
	addresses := make([]netip.AddrPort, len(hosts))
	for i, host := range hosts {
		addresses[i] = netip.AddrPortFrom(host.Unmap(), t.port)
	}
	return addresses, nil
}

// complain logs once that no other node is there. Where nothing failed there was only this node
// itself to be found.
func (s *seeker) complain(failures []string) {
	if s.lonely.IsZero() {
		s.lonely = time.Now()
	}
	if s.complained || len(failures) == 0 || time.Since(s.lonely) < complainAt {
		return
	}
	s.complained = true
	addresses := make([]string, len(s.targets))
	for i, target := range s.targets {
		addresses[i] = target.String()
	}
	s.logger.Warn("no other node can be reached; trying on", "addresses", addresses, "failures", failures,
		"check", "do the others run, is the gossip port open between nodes for TCP and UDP, have all nodes the same "+
			"secret")
}

func (s *seeker) found() {
	if s.complained {
		s.logger.Info("other nodes can be reached again", "others", s.others())
	}
	s.lonely, s.complained = time.Time{}, false
}

// failure returns in one line what the library says in several.
func failure(err error) string {
	text := err.Error()
	if strings.Contains(strings.ToLower(text), anotherSecret) {
		return "it has another secret"
	}
	if _, after, found := strings.Cut(text, "failed to join "); found {
		text = after
		if _, after, found := strings.Cut(text, ": "); found {
			text = after
		}
	}
	if text = strings.Join(strings.Fields(text), " "); text == "EOF" {
		return "it closed the connection: is it a node of this cluster?"
	}
	return text
}
