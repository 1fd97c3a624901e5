//go:build linux

package system_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A member is one node: a namespace with an address, a folder, and a process of `wactor serve`, or
// none.
type member struct {
	name, address  string
	folder, config string
	program        string // binary where it is empty
	process        *process
}

// process is a running program; ended is closed when it has ended.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
	err     error // set before ended is closed
}

func (m *member) http() string  { return m.address + ":8080" }
func (m *member) admin() string { return m.address + ":8081" }
func (m *member) logs() string  { return filepath.Join(m.folder, "log") }

// dataDir is where the node stores everything.
func (m *member) dataDir() string { return filepath.Join(m.folder, "data") }

// launch starts the process, and does not wait until it serves.
func (m *member) launch(t *testing.T) {
	t.Helper()
	if m.running() {
		t.Fatalf("%s runs already", m.name)
	}
	log, err := os.OpenFile(m.logs(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	program := m.program
	if program == "" {
		program = binary()
	}
	command := inside(m.name, program, "serve", "-c", m.config)
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{command: command, ended: make(chan struct{})}
	go func() {
		p.err = command.Wait()
		close(p.ended)
	}()
	m.process = p
}

// running reports whether there is a process that has not ended.
func (m *member) running() bool {
	if m.process == nil {
		return false
	}
	select {
	case <-m.process.ended:
		return false
	default:
		return true
	}
}

// ready reports whether the node says that webhooks may be sent to it.
func (m *member) ready(ctx context.Context) bool {
	return m.readiness(ctx, time.Second) == http.StatusOK
}

// readiness is how the node answers whether webhooks may be sent to it; 0 where it does not answer
// in time.
func (m *member) readiness(ctx context.Context, within time.Duration) int {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.admin()+"/readyz", nil)
	if err != nil {
		return 0
	}
	response, err := probes.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// probes asks nodes how they are. It keeps no connections, which would not tell that a node can be
// reached now.
var probes = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// awaitReady returns how long it took until the node is ready, and fails the test where that takes
// too long.
func (m *member) awaitReady(t *testing.T) time.Duration {
	t.Helper()
	begin := time.Now()
	for !m.ready(t.Context()) {
		if !m.running() {
			t.Fatalf("%s ended before it was ready: %v", m.name, m.process.err)
		}
		if time.Since(begin) > patience(time.Minute) {
			t.Fatalf("%s does not get ready", m.name)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begin)
}

// kill ends the process as a crash does; it does nothing where there is none.
func (m *member) kill() { m.end(syscall.SIGKILL) }

// stop ends the process as an operator does, and returns how long that took.
func (m *member) stop(t *testing.T) time.Duration {
	t.Helper()
	begin := time.Now()
	if err := m.end(syscall.SIGTERM); err != nil {
		t.Errorf("%s was stopped: %v", m.name, err)
	}
	return time.Since(begin)
}

func (m *member) end(signal syscall.Signal) error {
	if m.process == nil {
		return nil
	}
	_ = m.process.command.Process.Signal(signal) // it may have ended by itself
	select {
	case <-m.process.ended:
		return m.process.err
	case <-time.After(time.Minute):
		_ = m.process.command.Process.Kill()
		<-m.process.ended
		return fmt.Errorf("it did not end within a minute of %v", signal)
	}
}

// pause lets the process stand still, with all its connections open and no process behind them,
// until it is resumed. It returns when the last of its threads has stopped: the signal is only on
// its way when it was sent, and a busy machine takes its time.
func (m *member) pause(t *testing.T) {
	t.Helper()
	m.signal(t, syscall.SIGSTOP)
	begin := time.Now()
	for !m.paused() {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%s does not stand still", m.name)
		}
		time.Sleep(time.Millisecond)
	}
}

// paused reports whether all threads of the process stand still.
func (m *member) paused() bool {
	stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", m.process.command.Process.Pid))
	for _, file := range stats {
		stat, _ := os.ReadFile(file)
		// The state follows the program's name, which is in parentheses and may hold some itself
		// (proc(5)).
		if fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]); len(fields) == 0 ||
			string(fields[0]) != "T" {
			return false
		}
	}
	return len(stats) > 0
}

func (m *member) resume(t *testing.T) { m.signal(t, syscall.SIGCONT) }

func (m *member) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := m.process.command.Process.Signal(signal); err != nil {
		t.Fatalf("%s: %v: %v", m.name, signal, err)
	}
}

// tail returns the last lines that the node logged.
func (m *member) tail(lines int) []byte {
	log, err := os.ReadFile(m.logs())
	if err != nil {
		return []byte(err.Error())
	}
	for at := len(log) - 1; at > 0; at-- {
		if at = bytes.LastIndexByte(log[:at], '\n'); at < 0 {
			break
		}
		if lines--; lines == 0 {
			return log[at+1:]
		}
	}
	return log
}
