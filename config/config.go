package config

import (
	"time"

	"github.com/wactor/wactor/internal/problem"
)

// Config is a whole configuration. It is read once and not changed while in use.
type Config struct {
	Node    Node    `yaml:"node"`
	Listen  Listen  `yaml:"listen"`
	Admin   Admin   `yaml:"admin"`
	Cluster Cluster `yaml:"cluster"`
	// Channels are the business numbers; at least one.
	Channels []Channel `yaml:"channels"`
	// Bots by name ([a-z0-9_-], up to 64 characters). Several channels may share a bot, and a bot
	// may have no channel.
	Bots map[string]Bot `yaml:"bots"`
	// DedupWindow is how long message ids are remembered. Default 9d; more than 8d, which covers
	// the provider's 7 days of repetition, and more than StaleAfter; at most 90d.
	DedupWindow time.Duration `yaml:"dedup_window"`
	// StaleAfter is the age, by the provider's clock, past which a message is kept as a dead letter
	// instead of run. Default 8d; 1m to 89d, less than DedupWindow.
	StaleAfter time.Duration `yaml:"stale_after"`
	Limits     Limits        `yaml:"limits"`
	Media      Media         `yaml:"media"`
	Backup     Backup        `yaml:"backup"`
	Restore    Restore       `yaml:"restore"`
	Log        Log           `yaml:"log"`
	// Warnings are what a node starts with though it is likely a mistake, such as a weak secret.
	Warnings problem.List `yaml:"-"`
}

// Node is this process.
type Node struct {
	// Name tells nodes apart in journals, logs and metrics: letters, digits, dots, underscores and
	// hyphens, up to 64. Default: the host's name.
	Name string `yaml:"name"`
	// Zone names what fails together with this node, such as a rack or a data centre: the replicas
	// of a shard are spread over zones. Letters, digits, dots, underscores and hyphens, up to 64.
	// Default: none, each node is a zone of its own.
	Zone string `yaml:"zone"`
	// DataDir holds everything that is stored. Default "data"; a relative path counts from the
	// configuration file's folder, so that a start from elsewhere does not begin with an empty
	// store.
	DataDir string `yaml:"data_dir"`
	// DiskReserve is how much should stay free on the disk of DataDir: with less, new messages are
	// answered 503, and all else goes on. Default 0: a twentieth of the disk, at most 1 GiB.
	DiskReserve Size `yaml:"disk_reserve"`
}

// Listen is where the node is reached. Addresses are host:port; an empty host means all interfaces.
type Listen struct {
	// HTTP takes the provider's webhooks. Default ":8080".
	HTTP string `yaml:"http"`
	// Admin serves metrics, health and the admin API. Default "127.0.0.1:8081"; beyond loopback it
	// needs Admin.Token.
	Admin string `yaml:"admin"`
	// TLS makes HTTP speak TLS with certificates from files; ACME with certificates that an
	// authority issues. Neither by default: a proxy in front has the certificate.
	TLS  *ListenTLS  `yaml:"tls"`
	ACME *ListenACME `yaml:"acme"`
}

// Admin guards the admin API.
type Admin struct {
	// Token is the bearer token of the principal "admin", who may do everything: 16 characters or
	// more. Default none; with no token at all, possible on loopback only, everyone may.
	Token Secret `yaml:"token"`
	// Principals are further callers, by their names ([a-z0-9_-], up to 64 characters). Default
	// none.
	Principals map[string]Principal `yaml:"principals"`
}

// AdminPrincipal is the name of who shows Admin.Token.
const AdminPrincipal = "admin"

// Principal is a caller of the admin API.
type Principal struct {
	// Role is one of Roles. Required.
	Role string `yaml:"role"`
	// Token is the bearer token that the caller shows, 16 characters or more. Required.
	Token Secret `yaml:"token"`
}

// Roles are those of principals: a viewer reads; an operator also retries and skips dead letters; a
// privacy officer reads, exports and erases what is kept of a person; a sender sends messages and
// does nothing else; an admin may do everything.
var Roles = []string{"viewer", "operator", "privacy", "sender", "admin"}

// Cluster is how nodes work together. A node listens for others (Clustered) where it has a secret,
// has others to join or to expect, or is given an address of its own here; otherwise it stays
// alone.
type Cluster struct {
	// Shards is the number of groups of conversations. Default 32, 1 to 4096; the same on all
	// nodes, and fixed when the cluster is created.
	Shards int `yaml:"shards"`
	// Gossip is the address of the membership protocol, for TCP and UDP. Default ":7946".
	Gossip string `yaml:"gossip"`
	// RPC is the address for the other nodes' calls. Default ":7947".
	RPC string `yaml:"rpc"`
	// Advertise is the host under which the other nodes reach this one. Default: found out.
	Advertise string `yaml:"advertise"`
	// Join names gossip addresses of nodes of the cluster: hosts with or without a port (default
	// 7946), all addresses of a name are tried, this node's own does no harm. Default none.
	Join []string `yaml:"join"`
	// Expect is the number of nodes that found a new cluster together; all of them need the same.
	// Default 1: without join the node is a cluster of its own, to which others may come; with join
	// it waits for a cluster that is there. 1 to 1000.
	Expect int `yaml:"expect"`
	// Replicas is the number of nodes that hold each shard, where there are so many. Default 3; 1,
	// 3, 5 or 7; what it is when the cluster is founded stays.
	Replicas int `yaml:"replicas"`
	// ReplaceAfter is how long a node must be gone until others take its replicas over, where there
	// are others. Default 15m; 10s to 30d.
	ReplaceAfter time.Duration `yaml:"replace_after"`
	// Finalize says when an upgrade of all nodes ends the way back to the version before: auto, as
	// soon as the last node is upgraded, or manual, by `wactor cluster finalize`. Default auto; the
	// same on all nodes.
	Finalize string `yaml:"finalize"`
	// Secret keeps strangers out of the cluster and encrypts what nodes say, 16 characters or more:
	// a text, or a list while it is being replaced (the first is used, all are accepted). Required
	// beyond loopback.
	Secret Secrets `yaml:"secret"`
	// TLS takes certificates of your own for the calls between nodes; the secret still encrypts the
	// gossip.
	TLS *ClusterTLS `yaml:"tls"`
}

// ClusterTLS names PEM files. They are read again when they change.
type ClusterTLS struct {
	// Cert and Key are this node's, for clients and servers both.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// CA signs the certificates of the nodes, and no others.
	CA string `yaml:"ca"`
}

// Limits refuse work before memory grows.
type Limits struct {
	// Inbox is how many messages of one conversation may wait for their turn; the next webhook with
	// one is answered 503. Default 1000; 1 to 100000.
	Inbox int `yaml:"inbox"`
	// Journal is how many journal records, one a commit, are kept of a conversation. Default 500;
	// 10 to 1000000.
	Journal int `yaml:"journal"`
	// ActiveConversations is how many conversations may be in memory at once, at up to 6 KB each
	// besides their states. A message that needs one more is answered 503. Default 100000; 1 to
	// 10000000.
	ActiveConversations int `yaml:"active_conversations"`
	// InFlightWebhooks is how many webhooks may be handled at once; one more is answered 503.
	// Default 1024; 1 to 1000000.
	InFlightWebhooks int `yaml:"in_flight_webhooks"`
	// Body is how large the body of a webhook may be; a larger one is answered 413. Default 3MiB,
	// the most that the provider sends; 64KiB to 16MiB.
	Body Size `yaml:"body"`
	// UnsignedBodies is how many bytes of bodies may be in memory whose signature is not known to
	// be right yet; past it the largest of strangers' is answered 503. Default 0, a sixteenth of
	// the memory, 8MiB to 256MiB; else 1MiB to 4GiB.
	UnsignedBodies Size `yaml:"unsigned_bodies"`
}

// Log is what the process writes to its standard error.
type Log struct {
	// Level is the least level written: debug, info, warn or error. Default info.
	Level string `yaml:"level"`
	// Format is text or json. Default text.
	Format string `yaml:"format"`
	// Sensitive names conversations in the log by channel and user, instead of by a hash that
	// does not show who it is. Default false.
	Sensitive bool `yaml:"sensitive"`
}
