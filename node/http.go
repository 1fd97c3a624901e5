package node

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wactor/wactor/admin"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/internal/pseudonym"
	"github.com/wactor/wactor/media"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// publicHandler serves webhooks, and the pages that were asked for.
func (n *Node) publicHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/webhooks/", n.gateway)
	mux.Handle(media.Path, mediaHandler(n))
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if n.unready() != "" {
			http.Error(w, "not ready", http.StatusServiceUnavailable) // strangers get no details
			return
		}
		fmt.Fprintln(w, "ready")
	})
	for pattern, page := range n.options.Pages {
		mux.Handle(pattern, page)
	}
	return mux
}

// adminHandler serves health, metrics and the admin API.
func (n *Node) adminHandler() http.Handler {
	gate := n.api.Gate()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", n.readyz)
	mux.Handle("GET /metrics", gate.Require(wactorv1.Role_ROLE_VIEWER,
		promhttp.HandlerFor(n.registry, promhttp.HandlerOpts{})))
	path, api := n.api.Handler()
	mux.Handle(path, api)
	mux.Handle("/v1/", admin.REST(n.api))
	return gate.Open(loopbackOnly(gate, mux))
}

// newAPI makes the admin API. The cluster may use it before it is served.
func (n *Node) newAPI() *admin.Service {
	options := admin.Options{
		Store: n.store, Node: nodeView{n}, Operator: n.runtime, Reloader: n,
		Name: n.config.Node.Name, Version: n.options.Version,
		Shards: uint32(n.config.Cluster.Shards), Channels: n.serving.now().statuses(),
		Gate: admin.NewGate(credentials(n.config.Admin), n.options.Logger), Logger: n.options.Logger,
		LogName: logName(n.config, n.store.Node()), Started: n.started,
	}
	if n.config.Cluster.Clustered() {
		options.Cluster = clusterView{n}
	}
	if n.backups.target != nil {
		options.Backups = n.backups
	}
	return admin.New(options)
}

// credentials are the tokens that the configuration gives to principals.
func credentials(a config.Admin) []admin.Credential {
	var all []admin.Credential
	if token := a.Token.Reveal(); token != "" {
		who := admin.Principal{Name: config.AdminPrincipal, Role: wactorv1.Role_ROLE_ADMIN}
		all = append(all, admin.Credential{Principal: who, Token: token})
	}
	for _, name := range slices.Sorted(maps.Keys(a.Principals)) {
		p := a.Principals[name]
		all = append(all, admin.Credential{Principal: admin.Principal{Name: name, Role: admin.RoleOf(p.Role)},
			Token: p.Token.Reveal()})
	}
	return all
}

// readyz says whether webhooks should be sent here; with ?quorum=1, also whether each shard of this
// node keeps its majority without it, so that it may be stopped. A node alone has none to keep.
func (n *Node) readyz(w http.ResponseWriter, r *http.Request) {
	if quorum, _ := strconv.ParseBool(r.URL.Query().Get("quorum")); quorum && n.peers.cluster() != nil {
		if why := n.needed(r.Context()); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
	}
	if why := n.unready(); why != "" {
		http.Error(w, why, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// unready says why webhooks should not be sent here; empty where they should.
func (n *Node) unready() string {
	all := n.config.Cluster.Shards
	ready := n.leaderships.led
	if n.peers.cluster() != nil {
		ready = n.reachable
	}
	switch found := ready(); {
	case n.end.stopping.Load():
		return "stopping"
	case !n.settled():
		return "the cluster is being formed"
	case len(lacks(n)) > 0:
		return "this node lacks channel " + strings.Join(lacks(n), ", ") + ", which most nodes have"
	case found < all:
		return fmt.Sprintf("%d of %d shards are ready", found, all)
	}
	return ""
}

// needed says which shards would lose their majority without this node; empty where none would.
func (n *Node) needed(ctx context.Context) string {
	status, err := clusterView{n}.Status(ctx)
	if err != nil {
		return err.Error()
	}
	self := fmt.Sprintf("%016x", n.store.Node())
	return strings.Join(admin.WithoutNodes(status, func(s *wactorv1.NodeStatus) bool { return s.Id == self }), "; ")
}

// lacks are the channels that most nodes have and this one has not.
func lacks(n *Node) []string {
	joined := n.peers.cluster()
	if joined == nil {
		return nil
	}
	return joined.Lacks()
}

// loopbackOnly refuses requests that a page in a browser could make under a name of its own (DNS
// rebinding): without a token, the only names by which this listener is called are those of
// loopback.
func loopbackOnly(gate *admin.Gate, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		ip := net.ParseIP(host)
		if !gate.AsksForToken() && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "without admin.token this listener answers to localhost and loopback addresses only",
				http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// nodeView is what the admin API sees of a node.
type nodeView struct{ n *Node }

func (v nodeView) ShardsLed() int { return v.n.leaderships.led() }
func (v nodeView) Active() int    { return v.n.runtime.Active() }

func (v nodeView) Held(channel string) (since time.Time, reason string) {
	for _, c := range v.n.serving.now().channels {
		if c.config.Name == channel {
			return c.sender.Held()
		}
	}
	return time.Time{}, ""
}

// logName names conversations in logs. The key is the cluster's secret, or what the data directory
// of a node that stays alone draws at its first start: both are unknown to who reads the logs.
func logName(cfg *config.Config, node uint64) func(conversation.ID) string {
	if cfg.Log.Sensitive {
		return conversation.ID.String
	}
	secret := fmt.Sprintf("node %016x", node)
	if secrets := cfg.Cluster.Secret.Reveal(); len(secrets) > 0 {
		secret = strings.TrimSpace(secrets[0])
	}
	namer := pseudonym.New(secret)
	return func(id conversation.ID) string { return namer.Name(id.String()) }
}
