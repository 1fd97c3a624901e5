package store

import (
	"context"
	"strconv"

	"github.com/wactor/wactor/bench/machine"
)

// redis starts Redis with its log appended to disk once a second: what people run. A 200 may stand
// for a second that a crash of the machine takes back.
func (r *Running) redis(ctx context.Context, folder string, port int) error {
	if err := machine.Folder(folder, ""); err != nil {
		return err
	}
	r.Address = machine.Loopback(port)
	return r.start(ctx, machine.Command{
		Name: "redis", Path: program(Redis), Folder: folder,
		Args: []string{
			"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", folder, "--daemonize", "no",
			"--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
		},
	}, func() bool { return machine.Listens(r.Address) })
}
