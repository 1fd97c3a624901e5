package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/internal/pause"
)

func healthcheckCommand() *cobra.Command {
	var address string
	var ready, quorum bool
	var timeout, wait time.Duration
	command := &cobra.Command{
		Use:   "healthcheck",
		Short: "Report by exit status whether a node is up",
		Long: `Ask a node whether its process is up (/healthz), or with --ready whether it takes webhooks
(/readyz), or with --quorum whether it also may be stopped without a shard that loses its majority
(/readyz?quorum=1). Exit status 0 if so, 1 otherwise. It is for containers without a shell and for
scripts; it needs no token.`,
		Example: `  wactor healthcheck
  wactor healthcheck --ready --admin 127.0.0.1:9091
  wactor healthcheck --quorum --wait 15s      # before a node is stopped`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			path := "/healthz"
			if quorum {
				path = "/readyz?quorum=1"
			} else if ready {
				path = "/readyz"
			}
			for began := time.Now(); ; {
				ctx, cancel := context.WithTimeout(command.Context(), timeout)
				err := checkHealth(ctx, address, path)
				cancel()
				if err == nil || time.Since(began) >= wait || !pause.For(command.Context(), healthPause) {
					return err
				}
			}
		},
	}
	flags := command.Flags()
	flags.StringVar(&address, "admin", cmp.Or(os.Getenv("WACTOR_ADMIN"), "http://127.0.0.1:8081"),
		"address of a node's admin API (or $WACTOR_ADMIN)")
	flags.BoolVar(&ready, "ready", false, "ask whether the node takes webhooks, not only whether it is up")
	flags.BoolVar(&quorum, "quorum", false,
		"ask whether the node may be stopped: its shards keep their majorities without it")
	flags.DurationVar(&wait, "wait", 0, "how long to ask again until the answer is yes")
	flags.DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait for the answer")
	return command
}

// healthPause is the time between two questions of --wait.
const healthPause = 500 * time.Millisecond

// checkHealth returns nil where a node answers 200 at a path. The body is not shown: the status
// says all, and a node that is not ready explains itself by `wactor cluster status`.
func checkHealth(ctx context.Context, address, path string) error {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(address, "/")+path, nil)
	if err != nil {
		return fmt.Errorf("healthcheck: --admin: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("healthcheck: no node answers: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: %s answers %s", path, response.Status)
	}
	return nil
}
