package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/internal/freeport"
	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
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

// TestTheLastOfThreeDisksIsRecovered: two of three disks are gone for good. What the third one has
// goes on as a cluster of one, which new nodes join, and what it acknowledged is not run again.
func TestTheLastOfThreeDisksIsRecovered(t *testing.T) {
	needSystem(t)
	p := newPast(t, 3)
	p.startAll()
	p.later.Store(true)
	p.say("one")
	p.want("I one")
	for _, node := range p.nodes {
		node.stopped() // cleanly, so that no reply is in doubt
	}
	for _, node := range p.nodes[1:] {
		if err := os.RemoveAll(dataOf(node)); err != nil {
			t.Fatal(err)
		}
	}
	last := p.nodes[0]
	folder := filepath.Dir(last.config)
	if out, problems, code := runMain(t, folder, "recover"); code != 1 || !strings.Contains(problems, "add --yes") {
		t.Fatalf("without --yes: exit status %d\n%s%s", code, out, problems)
	}
	out, problems, code := runMain(t, folder, "recover", "--yes")
	if code != 0 || !strings.Contains(out, "of its 5 groups this disk held 5, and 0 begin anew") {
		t.Fatalf("exit status %d\n%s%s", code, out, problems)
	}
	reports, _ := filepath.Glob(filepath.Join(dataOf(last), "recovered-*.txt"))
	if len(reports) != 1 {
		t.Fatalf("reports %q", reports)
	}
	report, err := os.ReadFile(reports[0])
	if err != nil || !strings.Contains(string(report),
		"shard 4: what the other 2 replicas acknowledged without this one is missing; last entry ") {
		t.Errorf("the report says\n%s %v", report, err)
	}
	last.launch(t)
	last.awaitReady(t)
	p.post(p.number.Messages(emulator.Message{ID: "wamid.in1", User: player, Text: "one",
		SentMs: time.Now().UnixMilli()}))
	p.say("two")
	p.want("I one", "II two")
	for _, node := range p.nodes[1:] {
		node.start(t)
	}
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		out, _, code := runMain(t, folder, "cluster", "status", "--admin", last.admin)
		if code == 0 && strings.Count(out, "5 of 5") == 3 &&
			strings.Contains(out, "all shards are where they are wanted") {
			break
		}
		if time.Since(begin) > 40*time.Second {
			t.Fatalf("the new nodes do not hold the shards:\n%s", out)
		}
	}
	last.kill()
	p.server = p.nodes[1]
	p.await("another leader", func() bool { return runsOn(p) })
	p.want("I one", "II two", "III three")
}

// runsOn says something, and reports whether it was taken.
func runsOn(p *past) bool {
	body := p.number.Messages(emulator.Message{ID: "wamid.in3", User: player, Text: "three",
		SentMs: time.Now().UnixMilli()})
	request, err := http.NewRequest(http.MethodPost, "http://"+p.http+"/webhooks/shop", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set(cloudapi.SignatureHeader, p.number.Sign(body))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
