package node

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

const (
	metricsPage = "../docs/metrics.md"
	clusterOnly = "In a cluster"
)

// metricUsers are the files that name metrics: a renamed one is renamed there too.
var metricUsers = []string{"../deploy/prometheus/rules.yaml", "../deploy/prometheus/rules.test.yaml",
	"../deploy/helm/wactor/rules.yaml", "../deploy/grafana/wactor.json"}

// TestMetricsPage: docs/metrics.md has each metric of a node with its type, labels and the values
// that are set from the start, has no other one, and alerts on nothing else.
func TestMetricsPage(t *testing.T) {
	listed := readMetricsPage(t)
	alone, clustered := map[string]string{}, map[string]string{}
	for name, row := range listed {
		clustered[name] = row.labels
		if row.section != clusterOnly {
			alone[name] = row.labels
		}
	}
	for _, one := range []struct {
		settings string
		want     map[string]string
	}{{"", alone}, {"cluster: { gossip: 127.0.0.1:0, rpc: 127.0.0.1:0 }", clustered}} {
		w := newWorld(t)
		n := w.start(w.counter(one.settings))
		w.send(n, "4915100000001", "wamid.1", "hello")
		w.await("4915100000001", 1)
		if diff := cmp.Diff(one.want, described(t, n)); diff != "" {
			t.Errorf("%s differs from a node with %q (-page +node):\n%s", metricsPage, one.settings, diff)
		}
		checkSeries(t, n, listed)
		w.stop(n)
	}
	for _, file := range append([]string{metricsPage}, metricUsers...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`wactor_\w+`).FindAllString(string(text), -1) {
			if _, ok := listed[regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")]; !ok {
				t.Errorf("%s speaks of %s, which has no row in %s", file, name, metricsPage)
			}
		}
	}
}

// TestMetricsAskForToken: health is everybody's to ask for, metrics are not.
func TestMetricsAskForToken(t *testing.T) {
	w := newWorld(t)
	n := w.start(w.counter("admin: { token: 0123456789abcdef }"))
	for path, want := range map[string]int{"/metrics": http.StatusUnauthorized, "/healthz": http.StatusOK,
		"/readyz": http.StatusOK} {
		if got, _ := w.get(n, path); got != want {
			t.Errorf("%s without the token: %d, want %d", path, got, want)
		}
	}
	if got, _ := w.get(n, "/metrics", "Authorization", "Bearer 0123456789abcdef"); got != http.StatusOK {
		t.Errorf("/metrics with the token: %d", got)
	}
}

// metricRow is one row of a table of the page.
type metricRow struct{ section, kind, labels, text string }

func readMetricsPage(t *testing.T) map[string]metricRow {
	t.Helper()
	data, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	rows, section := map[string]metricRow{}, ""
	for line := range strings.Lines(string(data)) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(title)
		}
		if !strings.HasPrefix(line, "| `wactor_") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := strings.Trim(cells[0], "`")
		if _, twice := rows[name]; twice || len(cells) != 4 {
			t.Fatalf("%s: %s has another row, or no name, type, labels and meaning", metricsPage, name)
		}
		var labels []string
		for _, label := range regexp.MustCompile("`(\\w+)`:").FindAllStringSubmatch(cells[2], -1) {
			labels = append(labels, label[1])
		}
		rows[name] = metricRow{section, cells[1], strings.Join(labels, ","), cells[2]}
	}
	return rows
}

// described are the metrics of a node and their labels, those without a series yet too.
func described(t *testing.T, n *Node) map[string]string {
	t.Helper()
	descriptions := make(chan *prometheus.Desc, 1000)
	n.registry.Describe(descriptions)
	close(descriptions)
	parts := regexp.MustCompile(`fqName: "(\w+)", .*, constLabels: \{(.*?)\}, variableLabels: \{(.*?)\}`)
	value := regexp.MustCompile(`="[^"]*"`)
	names := map[string]string{}
	for d := range descriptions {
		found := parts.FindStringSubmatch(d.String()) // the registry tells names in no other way
		if found == nil {
			t.Fatalf("a description of another form: %s", d)
		}
		if strings.HasPrefix(found[1], "wactor_") {
			names[found[1]] = strings.Trim(value.ReplaceAllString(found[2], "")+","+found[3], ",")
		}
	}
	return names
}

// checkSeries compares the series that a node has with the types and the values of labels on the
// page.
func checkSeries(t *testing.T, n *Node, listed map[string]metricRow) {
	t.Helper()
	families, err := n.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	words := func(text string) []string {
		return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("`*:, ", r) })
	}
	for _, family := range families {
		row, ok := listed[family.GetName()]
		if !ok {
			continue // of Go, or missed above
		}
		if kind := strings.ToLower(family.GetType().String()); kind != row.kind {
			t.Errorf("%s is a %s, the page says %s", family.GetName(), kind, row.kind)
		}
		for _, series := range family.Metric {
			for _, label := range series.Label {
				free := slices.Contains([]string{"channel", "bot", "version", "goversion"}, label.GetName())
				if !free && !slices.Contains(words(row.text), label.GetValue()) {
					t.Errorf("%s: the page lacks %s=%q", family.GetName(), label.GetName(), label.GetValue())
				}
			}
		}
	}
}

// TestLettersAndAgesAreGauges: dead letters are counted from the disk when a leadership comes and
// with each change, what waits has an age, and each duplicate is counted at once.
func TestLettersAndAgesAreGauges(t *testing.T) {
	var failing atomic.Bool
	failing.Store(true)
	program := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if failing.Load() {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(rw, `{"replies":[{"text":"done"}]}`)
	}))
	defer program.Close()
	w := newWorld(t)
	cfg := w.config(fmt.Sprintf("  bot: { http: { url: %q } }", program.URL))
	n := w.start(cfg)
	for i := range 3 {
		w.send(n, fmt.Sprintf("491510000000%d", i), fmt.Sprintf("wamid.%d", i), "hello")
	}
	w.gauge(n, `wactor_open_dead_letters{channel="shop"}`, 3)
	w.send(n, "4915100000000", "wamid.0", "hello")
	w.gauge(n, `wactor_duplicates_total{channel="shop"}`, 1)
	w.stop(n)

	n = w.start(cfg)
	w.gauge(n, `wactor_open_dead_letters{channel="shop"}`, 3)
	failing.Store(false)
	client := wactorv1connect.NewAdminServiceClient(w.client, "http://"+n.AdminAddr())
	if _, err := client.Retry(context.Background(),
		connect.NewRequest(&wactorv1.RetryRequest{User: "4915100000000", Seq: 1})); err != nil {
		t.Fatal(err)
	}
	w.gauge(n, `wactor_open_dead_letters{channel="shop"}`, 2)
	w.gauge(n, `wactor_end_to_end_seconds_count{bot="bot",channel="shop"}`, 1)
	w.gauge(n, `wactor_bot_breaker_state{bot="bot"}`, 0)
	program.Close()
	for i := range 12 { // as many as open the breaker
		w.send(n, fmt.Sprintf("49151000001%02d", i), fmt.Sprintf("wamid.later.%d", i), "hello")
	}
	w.gauge(n, `wactor_bot_breaker_state{bot="bot"}`, 2)
	w.gauge(n, `wactor_oldest_reply_seconds{channel="shop"}`, 0)
	w.metric(n, `wactor_oldest_message_seconds{channel="shop"}`, func(age float64) bool { return age > 0.2 && age < 20 })
}

// gauge waits until a series has a value.
func (w *world) gauge(n *Node, series string, want float64) {
	w.t.Helper()
	w.metric(n, series, func(got float64) bool { return got == want })
}

// metric waits until a series has a value that fits.
func (w *world) metric(n *Node, series string, fits func(float64) bool) {
	w.t.Helper()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`)
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		_, text := w.get(n, "/metrics")
		found := line.FindStringSubmatch(text)
		if found != nil {
			if got, err := strconv.ParseFloat(found[1], 64); err == nil && fits(got) {
				return
			}
		}
		if time.Since(began) > 20*time.Second {
			w.t.Fatalf("%s is %v", series, found)
		}
	}
}
