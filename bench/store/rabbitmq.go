package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/wactor/wactor/bench/machine"
)

// rabbitUser runs RabbitMQ, since Debian's package makes it.
const rabbitUser = "rabbitmq"

// rabbitMQ starts the broker, and the port mapper that it needs: on a port of its own, so that
// another broker's is left alone, and so that it ends with the broker. The port of Erlang's
// distribution is given too: the default of a tool lies 20000 above the broker's, and a broker
// whose distribution is there does not start.
func (r *Running) rabbitMQ(ctx context.Context, folder string, port int, ports *machine.Ports) error {
	mapper, err1 := ports.Free()
	distribution, err2 := ports.Free()
	if err1 != nil || err2 != nil {
		return err1
	}
	if err := machine.Folder(folder, rabbitUser); err != nil {
		return err
	}
	plugins, config := filepath.Join(folder, "plugins"), filepath.Join(folder, "rabbitmq.conf")
	if err := os.WriteFile(plugins, []byte("[rabbitmq_consistent_hash_exchange].\n"), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(config, []byte("log.console.level = warning\n"), 0o644); err != nil {
		return err
	}
	err := r.start(ctx, machine.Command{
		Name: "epmd", Path: "/usr/bin/epmd", Args: []string{"-port", strconv.Itoa(mapper), "-address", "127.0.0.1"},
		Folder: folder, User: rabbitUser,
	}, func() bool { return machine.Listens(machine.Loopback(mapper)) })
	if err != nil {
		return err
	}
	address := machine.Loopback(port)
	r.Address = "amqp://guest:guest@" + address + "/"
	return r.start(ctx, machine.Command{
		Name: "rabbitmq", Path: program(RabbitMQ), Folder: folder, User: rabbitUser,
		Env: []string{
			"HOME=" + folder,
			"ERL_EPMD_PORT=" + strconv.Itoa(mapper), "ERL_EPMD_ADDRESS=127.0.0.1",
			fmt.Sprintf("RABBITMQ_NODENAME=bench-%d@localhost", port),
			"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=" + strconv.Itoa(port),
			"RABBITMQ_DIST_PORT=" + strconv.Itoa(distribution),
			"RABBITMQ_MNESIA_BASE=" + filepath.Join(folder, "mnesia"), "RABBITMQ_LOG_BASE=" + filepath.Join(folder,
				"log"),
			"RABBITMQ_ENABLED_PLUGINS_FILE=" + plugins, "RABBITMQ_CONFIG_FILE=" + config,
			"RABBITMQ_CONF_ENV_FILE=" + filepath.Join(folder, "none"), "RABBITMQ_PID_FILE=" + filepath.Join(folder,
				"pid"),
		},
	}, func() bool { return machine.Listens(address) })
}
