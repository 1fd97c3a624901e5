package deploytest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write deploy/grafana from docs/metrics.md")

const dashboardFile = "deploy/grafana/wactor.json"

// metric is a row of a table of docs/metrics.md.
type metric struct {
	section, name, kind, meaning string
	labels                       []string
}

func listedMetrics(t *testing.T) []metric {
	t.Helper()
	var found []metric
	section := ""
	for line := range strings.Lines(string(read(t, "docs/metrics.md"))) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(title)
		}
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		if !strings.HasPrefix(line, "| `wactor_") || len(cells) != 4 {
			continue
		}
		m := metric{section, strings.Trim(cells[0], " `"), strings.TrimSpace(cells[1]), strings.TrimSpace(cells[3]), nil}
		for _, label := range regexp.MustCompile("`(\\w+)`:").FindAllStringSubmatch(cells[2], -1) {
			m.labels = append(m.labels, label[1])
		}
		found = append(found, m)
	}
	if len(found) < 20 {
		t.Fatalf("docs/metrics.md lists only %d metrics", len(found))
	}
	return found
}

// object is a piece of Grafana's JSON.
type object map[string]any

// dashboard shows every metric of the page, a row for each of its sections. It uses the classic
// schema, which all Grafana versions since 8 import, and a variable for the data source.
func dashboard(metrics []metric) object {
	source := object{"type": "prometheus", "uid": "${datasource}"}
	var panels []object
	id, y, x, section := 0, 0, 0, ""
	add := func(panel object) {
		id++
		panel["id"] = id
		panels = append(panels, panel)
	}
	for _, m := range metrics {
		if m.section != section {
			if x > 0 {
				y, x = y+8, 0
			}
			section = m.section
			add(object{"type": "row", "title": section, "collapsed": false, "gridPos": object{"h": 1, "w": 24, "x": 0,
				"y": y}, "panels": []object{}})
			y++
		}
		var targets []object
		for i, q := range queries(m) {
			targets = append(targets, object{"refId": string(rune('A' + i)), "expr": q[0], "legendFormat": q[1],
				"datasource": source})
		}
		add(object{
			"type": "timeseries", "title": title(m), "description": strings.ReplaceAll(m.meaning, "`", ""), "datasource": source, "targets": targets,
			"gridPos": object{"h": 8, "w": 8, "x": x, "y": y},
			"fieldConfig": object{"defaults": object{"unit": unit(m), "min": 0, "custom": object{"fillOpacity": 8,
				"showPoints": "never"}}, "overrides": []object{}},
			"options": object{"legend": object{"displayMode": "list", "placement": "bottom"},
				"tooltip": object{"mode": "multi"}},
		})
		if x += 8; x == 24 {
			y, x = y+8, 0
		}
	}
	return object{
		"title": "Wactor", "uid": "wactor", "tags": []string{"wactor"}, "schemaVersion": 39, "version": 1,
		"editable": true, "refresh": "30s",
		"time": object{"from": "now-3h", "to": "now"}, "timezone": "browser", "panels": panels,
		"templating": object{"list": []object{
			{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0},
			{"name": "instance", "label": "Node", "type": "query", "datasource": source,
				"query":   "label_values(wactor_webhooks_total, instance)",
				"refresh": 2, "includeAll": true, "multi": true, "allValue": ".*", "current": object{"text": "All",
					"value": "$__all"}},
		}},
	}
}

// queries are the expressions of a metric's panel, each with its legend.
func queries(m metric) [][2]string {
	const where = `{instance=~"$instance"}`
	by, legend := "instance", "{{instance}}"
	if len(m.labels) > 0 {
		by, legend = strings.Join(m.labels, ", "), "{{"+strings.Join(m.labels, "}} {{")+"}}"
	}
	switch m.kind {
	case "counter":
		return [][2]string{{fmt.Sprintf("sum by (%s) (rate(%s%s[$__rate_interval]))", by, m.name, where), legend}}
	case "histogram":
		var all [][2]string
		for _, q := range []string{"0.5", "0.99"} {
			all = append(all, [2]string{fmt.Sprintf("histogram_quantile(%s, sum by (le) "+
				"(rate(%s_bucket%s[$__rate_interval])))", q, m.name, where), "p" + strings.TrimPrefix(q+"0", "0.")[:2]})
		}
		return all
	}
	return [][2]string{{fmt.Sprintf("sum by (%s) (%s%s)", by, m.name, where), legend}}
}

func title(m metric) string {
	words := strings.Split(strings.TrimSuffix(strings.TrimPrefix(m.name, "wactor_"), "_total"), "_")
	text := strings.Join(words, " ")
	if m.kind == "counter" {
		text += " per second"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func unit(m metric) string {
	switch {
	case strings.HasSuffix(m.name, "_seconds"):
		return "s"
	case strings.HasSuffix(m.name, "_bytes"):
		return "bytes"
	case m.kind == "counter":
		return "ops"
	}
	return "short"
}

// TestDashboardIsGenerated from the list of metrics; -update writes it.
func TestDashboardIsGenerated(t *testing.T) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(dashboard(listedMetrics(t))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, dashboardFile)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, text.Bytes()) {
		t.Errorf("%s is not what docs/metrics.md says: run make dashboards", dashboardFile)
	}
}

// TestDashboardExpressionsAreValid by Prometheus' own parser.
func TestDashboardExpressionsAreValid(t *testing.T) {
	promtool := tool(t, "promtool", "prometheus")
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	for i, m := range listedMetrics(t) {
		for k, q := range queries(m) {
			expression := strings.NewReplacer("$__rate_interval", "1m", "$instance", ".*").Replace(q[0])
			fmt.Fprintf(&rules, "      - record: panel:%d:%d\n        expr: '%s'\n", i, k, expression)
		}
	}
	path := filepath.Join(t.TempDir(), "panels.yaml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	output(t, root, promtool, "check", "rules", path)
}
