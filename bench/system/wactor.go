package system

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/wactor/wactor/bench/machine"
)

// node are the addresses of one node of Wactor.
type node struct{ http, admin, gossip, rpc string }

// wactor says how one node, or the nodes of a cluster, are started. Everything is as by default,
// but for the pace, which keeps below the provider's limits (the strategies have none), and for how
// long a reply of unknown fate waits for a status, so that a run after a kill ends soon.
func (r *Running) wactor(count int) error {
	nodes := make([]node, count)
	for i := range nodes {
		for _, address := range []*string{&nodes[i].http, &nodes[i].admin, &nodes[i].gossip, &nodes[i].rpc} {
			port, err := r.options.Ports.Free()
			if err != nil {
				return err
			}
			*address = machine.Loopback(port)
		}
	}
	for i, n := range nodes {
		path := r.path(fmt.Sprintf("node-%d.yaml", i+1))
		if err := os.WriteFile(path, []byte(r.config(nodes, i)), 0o600); err != nil {
			return err
		}
		r.commands = append(r.commands, server{
			command: machine.Command{Name: fmt.Sprintf("node-%d", i+1), Path: r.options.Wactor, Args: []string{"serve",
				"-c", path}, Folder: r.folder},
			address: n.http, ready: func() bool { return answers200("http://" + n.admin + "/readyz") },
		})
	}
	return nil
}

// config is the configuration of one node.
func (r *Running) config(nodes []node, i int) string {
	o := r.options
	cluster := ""
	if len(nodes) > 1 {
		var join []string
		for _, n := range nodes {
			join = append(join, fmt.Sprintf("%q", n.gossip))
		}
		cluster = fmt.Sprintf("cluster: { gossip: %q, rpc: %q, advertise: 127.0.0.1, join: [%s], expect: %d, secret: "+
			"compare-cluster-secret }\n",
			nodes[i].gossip, nodes[i].rpc, strings.Join(join, ", "), len(nodes))
	}
	limits := ""
	if o.Active > 0 {
		limits = fmt.Sprintf("limits: { active_conversations: %d }\n", o.Active)
	}
	return fmt.Sprintf(`node: { name: node-%d, data_dir: data-%d }
listen: { http: %q, admin: %q }
%s%schannels:
  - name: shop
    provider: whatsapp_cloud
    phone_number_id: %q
    verify_token: verify
    app_secret: %q
    access_token: %q
    graph_url: http://%s/v26.0
    bot: counter
    in_doubt: { wait: 1s, max: 1s }
    pace: off
bots:
  counter: { flow: %q }
`, i+1, i+1, nodes[i].http, nodes[i].admin, limits, cluster, o.PhoneNumberID, o.AppSecret, o.AccessToken, o.Graph,
		o.Flow)
}

// probe asks whether a node is ready, and gives up soon.
var probe = http.Client{Timeout: 2 * time.Second}

func answers200(url string) bool {
	response, err := probe.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
