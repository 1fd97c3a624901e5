package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHealthcheckReportsByStatus: 200 is exit status 0; anything else is 1 and says why.
func TestHealthcheckReportsByStatus(t *testing.T) {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer node.Close()
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"up":                {[]string{"--admin", node.URL}, 0, ""},
		"up, without http":  {[]string{"--admin", strings.TrimPrefix(node.URL, "http://")}, 0, ""},
		"up, but not ready": {[]string{"--admin", node.URL, "--ready"}, 1, "/readyz answers 503"},
		"no node":           {[]string{"--admin", down.URL}, 1, "no node answers"},
		"no address":        {[]string{"--admin", "http://[::1"}, 1, "--admin"},
	} {
		_, problems, code := runMain(t, t.TempDir(), append([]string{"healthcheck"}, c.args...)...)
		if code != c.code || !strings.Contains(problems, c.says) {
			t.Errorf("%s: exit status %d, %q", name, code, problems)
		}
	}
}
