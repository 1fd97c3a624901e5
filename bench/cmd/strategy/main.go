// Command strategy is one process of a counter bot that keeps its sessions by one of the
// strategies: bench/cmd/compare starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/wactor/wactor/bench/strategy"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "strategy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	o := strategy.Options{Log: log, Fail: func(err error) { fail(err) }}
	name := flag.String("strategy", "", "one of "+strings.Join(strategy.Names, ", "))
	listen := flag.String("listen", "127.0.0.1:3000", "address that takes the webhooks, at any path")
	graph := flag.String("graph", "",
		"address of the number's messages: https://graph.facebook.com/v26.0/<id>/messages")
	secret := flag.String("app-secret", "simulate-app-secret", "signs the webhooks")
	token := flag.String("access-token", "token", "shown to the Graph API")
	flag.StringVar(&o.Redis, "redis", "127.0.0.1:6379", "host:port")
	flag.StringVar(&o.Postgres, "postgres", "", "connection string")
	flag.StringVar(&o.AMQP, "amqp", "", "amqp:// address")
	flag.IntVar(&o.Process, "process", 0, "number of this process, from 0")
	flag.IntVar(&o.Processes, "processes", 1, "number of processes")
	flag.IntVar(&o.Connections, "connections", 32, "connections to PostgreSQL at most; four times as many to Redis")
	flag.IntVar(&o.Queues, "queues", 32, "queues of the exchange")
	flag.StringVar(&o.QueueType, "queue-type", "classic", "classic or quorum")
	headroom := flag.Int("headroom", 0, "MiB of garbage that may be there before any is collected, in place of Go's "+
		"own setting; Wactor's node does with up to 512")
	flag.Parse()
	untouched := make([]byte, *headroom<<20) // counts as alive, and takes no memory
	defer runtime.KeepAlive(untouched)
	sender := strategy.NewGraph(*graph, *token)
	defer sender.Close()
	chosen, err := strategy.New(ctx, *name, o, sender.Reply)
	if err != nil {
		return err
	}
	defer chosen.Close()
	server := &http.Server{
		Addr: *listen, Handler: &strategy.Webhook{AppSecret: *secret, Strategy: chosen, Log: log},
		ReadHeaderTimeout: 10 * time.Second,
	}
	drained := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(drained)
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(closing)
	})
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-drained
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}
