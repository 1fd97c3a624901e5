// Package node builds a node from its configuration, starts it in order and stops it in reverse.
//
// In order: the store, the actors that use it, the cluster, the listeners that feed them. In
// reverse: readiness goes first, then this node's leaderships (others take them, with no reply in
// doubt), then the listener of webhooks (once balancers have seen that the node is not ready, and
// send none any more; what is being answered is finished), then the actors (sends under way are
// finished and their outcome is committed), then the cluster, the store, and the admin listener
// last, so that an operator can watch.
//
// A node without others (config.Cluster.Clustered) runs the same parts but for the cluster and the
// router.
package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/admin"
	"github.com/wactor/wactor/cluster/gossip"
	"github.com/wactor/wactor/cluster/routing"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/gateway"
	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
)

// Options are what the configuration file does not say.
type Options struct {
	Logger *slog.Logger
	// Version is that of the program.
	Version string
	// Memory is what the process may use, in bytes; 0 where it is not known. Bounds that the
	// configuration leaves open are shares of it.
	Memory uint64
	// Pages are served beside the webhooks, by pattern of http.ServeMux: the phone of `wactor dev`.
	Pages map[string]http.Handler
	// AcceptLoss starts although the disk holds less than was synced, and writes down in the data
	// directory what may be missing.
	AcceptLoss bool
	// Development puts the beginning of what a bot answers wrongly into reasons and logs, where it
	// may repeat what a user wrote.
	Development bool
	// Flows are those that were read already, by the path that the configuration gives; others are
	// read at the start.
	Flows map[string]*flow.Flow
	// Reread reads configuration and flows again, for a reload; nil: there is none.
	Reread func() (*config.Config, map[string]*flow.Flow, error)
	// Level is that of Logger, which a reload changes; nil: it stays.
	Level *slog.LevelVar
}

// Node is a running node.
type Node struct {
	config   *config.Config
	options  Options
	registry *prometheus.Registry
	started  time.Time

	leaderships leaderships
	letters     letters
	store       *store.Store
	serving     serving
	runtime     *actors.Runtime
	peers       peers
	// router is nil where this node stays alone.
	router  *routing.Router
	gateway *gateway.Gateway
	operators

	public, admin *server
	end           ending
}

// operators is what operators use.
type operators struct {
	api     *admin.Service
	backups *backups
}

// ending is how a node comes to its end.
type ending struct {
	// stopping is set when the end has begun, failed receives why it must.
	stopping atomic.Bool
	failed   chan error
	once     sync.Once
}

func newEnding() ending { return ending{failed: make(chan error, 2)} }

// fail ends the node.
func (e *ending) fail(err error) {
	select {
	case e.failed <- err:
	default: // it ends already
	}
}

// Start builds and starts a node. When it returns without an error, the node takes webhooks.
func Start(cfg *config.Config, options Options) (*Node, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Node{
		config: cfg, options: options, registry: prometheus.NewRegistry(), started: time.Now(), end: newEnding(),
	}
	n.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	n.registry.MustRegister(buildInfo(options.Version), channelStates{n}, newPausedGauge(n))
	if err := n.start(); err != nil {
		n.closeAll(context.Background())
		return nil, err
	}
	return n, nil
}

func (n *Node) start() error {
	// Listen before the store is opened: a port that is taken is found before anything is written.
	public, err := net.Listen("tcp", n.config.Listen.HTTP)
	if err != nil {
		return fmt.Errorf("node: listen.http: %w", err)
	}
	admin, err := net.Listen("tcp", n.config.Listen.Admin)
	if err != nil {
		public.Close()
		return fmt.Errorf("node: listen.admin: %w", err)
	}
	files := maxFiles()
	n.public = newServer(public, connectionsOf(files, publicPart), n.options.Logger)
	n.admin = newServer(admin, connectionsOf(files, adminPart), n.options.Logger)
	n.admin.speakGRPC()
	if err := n.encrypt(); err != nil {
		return err
	}
	if err := open(n); err != nil {
		return err
	}
	if n.backups, err = newBackups(n, n.config.Backup); err != nil {
		return err
	}
	if err := n.backups.restore(context.Background()); err != nil {
		return err
	}
	if n.store, err = n.openStore(); err != nil {
		return err
	}
	n.runtime = actors.New(actors.Options{
		Store: actorStore{n.store}, Channels: n.serving.now().actors(), Shards: uint32(n.config.Cluster.Shards),
		Elsewhere: n.deliver,
		MaxActive: n.config.Limits.ActiveConversations, Logger: n.options.Logger, LogName: logName(n.config,
			n.store.Node()),
		Registerer: n.registry, LettersChanged: n.letters.changed,
	})
	n.api = n.newAPI()
	if n.config.Cluster.Clustered() {
		if err := n.startCluster(); err != nil {
			return err
		}
	} else {
		n.store.AllowFormat(store.EntryFormat)
	}
	n.letters.start(n.store)
	n.leaderships.attach(n.leadershipChanged)
	n.gateway = gateway.New(gateway.Options{
		StatusCame: n.runtime.NoteStatus,
		Router:     deliver(n.deliver), Channels: n.serving.now().gateway(), Node: n.config.Node.Name,
		Limits: gatewayLimits(n.config, n.options.Memory),
		Logger: n.options.Logger, Registerer: n.registry,
	})
	n.public.http.ConnContext = n.gateway.ConnContext
	n.public.serve(n.publicHandler(), n.end.failed)
	n.admin.serve(n.adminHandler(), n.end.failed)
	n.backups.start()
	n.options.Logger.Info("serving", "http", n.HTTPAddr(), "admin", n.AdminAddr(), "shards", n.config.Cluster.Shards,
		"channels", len(n.config.Channels), "took", time.Since(n.started).Round(time.Millisecond).String())
	return nil
}

// deliver takes a delivery to its conversation, here or on another node.
func (n *Node) deliver(e delivery.Envelope, done delivery.Done) {
	if n.router != nil {
		n.router.Deliver(e, done)
		return
	}
	hereOf(n).Deliver(e, done)
}

// deliver is a gateway.Router.
type deliver func(delivery.Envelope, delivery.Done)

func (d deliver) Deliver(e delivery.Envelope, done delivery.Done) { d(e, done) }

// leadershipChanged passes a change of a shard's leadership on.
func (n *Node) leadershipChanged(shard uint32, leadership replication.Leadership) {
	if shard != 0 {
		n.runtime.LeadershipChanged(shard, leadership.Term, leadership.Ready)
		n.letters.led(shard, leadership.Ready)
	}
	if c := n.peers.cluster(); c != nil {
		c.LeadershipChanged(gossip.Hint{Shard: shard, Term: leadership.Term, Node: leadership.Node},
			leadership.Ready)
	}
}

func (n *Node) openStore() (*store.Store, error) {
	c := &n.config.Cluster
	opened, err := store.Open(store.Options{
		Disk: engine.Options{
			Dir: n.config.Node.DataDir, Reserve: int64(n.config.Node.DiskReserve), AcceptLoss: n.options.AcceptLoss,
			Replicated: n.peers.replicated,
		},
		Replication: replication.Options{
			Shards: c.Shards, Joining: c.Expect > 1 || len(c.Join) > 0, LeadershipChanged: n.leaderships.set,
			Transport: replication.Transport{Send: n.sendRaft, SendSnapshot: n.sendSnapshot},
		},
		DedupWindow: n.config.DedupWindow, Logger: n.options.Logger, Registerer: n.registry,
	})
	if err != nil {
		return nil, fmt.Errorf("node: node.data_dir %s: %s%w", n.config.Node.DataDir, openRemedy(err,
			n.config.Cluster.Clustered()), err)
	}
	return opened, nil
}

// openRemedy says what to do about a store that can't be opened, where that is known.
func openRemedy(err error, clustered bool) string {
	switch {
	case errors.Is(err, engine.ErrLoss) && clustered:
		return "what this disk lost the other nodes have: empty the directory, and start the node, which joins as a " +
			"new " +
			"one; remove this one by wactor cluster remove (or, where the other nodes lost theirs too, start with " +
			"--accept-loss): "
	case errors.Is(err, engine.ErrLoss):
		return "restore a copy, or start once with --accept-loss, which goes on with what is there and writes down " +
			"in the " +
			"directory what may be missing: "
	case errors.Is(err, syscall.EAGAIN): // the store's lock
		return "another process has it open, perhaps a node that still stops: end that one, or set another directory: "
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk is full: make room there and start again, nothing is lost: "
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return "make it a directory that this user may write to, or set another one: "
	}
	return ""
}

// HTTPAddr is the address that webhooks are taken on.
func (n *Node) HTTPAddr() string { return n.public.addr() }

// AdminAddr is the address of the admin API, health and metrics.
func (n *Node) AdminAddr() string { return n.admin.addr() }

// Wait returns when the context ends, or with the error that keeps the node from serving.
func (n *Node) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.end.failed:
		return err
	}
}

// Close stops the node and returns when nothing of it runs any more. It waits for webhooks and
// sends under way until ctx ends.
func (n *Node) Close(ctx context.Context) {
	n.end.once.Do(func() {
		n.options.Logger.Info("stopping")
		n.closeAll(ctx)
		n.options.Logger.Info("stopped")
	})
}

func (n *Node) closeAll(ctx context.Context) {
	n.end.stopping.Store(true)
	n.backups.close()
	joined := n.peers.cluster()
	if joined != nil {
		joined.Leave(leaveWithin) // first: others would transfer this node's leaderships back
		joined.TransferLeaderships(ctx)
	}
	if n.public != nil {
		if joined != nil {
			n.public.fallQuiet(ctx) // other nodes take webhooks meanwhile
		}
		n.public.close(ctx)
	}
	if n.router != nil {
		n.router.Close()
	}
	if n.runtime != nil {
		n.runtime.Stop(ctx)
	}
	if joined != nil {
		joined.Close()
	}
	n.letters.stop()
	if n.store != nil {
		if err := n.store.Close(); err != nil {
			n.options.Logger.Error("the store did not close well", "error", err)
		}
	}
	n.serving.close()
	if n.admin != nil {
		n.admin.close(ctx)
	}
}
