package node

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/media"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// serving is what the node serves at the moment, and what replaces it.
type serving struct {
	current atomic.Pointer[served]
	// reloading keeps reloads apart.
	reloading sync.Mutex
	// closing counts the parts of former ones that are being closed.
	closing sync.WaitGroup
	// files serves the links of all channels.
	files *media.Proxy
	// nodes is how many share the pace of each channel; 0: that is not known yet.
	nodes atomic.Int32
}

func (s *serving) now() *served { return s.current.Load() }

// errNoReread: the program has not said how the configuration is read again.
var errNoReread = errors.New("this node can't read its configuration again")

// Reload reads the configuration again and takes up what needs no restart: whole, or not at all.
// With check it only says what it would do. Turns and replies under way are finished by the bots
// and senders that they began with; webhooks are taken all the while.
func (n *Node) Reload(check bool) (*wactorv1.ReloadResponse, error) {
	n.serving.reloading.Lock()
	defer n.serving.reloading.Unlock()
	if n.options.Reread == nil {
		return nil, errNoReread
	}
	read, flows, err := n.options.Reread()
	if err != nil {
		return nil, err
	}
	before := n.serving.now()
	cfg, changes, err := config.Reload(before.config, read)
	if err != nil {
		return nil, err
	}
	next, err := build(n, cfg, flows, before)
	if err != nil {
		return nil, err
	}
	response := &wactorv1.ReloadResponse{
		Node: n.config.Node.Name, Changed: next.changed(before, changes.Live), Restart: changes.Restart,
		Digest: next.digest(),
	}
	if check {
		next.release(before)
		return response, nil
	}
	replace(n, before, next)
	n.options.Logger.Info("the configuration was reloaded", "changed", response.Changed)
	if len(response.Restart) > 0 {
		n.options.Logger.Warn("changes of the configuration wait for a restart", "keys", response.Restart)
	}
	return response, nil
}

// changed adds the flows whose files changed to the keys that did.
func (s *served) changed(before *served, keys []string) []string {
	for name, b := range s.bots {
		if old := before.bot(name); old != nil && old != b && old.flow != nil && b.flow != nil &&
			old.flow.Sum() != b.flow.Sum() {
			keys = append(keys, "bots."+name+".flow")
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// digest is the same on all nodes that serve alike.
func (s *served) digest() string {
	text := s.config.Digest()
	var flows []string
	for name, b := range s.bots {
		if b.flow != nil {
			sum := b.flow.Sum()
			flows = append(flows, fmt.Sprintf("%s=%x", name, sum[:4]))
		}
	}
	slices.Sort(flows)
	for _, f := range flows {
		text += " " + f
	}
	return text
}

// replace makes next what is served. A channel is known to the conversations before its webhooks
// are taken, and one that goes until none is taken any more.
func replace(n *Node, before, next *served) {
	for _, c := range before.channels {
		if next.channel(c.config.Name) != c {
			c.endRereading()
		}
	}
	for _, c := range next.channels {
		old := before.channel(c.config.Name)
		if old == c {
			continue
		}
		if old != nil && old.sender == c.sender {
			c.sender.renew(c.config.Settings)
		}
		c.endRereading = startRereading(c, n.options.Logger)
	}
	n.serving.current.Store(next)
	n.share(int(n.serving.nodes.Load()))
	all := before.actors()
	for name, channel := range next.actors() {
		all[name] = channel
	}
	n.runtime.SetChannels(all)
	n.runtime.SetMaxActive(next.config.Limits.ActiveConversations)
	n.serving.files.SetChannels(next.files())
	n.gateway.Set(next.gateway(), gatewayLimits(next.config, n.options.Memory))
	n.runtime.SetChannels(next.actors())
	n.api.SetChannels(next.statuses())
	n.api.Gate().SetCredentials(credentials(next.config.Admin))
	if n.options.Level != nil {
		_ = n.options.Level.UnmarshalText([]byte(next.config.Log.Level)) // config has checked it
	}
	for _, b := range before.bots {
		b.release()
	}
}

// open begins to serve the first configuration.
func open(n *Node) error {
	first, err := build(n, n.config, n.options.Flows, nil)
	if err != nil {
		return err
	}
	for _, c := range first.channels {
		c.endRereading = startRereading(c, n.options.Logger)
	}
	n.serving.current.Store(first)
	return nil
}

// close ends what is served, once nothing uses it any more.
func (s *serving) close() {
	if now := s.now(); now != nil {
		for _, c := range now.channels {
			c.endRereading()
		}
		now.release(nil)
	}
	s.closing.Wait()
}
