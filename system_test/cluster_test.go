//go:build linux

package system_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A cluster is nodes in a network.
type cluster struct {
	network *network
	members []*member
	folder  string
	shards  int
	secret  string // as it stands in the configuration: one, or a list
	more    string // further lines of the configuration's section cluster
}

// Secrets of a test's cluster.
const (
	adminToken    = "system-test-admin-token"
	clusterSecret = "system-test-cluster-secret"
	appSecret     = "simulate-app-secret"
)

// newCluster makes nodes that do not run yet. Their processes end with the test; where it failed,
// it shows their last lines.
func newCluster(t *testing.T, size int) *cluster {
	t.Helper()
	c := &cluster{network: newNetwork(t), folder: t.TempDir(), shards: 32, secret: clusterSecret}
	t.Cleanup(func() {
		if t.Failed() {
			c.showLogs(t)
		}
		for _, m := range c.members {
			m.kill()
		}
		c.keepLogs(t)
	})
	for range size {
		c.add(t, size)
	}
	return c
}

// startCluster makes a cluster and starts it, all nodes at once.
func startCluster(t *testing.T, size int) *cluster {
	t.Helper()
	c := newCluster(t, size)
	c.start(t)
	return c
}

// start starts all nodes that do not run, and waits until they are ready.
func (c *cluster) start(t *testing.T) {
	t.Helper()
	begin := time.Now()
	for _, m := range c.members {
		if !m.running() {
			m.launch(t)
		}
	}
	for _, m := range c.members {
		m.awaitReady(t)
	}
	t.Logf("%d nodes ready after %v", len(c.members), time.Since(begin).Round(time.Millisecond))
}

// add adds a node, which is to be started. It belongs to a cluster that begins with so many nodes.
func (c *cluster) add(t *testing.T, expect int) *member {
	t.Helper()
	number := len(c.members) + 1
	m := &member{name: fmt.Sprintf("node-%d", number)}
	m.address = c.network.attach(t, m.name, number)
	m.folder = filepath.Join(c.folder, m.name)
	m.config = filepath.Join(m.folder, "wactor.yaml")
	if err := os.MkdirAll(m.dataDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	c.configure(t, m, expect)
	c.members = append(c.members, m)
	c.needSeveral(t, m)
	return m
}

// configure writes a node's configuration, which counts from its next start on.
func (c *cluster) configure(t *testing.T, m *member, expect int) {
	t.Helper()
	if err := os.WriteFile(m.config, []byte(c.configuration(t, m, expect)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// needSeveral skips the test where the program knows no clusters of several nodes.
func (c *cluster) needSeveral(t *testing.T, m *member) {
	t.Helper()
	out, err := exec.Command(binary(), "check", "-c", m.config).CombinedOutput()
	switch {
	case err == nil:
	case strings.Contains(string(out), "this version runs one node"):
		t.Skip("this binary refuses several nodes")
	default:
		t.Fatalf("the configuration of %s: %v\n%s", m.name, err, out)
	}
}

// configuration is that of one node. It names the first nodes, itself among them, as a deployment
// does that has one file for all; that of a node which begins a cluster alone names none.
func (c *cluster) configuration(t *testing.T, m *member, expect int) string {
	t.Helper()
	flow, err := filepath.Abs("../examples/counter/flow.yaml")
	if err != nil {
		t.Fatal(err)
	}
	more := c.more
	if expect > 1 || len(c.members) > 0 && m != c.members[0] {
		var seeds []string
		for i := range expect {
			seeds = append(seeds, fmt.Sprintf(`"10.77.0.%d:%d"`, i+1, gossipPort))
		}
		more += fmt.Sprintf("  join: [%s]\n  expect: %d\n", strings.Join(seeds, ", "), expect)
	}
	return fmt.Sprintf(`
node: { name: %[1]s, data_dir: data }
listen: { http: "%[2]s:8080", admin: "%[2]s:8081" }
admin: { token: %[3]s }
cluster:
  gossip: "%[2]s:%[4]d"
  rpc: "%[2]s:%[5]d"
  advertise: "%[2]s"
  secret: %[6]s
  shards: %[7]d
  replicas: 3
%[8]schannels:
  - name: shop
    provider: whatsapp_cloud
    phone_number_id: "100000000000001"
    verify_token: verify
    app_secret: %[9]s
    access_token: token
    graph_url: http://%[10]s:9090
    bot: counter
    in_doubt: { wait: 1s, max: 1s }
    pace: off
%[12]sbots:
  counter: { flow: %[11]q }
%[13]slimits: { journal: 100000 } # so that every in-doubt reply of a long run can be counted
`, m.name, m.address, adminToken, gossipPort, rpcPort, c.secret, c.shards, more, appSecret, loadAddress, flow, slowChannels(), slowBots())
}

// names returns the names of all nodes.
func (c *cluster) names() []string {
	names := make([]string, len(c.members))
	for i, m := range c.members {
		names[i] = m.name
	}
	return names
}

// keepLogs copies all that the nodes logged to where WACTOR_LOGS says.
func (c *cluster) keepLogs(t *testing.T) {
	folder := os.Getenv("WACTOR_LOGS")
	if folder == "" {
		return
	}
	for _, m := range c.members {
		log, err := os.ReadFile(m.logs())
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, t.Name()+"-"+m.name+".log"), log, 0o600)
		}
		if err != nil {
			t.Logf("keep the log of %s: %v", m.name, err)
		}
	}
}

// showLogs prints how the cluster is, and the last lines of each node.
func (c *cluster) showLogs(t *testing.T) {
	status, _ := c.operator("status").CombinedOutput() // with its reason, where there is none
	t.Logf("the first node says of the cluster:\n%s", status)
	for _, m := range c.members {
		t.Logf("%s logged:\n%s", m.name, m.tail(60))
	}
}
