//go:build linux

package system_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// oldCommitVariable names the commit that TestUpgrade upgrades from.
	oldCommitVariable = "WACTOR_OLD_COMMIT"
	// oldCommit is that commit otherwise: the first whose data and whose words between nodes must
	// be understood by every later one.
	oldCommit = "056795b"
	// oldBinaryVariable names its program; the process outside of the sandbox sets it.
	oldBinaryVariable = "WACTOR_OLD_BINARY"
)

// oldProgram builds the old program, where none is named, and returns its path: none, and a line on
// stderr, where that is not possible. The caller calls remove when it is not needed any more.
func oldProgram() (path string, remove func()) {
	if path = os.Getenv(oldBinaryVariable); path != "" {
		return path, func() {}
	}
	folder, err := os.MkdirTemp("", "wactor-old-")
	if err == nil {
		path, err = buildOld(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the old version can't be built:", err)
	}
	return path, func() { os.RemoveAll(folder) }
}

// buildOld builds the old program into a folder, from a work tree that it removes again.
func buildOld(folder string) (path string, err error) {
	commit := os.Getenv(oldCommitVariable)
	if commit == "" {
		commit = oldCommit
	}
	tree := filepath.Join(folder, "tree")
	run := func(in string, name string, args ...string) error {
		command := exec.Command(name, args...)
		command.Dir = in
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	if err := run(".", "git", "worktree", "add", "--quiet", "--detach", tree, commit); err != nil {
		return "", err
	}
	defer func() { _ = run(".", "git", "worktree", "remove", "--force", tree) }() // the folder goes at the end anyway
	path = filepath.Join(folder, "wactor-old")
	if err := run(tree, "go", "build", "-o", path, "./cmd/wactor"); err != nil {
		return "", err
	}
	return path, nil
}

// TestUpgrade rolls a cluster of an old version to that of this checkout, node by node under load.
// While both stand side by side a node of each dies. No webhook fails at a stop, and what the old
// version has accepted the new one finishes.
func TestUpgrade(t *testing.T) {
	r := newRounds(t)
	r.several(t)
	old := os.Getenv(oldBinaryVariable)
	if old == "" {
		t.Skip("the old version could not be built: this needs git, and a clone that is not shallow")
	}
	c := newCluster(t, r.nodes)
	for _, m := range c.members {
		m.program = old
	}
	c.start(t)
	c.mustBeOne(t, r.nodes)
	b := newBalancer(t, c)
	l := startLoad(t, b, r, plenty)
	for i, m := range c.members {
		m.stop(t)
		m.program = ""
		m.launch(t)
		t.Logf("%s: upgraded, ready after %v", m.name, m.awaitReady(t).Round(time.Millisecond))
		c.mustBeOne(t, r.nodes) // as an operator waits before going on
		if i == 0 {
			b.mustTakeAll(t)
			for _, victim := range []*member{m, c.members[1]} { // the new one, and an old one
				victim.kill()
				time.Sleep(calm)
				victim.launch(t)
				victim.awaitReady(t)
				c.mustBeOne(t, r.nodes)
			}
		}
	}
	l.mustLast(t)
	l.check(t, c)
}
