package deploytest

import (
	"path/filepath"
	"regexp"
	"testing"
)

// TestRulesFireAndStaySilent: each alert, by Prometheus' own tool.
func TestRulesFireAndStaySilent(t *testing.T) {
	promtool := tool(t, "promtool", "prometheus")
	dir := filepath.Join(root, "deploy/prometheus")
	output(t, dir, promtool, "check", "rules", "rules.yaml")
	output(t, dir, promtool, "test", "rules", "rules.test.yaml")
	names := regexp.MustCompile(`(?m)^ *- alert: (\w+)$`).FindAllStringSubmatch(string(read(t, "deploy/prometheus/rules.yaml")), -1)
	page, tests := string(read(t, "docs/metrics.md")), string(read(t, "deploy/prometheus/rules.test.yaml"))
	for _, name := range names {
		if !regexp.MustCompile("(?m)^\\| `" + name[1] + "` \\| .+ \\| .+ \\|$").MatchString(page) {
			t.Errorf("docs/metrics.md does not say what to do about %s", name[1])
		}
		if n := len(regexp.MustCompile(`alertname: `+name[1]+`\b`).FindAllString(tests, -1)); n != 2 {
			t.Errorf("%s is tested %d times, want once silent and once firing", name[1], n)
		}
	}
}
