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

// binaryVariable names the program; the process outside of the sandbox sets it, where it is not
// set.
const binaryVariable = "WACTOR_BINARY"

// binary returns the path of the program.
func binary() string { return os.Getenv(binaryVariable) }

// build builds the program, where none is named, and returns its path. It does so outside of the
// sandbox, which has no network. The caller calls remove when it is not needed any more.
func build() (path string, remove func(), err error) {
	if binary() != "" {
		return binary(), func() {}, nil
	}
	folder, err := os.MkdirTemp("", "wactor-system-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(folder) }
	command := exec.Command("go", "build", "-o", folder+"/", "github.com/wactor/wactor/cmd/wactor")
	if out, err := command.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return filepath.Join(folder, "wactor"), remove, nil
}

// TestBinary runs the program once. It also looks at its sources, so that the go command knows on
// which files the results of this package depend.
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
