package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/internal/problem"
	"github.com/wactor/wactor/node"
)

func serveCommand() *cobra.Command {
	var path string
	var grace time.Duration
	var acceptLoss bool
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run a node of a real deployment",
		Long: `Run a node. SIGTERM or SIGINT stops it cleanly: webhooks are no longer taken, replies under way
are finished, and the next start finds no reply in doubt. A second signal ends it at once, which
loses nothing either: what was accepted goes on with the next start.

Memory: a node lets at least a 32nd part of the memory that it may have, 64 to 512 MiB, fill with
garbage before it collects any. GOGC and GOMEMLIMIT in the environment take the place of that.`,
		Args: configByFlag,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, flows, err := loadConfig(command, path)
			if err != nil {
				return err
			}
			defer keepHeadroom()()
			logger := newLogger(cfg.Log, command.ErrOrStderr())
			ready := func(*node.Node) {
				notifyReady(logger)
				context.AfterFunc(command.Context(), func() { notifyStopping(logger) })
			}
			return run(command.Context(), cfg, node.Options{Logger: logger, Version: version, Memory: memory(),
				Flows: flows, AcceptLoss: acceptLoss}, grace,
				ready)
		},
	}
	addConfigFlag(command, &path)
	command.Flags().BoolVar(&acceptLoss, "accept-loss", false,
		"start although the disk holds less than was written to "+
			"it, and write down in node.data_dir what may be missing")
	command.Flags().DurationVar(&grace, "grace", 20*time.Second, "how long a stop waits for webhooks and replies "+
		"under way")
	return command
}

func addConfigFlag(command *cobra.Command, path *string) {
	command.Flags().StringVarP(path, "config", "c", usualConfig, "configuration file")
}

const usualConfig = "wactor.yaml"

// configByFlag takes no arguments, and says so where the file is given as one.
func configByFlag(command *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("the configuration file is given by -c: %s -c %s", command.CommandPath(), args[0])
	}
	return nil
}

// loadConfig loads a configuration and the flows that it names, by their paths, and prints every
// mistake of both.
func loadConfig(command *cobra.Command, path string) (*config.Config, map[string]*flow.Flow, error) {
	cfg, flows, err := readConfig(command, path)
	if err != nil {
		return nil, nil, report(err, command.ErrOrStderr())
	}
	return cfg, flows, nil
}

// readConfig reads a configuration and the flows that it names. The error lists the mistakes of all
// of them; the configuration is there also where only flows have any.
func readConfig(command *cobra.Command, path string) (*config.Config, map[string]*flow.Flow, error) {
	cfg, err := config.Load(path, os.LookupEnv, node.Kinds())
	if errors.Is(err, fs.ErrNotExist) && !command.Flags().Changed("config") {
		err = fmt.Errorf("%w; name your configuration with -c, or try a bot without any: wactor dev", err)
	}
	if err != nil {
		return nil, nil, err
	}
	var problems problem.List
	flows := map[string]*flow.Flow{}
	for _, name := range sortedNames(cfg.Bots) {
		if file := cfg.Bots[name].Flow; file != "" {
			if flows[file], err = loadFlow(file); err != nil {
				problems = append(problems, listOf(err)...)
			}
		}
	}
	if len(problems) > 0 {
		return cfg, nil, problems
	}
	return cfg, flows, nil
}

// run runs a node until the context ends; ready is called when it serves.
func run(ctx context.Context, cfg *config.Config, options node.Options, grace time.Duration,
	ready func(*node.Node)) error {
	n, err := node.Start(cfg, options)
	if err != nil {
		return err
	}
	if ready != nil {
		ready(n)
	}
	err = n.Wait(ctx)
	closing, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	n.Close(closing)
	return err
}

// newLogger makes the logger that a configuration asks for.
func newLogger(cfg config.Log, out io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		level = slog.LevelInfo // config has checked it
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// report prints an error that lists problems, a line each, and returns what is left to say.
func report(err error, out io.Writer) error {
	fmt.Fprintln(out, err)
	return quietError{1}
}
