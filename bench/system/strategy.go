package system

import (
	"context"
	"fmt"
	"strconv"

	"github.com/wactor/wactor/bench/machine"
	"github.com/wactor/wactor/bench/store"
)

// strategy starts the stores of a strategy and says how its processes are started.
func (r *Running) strategy(ctx context.Context, name string) error {
	arguments, err := r.startStores(ctx, name)
	if err != nil {
		return err
	}
	o := r.options
	processes := o.ProcessesOf(name)
	arguments = append(arguments,
		"--strategy", name, "--app-secret", o.AppSecret, "--access-token", o.AccessToken,
		"--graph", fmt.Sprintf("http://%s/v26.0/%s/messages", o.Graph, o.PhoneNumberID),
		"--processes", strconv.Itoa(processes), "--connections", strconv.Itoa(o.Connections),
		"--queues", strconv.Itoa(o.Queues), "--queue-type", o.QueueType, "--headroom", strconv.Itoa(o.Headroom),
	)
	for i := range processes {
		port, err := o.Ports.Free()
		if err != nil {
			return err
		}
		address := machine.Loopback(port)
		own := append([]string{"--listen", address, "--process", strconv.Itoa(i)}, arguments...)
		r.commands = append(r.commands, server{
			command: machine.Command{Name: fmt.Sprintf("%s-%d", name, i), Path: o.Strategy, Args: own,
				Folder: r.folder},
			address: address, ready: func() bool { return machine.Listens(address) },
		})
	}
	return nil
}

// startStores starts the stores of a strategy and returns the arguments that tell where they are.
func (r *Running) startStores(ctx context.Context, name string) ([]string, error) {
	flags := map[store.Kind]string{store.Redis: "--redis", store.Postgres: "--postgres", store.RabbitMQ: "--amqp"}
	var out []string
	for _, kind := range needs(name) {
		s, err := r.options.Stores.Start(ctx, kind)
		if err != nil {
			return nil, err
		}
		r.stores = append(r.stores, s)
		out = append(out, flags[kind], s.Address)
	}
	return out, nil
}
