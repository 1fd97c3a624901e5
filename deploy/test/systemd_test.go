package deploytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wactor/wactor/config"
)

// TestUnitIsValidAndConfined by systemd's own judgement: an exposure of at most 2.5 of 10.
func TestUnitIsValidAndConfined(t *testing.T) {
	analyze := tool(t, "systemd-analyze", "systemd")
	dir := t.TempDir()
	program := filepath.Join(dir, "wactor")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	unit := strings.ReplaceAll(string(read(t, "deploy/systemd/wactor.service")), "/usr/bin/wactor", program)
	path := filepath.Join(dir, "wactor.service")
	if err := os.WriteFile(path, []byte(unit), 0o644); err != nil {
		t.Fatal(err)
	}
	output(t, dir, analyze, "verify", "--man=no", path)
	output(t, dir, analyze, "security", "--offline=true", "--threshold=25", path)
}

// TestConfigurationOfTheUnitIsLoaded with the credentials that the unit loads, and only with those.
func TestConfigurationOfTheUnitIsLoaded(t *testing.T) {
	dir := t.TempDir()
	for _, line := range strings.Split(string(read(t, "deploy/systemd/wactor.service")), "\n") {
		if credential, ok := strings.CutPrefix(line, "LoadCredential="); ok {
			name, _, _ := strings.Cut(credential, ":")
			if err := os.WriteFile(filepath.Join(dir, name), []byte("0123456789abcdef0123456789abcdef\n"),
				0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(root, "deploy/systemd/wactor.yaml")
	env := func(name string) (string, bool) { return dir, name == "CREDENTIALS_DIRECTORY" }
	if _, err := config.Load(path, env, kinds); err != nil {
		t.Error(err)
	}
	text := strings.ReplaceAll(string(read(t, "deploy/systemd/wactor.yaml")), "# cluster:", "cluster:")
	cluster := filepath.Join(dir, "cluster.yaml")
	if err := os.WriteFile(cluster, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := config.Load(cluster, env, kinds); err != nil || c.Cluster.Expect != 3 {
		t.Errorf("the commented line for a cluster: %v", err)
	}
}
