package store

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"

	"github.com/wactor/wactor/bench/machine"
)

// TestStart starts each store that is installed, twice, and uses it.
func TestStart(t *testing.T) {
	use := map[Kind]func(ctx context.Context, address string) error{
		Redis: func(ctx context.Context, address string) error {
			client := redis.NewClient(&redis.Options{Addr: address})
			defer client.Close()
			return client.Ping(ctx).Err()
		},
		Postgres: func(ctx context.Context, address string) error {
			conn, err := pgx.Connect(ctx, address)
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, "CREATE TABLE t (a int)")
			return err
		},
		RabbitMQ: func(_ context.Context, address string) error {
			connection, err := amqp.Dial(address)
			if err != nil {
				return err
			}
			defer connection.Close()
			channel, err := connection.Channel()
			if err != nil {
				return err
			}
			return channel.ExchangeDeclare("x", "x-consistent-hash", true, false, false, false, nil)
		},
	}
	folder, err := os.MkdirTemp("", "bench-test-") // and not t.TempDir, into which other users may not look
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	host := &Host{Folder: folder, Ports: &machine.Ports{}}
	for kind, try := range use {
		t.Run(string(kind), func(t *testing.T) {
			if testing.Short() || program(kind) == "" {
				t.Skip("-short, or not installed")
			}
			for range 2 { // each is empty
				running, err := host.Start(t.Context(), kind)
				if err != nil {
					t.Fatal(err)
				}
				if err := try(t.Context(), running.Address); err != nil {
					t.Error(err)
				}
				// Redis is up within a tick
				if used, err := machine.CPU(running.IDs()...); err != nil || kind != Redis && used <= 0 {
					t.Error(used, err)
				}
				running.Stop()
			}
		})
	}
}
