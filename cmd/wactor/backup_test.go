package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"filippo.io/age"

	"github.com/wactor/wactor/backup"
	"github.com/wactor/wactor/internal/freeport"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
	"github.com/wactor/wactor/provider/cloudapi"
)

// disaster is a cluster of three that is backed up, destroyed and restored.
type disaster struct {
	t               *testing.T
	nodes           []*server
	gossip, rpc     []string
	graph           string
	target, keyFile string
	recipient       string

	mu sync.Mutex
	// acked are the messages that were answered by 200, with the time of the answer.
	acked map[string]time.Time
	// before and after count by id the replies that left before and after the restore.
	before, after map[string]int
	restored      bool
}

const disasterUsers = 150

func newDisaster(t *testing.T) *disaster {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	d := &disaster{t: t, graph: freeport.Address(t), target: "file://" + filepath.Join(folder, "backups"),
		keyFile: filepath.Join(folder, "key.txt"), recipient: key.Recipient().String(),
		acked: map[string]time.Time{}, before: map[string]int{}, after: map[string]int{}}
	save(t, d.keyFile, key.String())
	for range 3 {
		d.gossip, d.rpc = append(d.gossip, freeport.Address(t)), append(d.rpc, freeport.Address(t))
		d.nodes = append(d.nodes, &server{http: freeport.Address(t), admin: freeport.Address(t), graph: d.graph})
	}
	listener, err := net.Listen("tcp", d.graph)
	if err != nil {
		t.Fatal(err)
	}
	graph := &http.Server{Handler: http.HandlerFunc(d.take), ReadHeaderTimeout: time.Minute}
	go func() { _ = graph.Serve(listener) }()
	t.Cleanup(func() { _ = graph.Close() })
	return d
}

// take is the provider: it takes each reply.
func (d *disaster) take(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ID string `json:"biz_opaque_callback_data"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	d.mu.Lock()
	if body.ID != "" && d.restored {
		d.after[body.ID]++
	} else if body.ID != "" {
		d.before[body.ID]++
	}
	d.mu.Unlock()
	fmt.Fprintf(w, `{"messaging_product":"whatsapp","messages":[{"id":"wamid.out%d"}]}`, rand.Uint64())
}

// launch starts a node, with these keys of its cluster.
func (d *disaster) launch(i int, keys string) {
	d.t.Helper()
	flow, err := filepath.Abs("../../examples/counter/flow.yaml")
	if err != nil {
		d.t.Fatal(err)
	}
	more := fmt.Sprintf("cluster: { gossip: %q, rpc: %q, shards: 8, %s }\nbackup: { to: %q, rate: 64KiB, encrypt: "+
		"{ recipients: [%s] } }\n", d.gossip[i], d.rpc[i], keys, d.target, d.recipient)
	d.nodes[i].configure(d.t, fmt.Sprintf("node-%d", i+1), more, fmt.Sprintf("{ flow: %q }", flow), "pace: off")
	d.nodes[i].launch(d.t)
}

// load posts messages until ctx ends, each to any node, again until it is answered by 200.
func (d *disaster) load(ctx context.Context) (wait func()) {
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				d.post(ctx, fmt.Sprintf("49151%08d", rand.IntN(disasterUsers)), fmt.Sprintf("wamid.%d.%d", worker, n))
				time.Sleep(15 * time.Millisecond)
			}
		})
	}
	return workers.Wait
}

func (d *disaster) post(ctx context.Context, user, id string) {
	body := fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",`+
		`"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":`+
		`"100000000000001"},"contacts":[{"profile":{"name":"A"},"wa_id":%q}],"messages":[{"from":%q,"id":%q,`+
		`"timestamp":"%d","type":"text","text":{"body":"x"}}]}}]}]}`, user, user, id, time.Now().Unix())
	for ctx.Err() == nil {
		node := d.nodes[rand.IntN(len(d.nodes))]
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+node.http+"/webhooks/shop",
			bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		request.Header.Set(cloudapi.SignatureHeader, cloudapi.Sign("simulate-app-secret", body))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			d.mu.Lock()
			d.acked[user+" "+id] = time.Now()
			d.mu.Unlock()
			return
		}
	}
}

// run runs a command of the program that must succeed.
func (d *disaster) run(args ...string) string {
	d.t.Helper()
	out, problems, code := runMain(d.t, d.t.TempDir(), args...)
	if code != 0 {
		d.t.Fatalf("wactor %s: exit status %d\n%s%s", strings.Join(args, " "), code, out, problems)
	}
	return out
}

func (d *disaster) admin(node *server) wactorv1connect.AdminServiceClient {
	return wactorv1connect.NewAdminServiceClient(http.DefaultClient, "http://"+node.admin)
}

// metaLeader is the leader of the meta group.
func (d *disaster) metaLeader() int {
	d.t.Helper()
	status, err := d.admin(d.nodes[0]).ClusterStatus(d.t.Context(),
		connect.NewRequest(&wactorv1.ClusterStatusRequest{}))
	if err != nil {
		d.t.Fatal(err)
	}
	for i := range d.nodes {
		if status.Msg.Shards[0].Leader == fmt.Sprintf("node-%d", i+1) {
			return i
		}
	}
	d.t.Fatal("the meta group has no leader")
	return 0
}

// TestARestoredClusterHasAllThatWasAcknowledged: under load a cluster of three is backed up while
// the leader of the meta group is killed, all its disks are wiped, and one node is restored and
// grows to three. All that was acknowledged before the cut is there, and no reply leaves again.
func TestARestoredClusterHasAllThatWasAcknowledged(t *testing.T) {
	needSystem(t)
	d := newDisaster(t)
	join := fmt.Sprintf("join: [%q, %q, %q]", d.gossip[0], d.gossip[1], d.gossip[2])
	for i := range d.nodes {
		d.launch(i, join+", expect: 3")
	}
	for _, node := range d.nodes {
		node.awaitReady(t)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := d.load(ctx)
	time.Sleep(4 * time.Second)
	leader := d.metaLeader()
	killed := time.AfterFunc(2*time.Second, d.nodes[leader].kill)
	defer killed.Stop()
	// The backup that the kill interrupts fails and leaves none; the next one is whole.
	asked := d.nodes[(leader+1)%3]
	begin := time.Now()
	for tries := 1; ; tries++ {
		out, problems, code := runMain(t, t.TempDir(), "backup", "create", "--admin", asked.admin)
		t.Logf("after %v: exit status %d: %s%s", time.Since(begin), code, out, problems)
		if code == 0 && time.Since(begin) > 3*time.Second {
			break
		}
		if tries == 10 {
			t.Fatal("no backup was made")
		}
	}
	time.Sleep(time.Second) // what is accepted now is lost
	for _, node := range d.nodes {
		node.kill()
	}
	cancel()
	wait()
	d.run("backup", "verify", d.target, "--level", "audit", "--identity", d.keyFile)
	if listed := d.run("backup", "list", d.target); strings.Count(listed, "true") < 1 {
		t.Errorf("listed: %s", listed)
	}
	target, err := backup.OpenTarget(d.target)
	if err != nil {
		t.Fatal(err)
	}
	m, err := backup.Find(t.Context(), target, backup.Latest)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.restored = true
	d.mu.Unlock()
	d.launch(0, "join: []")
	d.nodes[0].kill() // configured anew: its folder is another one, and empty
	data := dataOf(d.nodes[0])
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	t.Log(d.run("restore", d.target, "--data", data, "--identity", d.keyFile))
	if _, problems, code := runMain(t, t.TempDir(), "restore", d.target, "--data", data, "--identity",
		d.keyFile); code != 1 || !strings.Contains(problems, "is not empty: nothing was changed") {
		t.Errorf("a restore over data: exit status %d, %s", code, problems)
	}
	d.nodes[0].start(t)
	for _, i := range []int{1, 2} {
		d.launch(i, join)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
		out, _, code := runMain(t, t.TempDir(), "cluster", "status", "--admin", d.nodes[2].admin)
		if code == 0 && strings.Contains(out, "node-3") &&
			strings.Contains(out, "all shards are where they are wanted") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the cluster does not grow:\n%s", out)
		}
	}
	d.check(m.TakenAt)
}

// check reads every timeline, and compares it with what was acknowledged before the cut.
func (d *disaster) check(takenAt time.Time) {
	d.t.Helper()
	accepted := map[string]bool{}
	for user := range disasterUsers {
		name := fmt.Sprintf("49151%08d", user)
		response, err := d.admin(d.nodes[1]).Trace(d.t.Context(),
			connect.NewRequest(&wactorv1.TraceRequest{User: name}))
		if err != nil {
			d.t.Fatal(err)
		}
		for _, c := range response.Msg.Conversations {
			if len(c.Violations) > 0 || len(c.Waiting) > 0 && c.Inbox+c.Outbox > 0 {
				d.t.Errorf("user %d: %s, %v, %v", user, c.Verdict, c.Violations, c.Waiting)
			}
			for _, e := range c.Entries {
				if e.Kind == wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED {
					accepted[name+" "+e.MessageId] = true
				}
			}
		}
	}
	must, lost := 0, 0
	for id, at := range d.acked {
		if at.Before(takenAt) {
			if must++; !accepted[id] {
				lost++
			}
		}
	}
	if lost > 0 || must == 0 || len(d.acked) == must {
		d.t.Errorf("%d of %d messages that were acknowledged before the cut are lost, of %d", lost, must, len(d.acked))
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	defer cancel()
	for user := range 50 {
		d.post(ctx, fmt.Sprintf("49151%08d", user), fmt.Sprintf("wamid.after.%d", user))
	}
	time.Sleep(2 * time.Second)
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, times := range d.after {
		if times > 1 || d.before[id] > 0 {
			d.t.Errorf("reply %s left %d times before and %d times after the restore", id, d.before[id], times)
		}
	}
	if len(d.after) != 50 {
		d.t.Errorf("%d replies left after the restore, want those to 50 messages", len(d.after))
	}
	d.t.Logf("%d of %d messages were acknowledged before the cut", must, len(d.acked))
}
