package node

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// BenchmarkWholePath sends messages of 1, 16 and 256 users at once over HTTP to a node on disk and
// awaits all replies at a Graph API, all in this process: an operation is one message in, one turn,
// one reply out. fsyncs/op is group commit at work, cpu-ns/op what all of it took of the
// processors, client and Graph API too.
func BenchmarkWholePath(b *testing.B) {
	for _, users := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			var replies atomic.Int64
			graph := &http.Server{Handler: emulator.NewGraph("", emulator.Faults{},
				func(emulator.Taken) { replies.Add(1) })}
			n := benchNode(b, "http://"+listen(b, graph), "bot: { flow: flow.yaml }")
			benchWebhooks(b, n, users, users*8, func() {
				for replies.Load() < int64(b.N) {
					time.Sleep(100 * time.Microsecond)
				}
			})
		})
	}
}

// BenchmarkAccept does the same up to the 200: the messages are on disk, and their turns wait for
// quiet that does not come.
func BenchmarkAccept(b *testing.B) {
	const waiting = `bot: { http: { url: "http://127.0.0.1:1/" }, burst: { policy: merge, quiet: 5m, max_wait: 1h, max_messages: 1000 } }`
	for _, users := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			benchWebhooks(b, benchNode(b, "http://127.0.0.1:1", waiting), users, 10_000, func() {})
		})
	}
}

// benchWebhooks posts a message an operation, of so many people and so many at once, and waits for
// their outcome.
func benchWebhooks(b *testing.B, n *Node, atOnce, people int, wait func()) {
	number := emulator.Number{PhoneNumberID: testPhoneNumber, AppSecret: testSecret}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce, MaxIdleConns: atOnce}}
	defer client.CloseIdleConnections()
	const syncs, cpu = "wactor_log_sync_seconds_count", "process_cpu_seconds_total"
	syncsBefore, cpuBefore := metric(b, client, n, syncs), metric(b, client, n, cpu)
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var work sync.WaitGroup
	for range atOnce {
		work.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				body := number.Messages(emulator.Message{
					ID: "wamid." + strconv.FormatInt(i, 36), User: strconv.FormatInt(4915100000000+i%int64(people), 10),
					Name:   "Bench",
					SentMs: time.Now().UnixMilli(), Text: "hello",
				})
				postBench(b, client, n, body, number.Sign(body))
			}
		})
	}
	work.Wait()
	wait()
	b.StopTimer()
	b.ReportMetric((metric(b, client, n, syncs)-syncsBefore)/float64(b.N), "fsyncs/op")
	b.ReportMetric((metric(b, client, n, cpu)-cpuBefore)*1e9/float64(b.N), "cpu-ns/op")
}

func listen(b *testing.B, server *http.Server) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = server.Serve(l); close(done) }()
	b.Cleanup(func() { server.Close(); <-done })
	return l.Addr().String()
}

func benchNode(b *testing.B, graph, bot string) *Node {
	b.Helper()
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flow.yaml"), []byte(counterSource), 0o600); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "wactor.yaml")
	source := fmt.Sprintf(`
node: { name: node-1, data_dir: data }
listen: { http: "127.0.0.1:0", admin: "127.0.0.1:0" }
channels:
  - { name: shop, provider: whatsapp_cloud, phone_number_id: %q, verify_token: v, app_secret: %s, access_token: t, graph_url: %s, bot: bot, pace: off }
bots:
  %s
`, testPhoneNumber, testSecret, graph, bot)
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		b.Fatal(err)
	}
	cfg, err := config.Load(path, os.LookupEnv, Kinds())
	if err != nil {
		b.Fatal(err)
	}
	n, err := Start(cfg, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { n.Close(b.Context()) })
	return n
}

func postBench(b *testing.B, client *http.Client, n *Node, body []byte, signature string) {
	request, err := http.NewRequest(http.MethodPost, "http://"+n.HTTPAddr()+"/webhooks/shop", bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	request.Header.Set(cloudapi.SignatureHeader, signature)
	response, err := client.Do(request)
	if err != nil {
		b.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		b.Errorf("status %d", response.StatusCode)
	}
}

// metric reads one number of the node's metrics.
func metric(b *testing.B, client *http.Client, n *Node, name string) float64 {
	b.Helper()
	response, err := client.Get("http://" + n.AdminAddr() + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				b.Fatal(err)
			}
			return value
		}
	}
	b.Fatalf("no metric %s", name)
	return 0
}
