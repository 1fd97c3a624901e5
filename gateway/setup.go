package gateway

import "sync/atomic"

// Limits bound what a gateway takes. They may be changed while it runs.
type Limits struct {
	// MaxBody bounds a webhook's body in bytes. Default 3 MiB, the provider's own limit.
	MaxBody int64
	// MaxInFlight bounds the signed webhooks that are worked on at once; more are refused with 503.
	// Default 4,096.
	MaxInFlight int64
	// MaxInFlightBytes bounds the sum of their bodies. Default 256 MiB.
	MaxInFlightBytes int64
	// MaxUnsignedBytes bounds what has come of bodies whose signature is not known to be right yet.
	// Default 64 MiB.
	MaxUnsignedBytes int64
	// MaxMessages is how many messages of one conversation a webhook may hold: what an inbox takes.
	// Those behind become one dead letter. Default 1,000.
	MaxMessages int
}

func (l Limits) withDefaults() Limits {
	if l.MaxBody == 0 {
		l.MaxBody = 3 << 20
	}
	if l.MaxInFlight == 0 {
		l.MaxInFlight = 4096
	}
	if l.MaxInFlightBytes == 0 {
		l.MaxInFlightBytes = 256 << 20
	}
	if l.MaxUnsignedBytes == 0 {
		l.MaxUnsignedBytes = 64 << 20
	}
	if l.MaxMessages == 0 {
		l.MaxMessages = 1000
	}
	return l
}

// setup is what a reload replaces. A webhook is answered by the one that it found.
type setup struct {
	Limits
	byName   map[string]*Channel
	byNumber map[number]*Channel
	// seen says by name which channels have received an authentic webhook.
	seen map[string]*atomic.Bool
}

// Set replaces channels and limits, all at once. Webhooks under way are answered by the former
// ones.
func (g *Gateway) Set(channels []Channel, limits Limits) {
	s := &setup{Limits: limits.withDefaults(), byName: map[string]*Channel{}, byNumber: map[number]*Channel{},
		seen: map[string]*atomic.Bool{}}
	before := g.setup.Load()
	for i := range channels {
		channel := &channels[i]
		s.byName[channel.Name] = channel
		if before != nil {
			s.seen[channel.Name] = before.seen[channel.Name]
		}
		if s.seen[channel.Name] == nil {
			s.seen[channel.Name] = new(atomic.Bool)
		}
		s.byNumber[number{channel.Provider, channel.Number}] = channel
	}
	g.room.bound(s.MaxUnsignedBytes)
	g.setup.Store(s)
}
