package store

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/wactor/wactor/bench/machine"
)

// Host is where stores run.
type Host struct {
	// Folder holds their data.
	Folder string
	Ports  *machine.Ports

	started int
}

// Running is a started store.
type Running struct {
	// Address is host:port for Redis, a connection string for PostgreSQL, an amqp:// address for
	// RabbitMQ.
	Address string
	process []*machine.Process
}

// startWithin is how long a store may take.
const startWithin = time.Minute

// Start starts an empty store.
func (h *Host) Start(ctx context.Context, kind Kind) (*Running, error) {
	port, err := h.Ports.Free()
	if err != nil {
		return nil, err
	}
	h.started++
	folder := filepath.Join(h.Folder, fmt.Sprintf("%s-%d", kind, h.started))
	r := &Running{}
	switch kind {
	case Redis:
		err = r.redis(ctx, folder, port)
	case Postgres:
		err = r.postgres(ctx, h.Folder, folder, port)
	case RabbitMQ:
		err = r.rabbitMQ(ctx, folder, port, h.Ports)
	}
	if err != nil {
		r.Stop()
		return nil, fmt.Errorf("store: %s: %w", kind, err)
	}
	return r, nil
}

// start starts a process and waits until it is ready.
func (r *Running) start(ctx context.Context, c machine.Command, ready func() bool) error {
	p, err := machine.Start(c)
	if err != nil {
		return err
	}
	r.process = append(r.process, p)
	return p.Await(ctx, startWithin, ready)
}

// IDs are those of the processes, whose children count with them.
func (r *Running) IDs() []int {
	var out []int
	for _, p := range r.process {
		out = append(out, p.ID())
	}
	return out
}

// Stop ends the store, the last started process first.
func (r *Running) Stop() {
	for i := len(r.process) - 1; i >= 0; i-- {
		r.process[i].Stop()
	}
	r.process = nil
}
