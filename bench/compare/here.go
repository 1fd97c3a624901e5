package compare

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/wactor/wactor/bench/report"
	"github.com/wactor/wactor/bench/store"
)

// Here describes this machine. The folder is where stores will write: its disk is the one whose
// fsync counts.
func Here(folder string, stores []store.Kind) (report.Machine, error) {
	m := report.Machine{
		Cores: runtime.NumCPU(), Go: runtime.Version(), Processor: firstValue("/proc/cpuinfo", "model name"),
		Kernel: firstWord("/proc/sys/kernel/osrelease"),
		Load:   firstWord("/proc/loadavg"),
	}
	var kib int
	if _, err := fmt.Sscan(firstValue("/proc/meminfo", "MemTotal"), &kib); err == nil {
		m.MemoryGiB = (kib + 1<<19) >> 20
	}
	for _, kind := range stores {
		m.Stores = append(m.Stores, store.Version(kind))
	}
	var err error
	m.FsyncMs, err = fsyncMs(folder)
	return m, err
}

// firstValue reads the first "name: value" of a file of the kernel; empty where there is none.
func firstValue(path, name string) string {
	in, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer in.Close()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func firstWord(path string) string {
	all, err := os.ReadFile(path)
	if fields := strings.Fields(string(all)); err == nil && len(fields) > 0 {
		return fields[0]
	}
	return ""
}

// fsyncMs is the median time of an appended KiB with its fsync.
func fsyncMs(folder string) (float64, error) {
	path := filepath.Join(folder, "fsync")
	file, err := os.Create(path)
	if err != nil {
		return 0, fmt.Errorf("compare: %w", err)
	}
	defer os.Remove(path)
	defer file.Close()
	took := make([]time.Duration, 200)
	for i := range took {
		began := time.Now()
		if _, err := file.Write(make([]byte, 1<<10)); err != nil {
			return 0, fmt.Errorf("compare: %w", err)
		}
		if err := file.Sync(); err != nil {
			return 0, fmt.Errorf("compare: %w", err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[len(took)/2].Seconds() * 1000, nil
}
