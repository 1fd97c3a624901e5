package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/internal/freeport"
)

// startCluster starts three nodes of one cluster and waits until it is formed.
func startCluster(t *testing.T) []*server {
	t.Helper()
	flow, err := filepath.Abs("../../examples/counter/flow.yaml")
	if err != nil {
		t.Fatal(err)
	}
	gossip := []string{freeport.Address(t), freeport.Address(t), freeport.Address(t)}
	nodes := make([]*server, len(gossip))
	for i := range nodes {
		s := &server{http: freeport.Address(t), admin: freeport.Address(t), config: filepath.Join(t.TempDir(),
			"wactor.yaml")}
		save(t, s.config, fmt.Sprintf(`
node: { name: node-%d, data_dir: data }
listen: { http: %q, admin: %q }
cluster: { gossip: %q, rpc: %q, join: [%s], expect: 3, shards: 4 }
channels: [{ name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: v, app_secret: s, access_token: t, bot: bot }]
bots: { bot: { flow: %q } }
`, i+1, s.http, s.admin, gossip[i], freeport.Address(t), `"`+strings.Join(gossip, `", "`)+`"`, flow))
		s.launch(t)
		t.Cleanup(s.kill)
		nodes[i] = s
	}
	for _, s := range nodes {
		s.awaitReady(t)
	}
	return nodes
}

// TestOperatorsOfACluster: the commands say what is wrong with a cluster, and prevent likely
// mistakes.
func TestOperatorsOfACluster(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	folder := t.TempDir()
	want := func(node *server, code int, args, text string) {
		t.Helper()
		out, problems, got := runMain(t, folder, append(strings.Fields(args), "--admin", node.admin)...)
		if got != code || !strings.Contains(out+problems, text) {
			t.Errorf("wactor %s: exit status %d, want %d and %q:\n%s%s", args, got, code, text, out, problems)
		}
	}
	want(nodes[0], 0, "cluster status", "all shards are where they are wanted")
	for _, node := range nodes { // only one of them leads the meta group
		want(node, 1, "cluster drain unknown", `wactor: refused: the cluster has no node "unknown"; it has node-1, node-2, node-3`)
	}
	want(nodes[0], 1, "cluster drain node-3", "wactor: refused: with 2 nodes left each shard is kept once")
	want(nodes[0], 1, "cluster remove node-3", "wactor: refused: node node-3 holds")
	for _, node := range nodes {
		want(node, 0, "cluster finalize", "finalized: the cluster writes format ")
		want(node, 0, "healthcheck --quorum --wait 20s", "")
	}
	want(nodes[0], 0, "cluster can stop node-2 --wait 20s", "yes\n")
	want(nodes[0], 0, "cluster can upgrade --wait 20s", "yes\n")
	want(nodes[0], 0, "cluster can scale --to 5", "yes\n")
	want(nodes[0], 2, "cluster can scale --to 2", "no: node-3 holds replicas")
	want(nodes[0], 1, "cluster can stop node-9", "the cluster has no node, or several, of the name node-9")
	nodes[2].kill()
	want(nodes[0], 2, "cluster can upgrade", "node-3 does not answer")
	want(nodes[0], 1, "healthcheck --quorum", "503")
	want(nodes[0], 0, "cluster can stop node-3", "yes\n")
	want(nodes[0], 2, "cluster status", "node-3 does not answer: its 5 replicas are missing\n")
	nodes[1].kill()
	const leaderless = "no leader that could be asked: 4 shards and the meta group\n"
	for begin := time.Now(); ; { // what it led it leads until it misses the others
		out, _, _ := runMain(t, folder, "cluster", "status", "--admin", nodes[0].admin)
		if strings.HasSuffix(out, leaderless) {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("%q was never printed; at last:\n%s", leaderless, out)
		}
	}
	const majority = "wactor: no majority: 2 of the 3 nodes that hold the shard do not answer: node-2, node-3\n"
	for _, args := range []string{"trace 1", "conversations dead-letters 1", "conversations skip 1 1",
		"cluster drain node-3"} {
		want(nodes[0], 1, args, majority)
	}
}
