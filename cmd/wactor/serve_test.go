package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wactor/wactor/internal/freeport"
)

// TestDataInUse: the error of a second node over the same data says what to do.
func TestDataInUse(t *testing.T) {
	first := newServer(t)
	first.start(t)
	source, err := os.ReadFile(first.config)
	if err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(filepath.Dir(first.config), "second.yaml")
	moved := strings.NewReplacer(first.http, freeport.Address(t), first.admin,
		freeport.Address(t)).Replace(string(source))
	if err := os.WriteFile(second, []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	process := exec.Command(os.Args[0], "serve", "-c", second)
	process.Env = append(os.Environ(), "WACTOR_TEST_MAIN=1")
	if out, err := process.CombinedOutput(); err == nil || !strings.Contains(string(out), "node.data_dir") {
		t.Errorf("%v: %s", err, out)
	}
}
