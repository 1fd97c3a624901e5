// Package store runs Redis, PostgreSQL and RabbitMQ for a comparison: on loopback, on free ports,
// with data directories of their own and ordinary durable settings. A store that was started is
// empty.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kind names a store.
type Kind string

// The stores.
const (
	Redis    Kind = "redis"
	Postgres Kind = "postgres"
	RabbitMQ Kind = "rabbitmq"
)

// packages of Debian, and the program of each that must be there.
var packages = map[Kind]struct {
	name     string
	programs []string // patterns, any of them
}{
	Redis:    {"redis-server", []string{"/usr/bin/redis-server", "/usr/local/bin/redis-server"}},
	Postgres: {"postgresql", []string{"/usr/lib/postgresql/*/bin/postgres"}},
	RabbitMQ: {"rabbitmq-server", []string{"/usr/lib/rabbitmq/bin/rabbitmq-server"}},
}

// ErrMissing says that a store is not installed, and that this program may not install it.
var ErrMissing = errors.New("store: not installed")

// program is where a store's program is; empty where it is not installed. Of several versions it is
// the last.
func program(kind Kind) string {
	for _, pattern := range packages[kind].programs {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	return ""
}

// Install installs the stores that are missing from Debian, and keeps Debian from starting them.
func Install(ctx context.Context, kinds []Kind) error {
	var missing []string
	for _, kind := range kinds {
		if program(kind) == "" {
			missing = append(missing, packages[kind].name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: as root: apt-get install %s", ErrMissing, strings.Join(missing, " "))
	}
	folder, err := os.MkdirTemp("", "bench-install-")
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer os.RemoveAll(folder)
	// Debian starts a server when it is installed, unless systemctl and this script forbid it
	// to.
	stay := filepath.Join(folder, "policy")
	if err := os.WriteFile(stay, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, arguments := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"},
		missing...)} {
		run := exec.CommandContext(ctx, "apt-get", arguments...)
		run.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "POLICYRCD="+stay, "RUNLEVEL=1")
		if out, err := run.CombinedOutput(); err != nil {
			return fmt.Errorf("store: apt-get %s: %w: %s", strings.Join(arguments, " "), err, out)
		}
	}
	return nil
}

// Version is what a store says of itself, for the report.
func Version(kind Kind) string {
	if kind == RabbitMQ { // its program has no such flag
		out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", packages[kind].name).Output()
		if err != nil {
			return "RabbitMQ"
		}
		return "RabbitMQ " + string(out)
	}
	out, err := exec.Command(program(kind), "--version").Output()
	if err != nil {
		return string(kind)
	}
	return strings.TrimSpace(string(out))
}
