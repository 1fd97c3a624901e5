//go:build linux

package system_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	_ "github.com/wactor/wactor/node" // so that a result is not taken from the cache when the program has changed
)

// build builds the program, outside of the sandbox, which has no network. The caller removes the folder that it returns.
func build() (string, error) {
	folder, err := os.MkdirTemp("", "wactor-system-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(folder, 0o755); err != nil { // tests of a sandbox with its own users read it
		return "", err
	}
	command := exec.Command("go", "build", "-o", folder+"/", "github.com/wactor/wactor/cmd/wactor")
	if out, err := command.CombinedOutput(); err != nil {
		os.RemoveAll(folder)
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return folder, nil
}

// binary returns the path of the program.
func binary() string { return filepath.Join(os.Getenv(binaryVariable), "wactor") }

// TestBinary runs the program once. It also looks at its sources, so that the go command knows on which files the results of this
// package depend.
func TestBinary(t *testing.T) {
	needSandbox(t)
	sources, err := filepath.Glob("../cmd/wactor/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources of the program: %v", err)
	}
	for _, source := range sources {
		if _, err := os.Stat(source); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(binary(), "version").CombinedOutput(); err != nil {
		t.Fatalf("version: %v\n%s", err, out)
	}
}
