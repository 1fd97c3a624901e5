// Package deploytest holds what deploy/ ships against the tools that will read it: the chart is
// rendered and decoded into Kubernetes' types, its configuration goes through Wactor's own loader,
// the image is built and run, rules fire and stay silent. It is a module of its own, so that none of
// its dependencies is one of the product.
//
// A test whose tool is not installed is skipped with its name; WACTOR_DEPLOY=require makes it fail
// instead, as in CI.
package deploytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// root is the repository.
const root = "../.."

// tool returns the path of a program, or skips the test.
func tool(t *testing.T, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("WACTOR_DEPLOY") == "require" {
		t.Fatalf("%s is missing: apt-get install %s", name, debianPackage)
	}
	t.Skipf("%s is missing: apt-get install %s", name, debianPackage)
	return ""
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// output runs a program and returns what it prints; anything but success fails the test.
func output(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	command := exec.Command(program, args...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// binary builds the program once, static and without paths of this machine.
func binary(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "wactor")
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", path, "./cmd/wactor")
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}
