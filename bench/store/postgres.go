package store

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/wactor/wactor/bench/machine"
)

// postgresUser runs PostgreSQL, which refuses root.
const postgresUser = "postgres"

// settings of PostgreSQL: every commit waits for its fsync, as by default; memory and log as its
// documentation advises for a machine that does little else.
const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
port = %d
max_connections = 300
shared_buffers = 512MB
effective_cache_size = 2GB
max_wal_size = 4GB
checkpoint_timeout = 15min
fsync = on
synchronous_commit = on
full_page_writes = on
`

// postgres starts PostgreSQL on a copy of an empty cluster that is made once.
func (r *Running) postgres(ctx context.Context, host, folder string, port int) error {
	template := filepath.Join(host, "postgres-template")
	if err := initialise(ctx, template); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "cp", "-a", template, folder).CombinedOutput(); err != nil {
		return fmt.Errorf("copy: %w: %s", err, out)
	}
	cluster := filepath.Join(folder, "cluster")
	extra, err := os.OpenFile(filepath.Join(cluster, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer extra.Close()
	if _, err := fmt.Fprintf(extra, settings, port); err != nil {
		return err
	}
	r.Address = fmt.Sprintf("postgres://bench@%s/postgres?sslmode=disable", machine.Loopback(port))
	check := filepath.Join(filepath.Dir(program(Postgres)), "pg_isready")
	return r.start(ctx, machine.Command{
		Name: "postgres", Path: program(Postgres), Args: []string{"-D", cluster}, Folder: folder, User: postgresUser,
		Stop: syscall.SIGINT, // the "fast" end, which does not wait for clients
	}, func() bool { return exec.CommandContext(ctx, check, "-q", "-d", r.Address).Run() == nil })
}

// initialise makes the empty cluster, where it is not there yet.
func initialise(ctx context.Context, template string) error {
	cluster := filepath.Join(template, "cluster")
	if _, err := os.Stat(filepath.Join(cluster, "PG_VERSION")); err == nil {
		return nil
	}
	if err := machine.Folder(template, postgresUser); err != nil {
		return err
	}
	p, err := machine.Start(machine.Command{
		Name: "initdb", Path: filepath.Join(filepath.Dir(program(Postgres)), "initdb"), Folder: template,
		User: postgresUser,
		Args: []string{"-D", cluster, "-U", "bench", "--auth", "trust", "--encoding", "UTF8", "--locale", "C"},
	})
	if err != nil {
		return err
	}
	defer p.Stop()
	return p.Finish(ctx)
}
