//go:build linux

package system_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// The sandbox is a process with its own network, mounts, process ids and, where the caller is not
// root, users. TestMain runs itself again in one, and all tests run there as process 1: when it
// ends, however it ends, the kernel kills all that it started and takes its networks and mounts
// away. So nothing has to be cleaned up after a panic, a timeout or a kill -9 of the tests, two
// runs at once do not see each other, and no name or address of the machine is touched. Names of
// their own for each run, and the removal of what a dead run left behind, were refused: they need
// to be right, and this can't be wrong.

// systemVariable asks for the tests of this package, which change networks and mounts of their own,
// kill processes, and need the machine for themselves: no test run does that unasked.
const systemVariable = "WACTOR_SYSTEM"

// insideVariable tells a process that it is in the sandbox.
const insideVariable = "WACTOR_SYSTEM_INSIDE"

// refused says why the tests of this package can't run here; empty where they can.
var refused string

// TestMain runs the tests in a sandbox, and without one lets them say why there is none.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(systemVariable) == "":
		refused = "make system runs it, or " + systemVariable + "=1"
	case os.Getenv(insideVariable) != "":
		if err := furnish(); err != nil {
			refused = err.Error()
		}
	case raceDetector:
		refused = "the race detector does not see into the processes under test"
	default:
		code, err := runInside()
		if err == nil {
			os.Exit(code)
		}
		refused = err.Error()
	}
	os.Exit(m.Run())
}

// needSandbox skips a test, or fails it with WACTOR_SYSTEM=require, where there is no sandbox.
func needSandbox(t *testing.T) {
	t.Helper()
	switch {
	case refused == "":
	case os.Getenv(systemVariable) == "require" && !raceDetector:
		t.Fatalf("required, but not possible: %s", refused)
	default:
		t.Skip(refused)
	}
}

// runInside builds the program and runs this test in a sandbox. It returns the test's exit code,
// and an error where there can be no sandbox.
func runInside() (int, error) {
	for _, tool := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			return 0, fmt.Errorf("%s is not installed", tool)
		}
	}
	binary, remove, err := build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, nil
	}
	defer remove()
	old, removeOld := oldProgram()
	defer removeOld()
	// The sandbox ends with the thread that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ended *exec.ExitError
	for _, attributes := range sandboxes() {
		inside := exec.Command("/proc/self/exe", os.Args[1:]...)
		inside.Env = append(os.Environ(), insideVariable+"=1", binaryVariable+"="+binary, oldBinaryVariable+"="+old)
		inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, os.Stdout, os.Stderr
		inside.SysProcAttr = attributes
		switch err = inside.Run(); {
		case err == nil:
			return 0, nil
		case errors.As(err, &ended):
			return max(1, ended.ExitCode()), nil // -1 after a signal
		}
	}
	return 0, fmt.Errorf("namespaces are forbidden: %w", err)
}

// sandboxes returns the ways to make a sandbox, the best first: as root, and as any user who may
// have users of their own.
func sandboxes() []*syscall.SysProcAttr {
	const flags = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID
	mine := func(inside, outside int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: inside, HostID: outside, Size: 1}}
	}
	own := &syscall.SysProcAttr{
		Cloneflags: flags | syscall.CLONE_NEWUSER, Pdeathsig: syscall.SIGKILL,
		UidMappings: mine(0, os.Getuid()), GidMappings: mine(0, os.Getgid()),
	}
	if os.Getuid() != 0 {
		return []*syscall.SysProcAttr{own}
	}
	return []*syscall.SysProcAttr{{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}, own}
}

// furnish prepares the sandbox from inside: mounts that no other process sees, and an own /proc and
// /run.
func furnish() error {
	mounts := []struct {
		source, target, kind string
		flags                uintptr
	}{
		{"none", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
		{"tmpfs", "/run", "tmpfs", syscall.MS_NOSUID | syscall.MS_NODEV}, // for the names of network namespaces
	}
	for _, m := range mounts {
		if err := syscall.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("mounts are forbidden: %s: %w", m.target, err)
		}
	}
	// Makes one and removes it, so that a system that forbids them is not taken for a mistake in a
	// test.
	for _, verb := range []string{"add", "del"} {
		if out, err := exec.Command("ip", "netns", verb, "probe").CombinedOutput(); err != nil {
			return fmt.Errorf("ip netns %s: %w: %s", verb, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
