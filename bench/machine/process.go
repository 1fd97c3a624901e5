// Package machine starts, measures and ends the processes of a comparison. Whatever it started ends
// with the program that started it, however that ends.
package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Command says what to start.
type Command struct {
	// Name names the log.
	Name string
	// Path and Args are what is started.
	Path string
	Args []string
	// Env is added to that of this program.
	Env []string
	// Folder is where the log is written, and where it runs.
	Folder string
	// User runs it, where this program is root and the user exists: some servers refuse root. Empty
	// is the user of this program.
	User string
	// Stop is the signal that ends it. Default SIGTERM.
	Stop syscall.Signal
}

// Process is a started Command, in a process group of its own.
type Process struct {
	command Command
	run     *exec.Cmd
	log     *os.File
	done    chan struct{}
}

// stopWithin is how long a process may take to end before it is killed.
const stopWithin = 15 * time.Second

// Start starts a command.
func Start(c Command) (*Process, error) {
	if c.Stop == 0 {
		c.Stop = syscall.SIGTERM
	}
	log, err := os.OpenFile(filepath.Join(c.Folder, c.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("machine: %s: %w", c.Name, err)
	}
	p := &Process{command: c, log: log, done: make(chan struct{})}
	p.run = exec.Command(c.Path, c.Args...)
	p.run.Dir, p.run.Stdout, p.run.Stderr = c.Folder, log, log
	p.run.Env = append(os.Environ(), c.Env...)
	p.run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if p.run.SysProcAttr.Credential, err = credential(c.User); err != nil {
		log.Close()
		return nil, err
	}
	if err := p.run.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("machine: %s: %w", c.Name, err)
	}
	go func() {
		_ = p.run.Wait() // its log says how it ended
		close(p.done)
	}()
	return p, nil
}

// credential is nil where the program stays who it is.
func credential(name string) (*syscall.Credential, error) {
	if name == "" || os.Geteuid() != 0 {
		return nil, nil
	}
	uid, gid, err := lookup(name)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func lookup(name string) (uid, gid int, err error) {
	found, err := user.Lookup(name)
	if err != nil {
		return 0, 0, fmt.Errorf("machine: %w", err)
	}
	uid, err1 := strconv.Atoi(found.Uid)
	gid, err2 := strconv.Atoi(found.Gid)
	return uid, gid, errors.Join(err1, err2)
}

// Folder makes a folder that belongs to a user, where this program is root.
func Folder(path, owner string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	if owner == "" || os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := lookup(owner)
	if err != nil {
		return err
	}
	return os.Chown(path, uid, gid)
}

// Await waits until ready says so. It fails with the end of the log where the process ends before,
// or after the time.
func (p *Process) Await(ctx context.Context, within time.Duration, ready func() bool) error {
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		if ready() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return fmt.Errorf("machine: %s ended at once: %s", p.command.Name, p.lastLines())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("machine: %s is not ready after %v: %s", p.command.Name, within, p.lastLines())
}

// Finish waits until the process has ended. It fails with the end of the log where it did not end
// well.
func (p *Process) Finish(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.done:
	}
	if !p.run.ProcessState.Success() {
		return fmt.Errorf("machine: %s: %v: %s", p.command.Name, p.run.ProcessState, p.lastLines())
	}
	return nil
}

// lastLines is the end of the log, on one line.
func (p *Process) lastLines() string {
	all, _ := os.ReadFile(p.log.Name())
	lines := strings.Split(strings.TrimSpace(string(all)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], " | ")
}

// ID is the process id.
func (p *Process) ID() int { return p.run.Process.Pid }

// Kill ends the process, and what it started, as a crash does.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Stop ends the process orderly, and by force where that takes too long.
func (p *Process) Stop() { p.end(p.command.Stop) }

func (p *Process) end(signal syscall.Signal) {
	select {
	case <-p.done: // its id may be another's by now
	default:
		_ = syscall.Kill(-p.ID(), signal)
		select {
		case <-p.done:
		case <-time.After(stopWithin):
			_ = syscall.Kill(-p.ID(), syscall.SIGKILL)
			<-p.done
		}
	}
	_ = p.log.Close()
}
