// Package system runs what is compared: the processes of a strategy or of Wactor, and the stores
// that they need.
package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wactor/wactor/bench/machine"
	"github.com/wactor/wactor/bench/store"
	"github.com/wactor/wactor/bench/strategy"
)

// The systems that are none of the strategies.
const (
	// Wactor is one node.
	Wactor = "wactor"
	// Cluster is three nodes.
	Cluster = "wactor-3"
)

// Names are all systems, in the order of the table.
func Names() []string { return append([]string{Wactor, Cluster}, strategy.Names...) }

// Promises says in few words what a system has on disk before it answers 200.
func Promises(name string) string {
	switch name {
	case Wactor:
		return "message and turn, fsync"
	case Cluster:
		return "message and turn, fsync on two of three nodes"
	case "memory":
		return "nothing"
	case "redis":
		return "nothing; fsync each second"
	case "rabbitmq":
		return "message, as its queue writes it"
	}
	return "session, fsync"
}

// needs are the stores of a system.
func needs(name string) []store.Kind {
	switch name {
	case "redis":
		return []store.Kind{store.Redis}
	case "redislock":
		return []store.Kind{store.Redis, store.Postgres}
	case "occ", "naive":
		return []store.Kind{store.Postgres}
	case "rabbitmq":
		return []store.Kind{store.RabbitMQ, store.Postgres}
	}
	return nil
}

// Needs are the stores of several systems, each once.
func Needs(names []string) []store.Kind {
	var out []store.Kind
	for _, name := range names {
		for _, kind := range needs(name) {
			if !slices.Contains(out, kind) {
				out = append(out, kind)
			}
		}
	}
	return out
}

// Options say how systems run.
type Options struct {
	// Folder holds programs, data and logs. Users of stores may look into it.
	Folder string
	Ports  *machine.Ports
	Stores *store.Host
	// Wactor and Strategy are the programs; Flow is the counter's.
	Wactor, Strategy, Flow string
	// Headroom is how much garbage a strategy's process lets be before it collects any, in MiB; 0
	// is Go's own setting.
	Headroom int
	// Active is how many conversations a node of Wactor may have in memory; 0 is its default.
	Active int
	// Processes of a strategy that can have several.
	Processes int
	// Connections, Queues and QueueType are those of strategy.Options.
	Connections, Queues int
	QueueType           string
	// Graph is the address of the fake Graph API; PhoneNumberID, AppSecret and AccessToken are the
	// channel's.
	Graph, PhoneNumberID, AppSecret, AccessToken string
}

// ProcessesOf is how many server processes a system has.
func (o Options) ProcessesOf(name string) int {
	switch name {
	case Cluster:
		return 3
	case Wactor, "memory": // two of memory would know nothing of each other
		return 1
	}
	return o.Processes
}

// Running is a started system.
type Running struct {
	// URL is where its webhooks go: to all of its servers, separated by commas.
	URL string

	options  Options
	folder   string
	commands []server
	servers  []*machine.Process
	stores   []*store.Running
}

// server is a process that can be started again.
type server struct {
	command machine.Command
	address string
	ready   func() bool
}

// readyWithin is how long a process may take to start.
const readyWithin = time.Minute

var errUnknown = errors.New("system: unknown name")

// Start starts a system with empty stores.
func (o Options) Start(ctx context.Context, name string) (_ *Running, err error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("%w: %q is none of %v", errUnknown, name, Names())
	}
	r := &Running{options: o}
	defer func() {
		if err != nil {
			r.Stop()
			err = fmt.Errorf("system: %s: %w", name, err)
		}
	}()
	if r.folder, err = os.MkdirTemp(o.Folder, name+"-"); err != nil {
		return nil, err
	}
	switch name {
	case Wactor, Cluster:
		err = r.wactor(o.ProcessesOf(name))
	default:
		err = r.strategy(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	return r, r.serve(ctx)
}

// serve starts the processes at once, and waits for all.
func (r *Running) serve(ctx context.Context) error {
	var urls []string
	for _, one := range r.commands {
		p, err := machine.Start(one.command)
		if err != nil {
			return err
		}
		r.servers, urls = append(r.servers, p), append(urls, "http://"+one.address+"/webhooks/shop")
	}
	r.URL = strings.Join(urls, ",")
	for i, p := range r.servers {
		if err := p.Await(ctx, readyWithin, r.commands[i].ready); err != nil {
			return err
		}
	}
	return nil
}

// IDs are the processes of servers and stores; what they started counts with them.
func (r *Running) IDs() []int {
	var out []int
	for _, p := range r.servers {
		out = append(out, p.ID())
	}
	for _, s := range r.stores {
		out = append(out, s.IDs()...)
	}
	return out
}

// Kill ends one server process as a crash does.
func (r *Running) Kill(i int) { r.servers[i].Kill() }

// Restart starts a process that was killed, and returns when it is ready.
func (r *Running) Restart(ctx context.Context, i int) error {
	p, err := machine.Start(r.commands[i].command)
	if err != nil {
		return err
	}
	r.servers[i] = p
	return p.Await(ctx, readyWithin, r.commands[i].ready)
}

// Stop ends everything, and removes what was stored.
func (r *Running) Stop() {
	for _, p := range r.servers {
		p.Stop()
	}
	for _, s := range r.stores {
		s.Stop()
	}
	r.servers, r.stores = nil, nil
	if r.folder != "" {
		_ = os.RemoveAll(r.folder) // the whole folder goes at the end anyway
	}
}

func (r *Running) path(elements ...string) string {
	return filepath.Join(append([]string{r.folder}, elements...)...)
}
