package machine

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Go runs
// on.
const tick = 10 * time.Millisecond

// stat is what is read of /proc/PID/stat.
type stat struct {
	parent int
	// ticks are those of the process, ended those of its children that have ended and were waited
	// for.
	ticks, ended int64
}

// CPU is the time that processes and all that they started have used: user and system.
func CPU(roots ...int) (time.Duration, error) {
	all, err := stats()
	if err != nil {
		return 0, err
	}
	var used time.Duration
	for id, one := range all {
		if within(all, id, roots) {
			used += one.used(id) + time.Duration(one.ended)*tick
		}
	}
	return used, nil
}

// used is the time of a process without its children: by its own clock, which counts nanoseconds,
// or by its ticks, where it has ended since.
func (s stat) used(id int) time.Duration {
	var clock unix.Timespec
	// The clock of another process: ~id and 3 bits, see clock_getcpuclockid(3).
	if err := unix.ClockGettime(int32(^id<<3|2), &clock); err != nil {
		return time.Duration(s.ticks) * tick
	}
	return time.Duration(clock.Nano())
}

// within says whether a process is one of the roots, or below one.
func within(all map[int]stat, id int, roots []int) bool {
	for range len(all) { // a chain of parents is no longer; ids may be taken anew while they are read
		for _, root := range roots {
			if id == root {
				return true
			}
		}
		one, ok := all[id]
		if !ok || one.parent == 0 {
			return false
		}
		id = one.parent
	}
	return false
}

func stats() (map[int]stat, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("machine: CPU times: %w", err)
	}
	all := map[int]stat{}
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		if one, ok := parseStat(string(line)); ok {
			all[id] = one
		}
	}
	return all, nil
}

// parseStat reads a line as proc(5) describes it. The name, in brackets, may hold brackets and
// blanks.
func parseStat(line string) (one stat, ok bool) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return one, false
	}
	fields := strings.Fields(line[end+1:]) // from the third: state, parent, ...
	if len(fields) < 15 {
		return one, false
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return one, false
	}
	one.parent = parent
	for i, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return one, false
		}
		if i < 2 {
			one.ticks += n
		} else {
			one.ended += n
		}
	}
	return one, true
}
