package machine

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	line := "42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7"
	if one, ok := parseStat(line); !ok || one != (stat{parent: 7, ticks: 120, ended: 7}) {
		t.Error(one, ok)
	}
	for _, bad := range []string{"", "42 (a", "42 (a) S 7", "42 (a) S x 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20"} {
		if one, ok := parseStat(bad); ok {
			t.Error(bad, one)
		}
	}
}

func TestWithin(t *testing.T) {
	all := map[int]stat{1: {}, 5: {parent: 1}, 6: {parent: 5}, 7: {parent: 8}, 8: {parent: 7}}
	for id, want := range map[int]bool{1: false, 5: true, 6: true, 7: false, 9: false} {
		if within(all, id, []int{5}) != want {
			t.Error(id)
		}
	}
}

func TestCPUCountsLessThanATick(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil || before <= 0 {
		t.Fatal(before, err)
	}
	for fine := false; !fine; { // sooner or later a difference is no multiple of a tick
		after, err := CPU(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		fine = after > before && (after-before)%tick != 0
	}
}

func TestCPUOfChildren(t *testing.T) {
	p, err := Start(Command{Name: "busy", Path: "/bin/sh", Args: []string{"-c", "(while :; do :; done) & wait"},
		Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	err = p.Await(t.Context(), 20*time.Second, func() bool {
		used, err := CPU(p.ID())
		return err == nil && used >= 5*tick
	})
	if err != nil {
		t.Error(err)
	}
}

func TestProcessThatEnds(t *testing.T) {
	p, err := Start(Command{Name: "brief", Path: "/bin/sh", Args: []string{"-c", "echo no licence; exit 3"},
		Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	err = p.Await(t.Context(), 20*time.Second, func() bool { return false })
	if err == nil || !strings.Contains(err.Error(), "no licence") {
		t.Error(err)
	}
	p.Stop() // again
}

func TestFree(t *testing.T) {
	var ports Ports
	one, err1 := ports.Free()
	two, err2 := ports.Free()
	if err1 != nil || err2 != nil || one == two || one < firstPort || one > lastPort {
		t.Error(one, err1, two, err2)
	}
	if Listens(Loopback(one)) {
		t.Error("a free port listens")
	}
	if err := Folder(t.TempDir()+"/a/b", ""); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc")
	}
}
