package actors

import (
	"maps"
	"sync"
	"sync/atomic"
)

// channels are those of the configuration, by name. They may be replaced while conversations go on.
type channels struct {
	metrics *metrics
	current atomic.Pointer[map[string]*served]
	// replacing keeps changes apart.
	replacing sync.Mutex
}

// served is a channel for as long as it is configured; its conversations hold it.
type served struct {
	current atomic.Pointer[service]
	// statusMs is when the last status of a message came.
	statusMs atomic.Int64
}

// service is what serves a channel until it is replaced.
type service struct {
	*Channel
	inliner Inliner // nil where the bot is none
	metrics *channelMetrics
	// users counts what uses bot or sender at the moment, and one for being the current service.
	users  atomic.Int64
	closed sync.Once
}

// of returns a channel; nil where none has that name.
func (c *channels) of(name string) *served { return (*c.current.Load())[name] }

// names are those of the channels at the moment.
func (c *channels) names() map[string]*served { return *c.current.Load() }

// replace makes these the channels, and tells which of the names are new and which are gone. One
// that is the same as before stays as it is.
func (c *channels) replace(all map[string]*Channel) (added, gone map[string]bool) {
	c.replacing.Lock()
	defer c.replacing.Unlock()
	var before map[string]*served
	if known := c.current.Load(); known != nil {
		before = *known
	}
	after := make(map[string]*served, len(all))
	added, gone = map[string]bool{}, map[string]bool{}
	for name, channel := range all {
		if after[name] = before[name]; after[name] == nil {
			after[name], added[name] = &served{}, true
		}
		after[name].serve(c.metrics, name, channel)
	}
	c.current.Store(&after)
	for name, channel := range maps.All(before) {
		if after[name] == nil {
			gone[name] = true
			channel.current.Load().done()
		}
	}
	return added, gone
}

// serve makes a configured channel the one that serves from now on.
func (s *served) serve(m *metrics, name string, channel *Channel) {
	if before := s.current.Load(); before != nil && before.Channel == channel {
		return
	}
	next := &service{Channel: channel, metrics: m.of(name, channel.BotName)}
	next.inliner, _ = channel.Bot.(Inliner)
	next.users.Store(1)
	if before := s.current.Swap(next); before != nil {
		before.done()
	}
}

// now is what serves the channel. Of what it returns only what needs no closing may be used.
func (s *served) now() *service { return s.current.Load() }

// use is what serves the channel, for a call of its bot or its sender, until done.
func (s *served) use() *service {
	for {
		now := s.current.Load()
		now.users.Add(1)
		if now == s.current.Load() {
			return now
		}
		now.done() // it was replaced meanwhile
	}
}

// done ends a use. The last one closes what was replaced.
func (s *service) done() {
	if s.users.Add(-1) == 0 && s.Close != nil {
		s.closed.Do(s.Close)
	}
}

// SetChannels replaces the channels. A turn under way is finished by the bot that began it, a reply
// under way by its sender; what follows uses the new ones. Conversations of a channel that is gone
// end, and what is unfinished of them waits until there is a channel of that name again.
func (r *Runtime) SetChannels(all map[string]*Channel) {
	added, gone := r.channels.replace(all)
	for _, t := range r.tables {
		if len(gone) > 0 {
			t.each(func(a *activation) {
				if gone[a.id.Channel] {
					a.mailbox.Post(stopGracefully{})
				}
			})
		}
		if term, ready := t.readyIn(); ready && len(added) > 0 {
			r.goWork(func() { t.takeUp(term) })
		}
	}
}

// SetMaxActive changes Options.MaxActive.
func (r *Runtime) SetMaxActive(n int) { r.room.most.Store(int64(n)) }
