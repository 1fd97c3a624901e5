package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/internal/problem"
	"github.com/wactor/wactor/node"
	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
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

SIGHUP has it read its configuration again, as wactor reload does.

Memory: a node lets at least a 32nd part of the memory that it may have, 64 to 512 MiB, fill with
garbage before it collects any. GOGC and GOMEMLIMIT in the environment take the place of that.`,
		Args: configByFlag,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, flows, err := loadConfig(command, path)
			if err != nil {
				return err
			}
			defer keepHeadroom()()
			logger, level := newLogger(cfg.Log, command.ErrOrStderr())
			ready := func(n *node.Node) {
				notifyReady(logger)
				context.AfterFunc(command.Context(), func() { notifyStopping(logger) })
				go reloadOnHangup(command.Context(), n, logger)
			}
			return run(command.Context(), cfg, node.Options{Logger: logger, Level: level, Version: version,
				Memory: memory(), Flows: flows, AcceptLoss: acceptLoss,
				Reread: func() (*config.Config, map[string]*flow.Flow, error) { return readConfig(command, path) },
			}, grace, ready)
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

func recoverCommand() *cobra.Command {
	var path string
	var yes, acceptLoss bool
	command := &cobra.Command{
		Use:   "recover",
		Short: "Make what one node has left a cluster of one",
		Long: `Make what this node has on its disk a cluster of one, for a cluster of which a majority of the disks is gone for good, so that
no leader can be elected any more. Where a backup is newer than what is left here, restore that instead.

Stop all nodes first. Choose the node with the most left, and run this there. Then start it, empty the data directories of all other
nodes, and start them: they join as new ones. What only the lost nodes had is gone; the report in the data directory says by shard
what may be missing. The cluster gets a new id, so no old node can come back with its disk.`,
		Args: configByFlag,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, _, err := loadConfig(command, path)
			if err != nil {
				return err
			}
			if !yes {
				return fmt.Errorf("refused: this makes %s a cluster of one, and gives up what other nodes alone have; "+
					"if that is what you want, add --yes", cfg.Node.DataDir)
			}
			return recoverNode(command.OutOrStdout(), cfg, acceptLoss)
		},
	}
	addConfigFlag(command, &path)
	command.Flags().BoolVar(&yes, "yes", false, "do it")
	command.Flags().BoolVar(&acceptLoss, "accept-loss", false,
		"go on although the disk holds less than was written to it")
	return command
}

func recoverNode(out io.Writer, cfg *config.Config, acceptLoss bool) error {
	dir := cfg.Node.DataDir
	if manifests, _ := filepath.Glob(filepath.Join(dir, "MANIFEST-*")); len(manifests) == 0 {
		return fmt.Errorf("node.data_dir %s holds no store", dir)
	}
	var failure error
	shards, cluster, err := store.Recover(engine.Options{Dir: dir, AcceptLoss: acceptLoss,
		Fatal: func(err error) { failure = err }}, cfg.Cluster.Shards)
	if err = errors.Join(err, failure); err != nil {
		return fmt.Errorf("recovering %s failed (is its node stopped?): %w", dir, err)
	}
	name := filepath.Join(dir, fmt.Sprintf("recovered-%d.txt", time.Now().Unix()))
	if err := os.WriteFile(name, []byte(recoveryReport(cluster, shards)), 0o600); err != nil {
		return err
	}
	gone := 0
	for _, s := range shards {
		if !s.Held {
			gone++
		}
	}
	fmt.Fprintf(out, "%s is cluster %016x of one: of its %d groups this disk held %d, and %d begin anew\n"+
		"what may be missing, by shard: %s\nstart this node; then empty the data directories of the others, and "+
		"start them\n", dir, cluster, len(shards), len(shards)-gone, gone, name)
	return nil
}

// recoveryReport says by shard what may be missing.
func recoveryReport(cluster uint64, shards []replication.RecoveredShard) string {
	var text strings.Builder
	fmt.Fprintf(&text, "This node was made cluster %016x of one. By shard (0 holds the cluster's own state):\n\n",
		cluster)
	for _, s := range shards {
		fmt.Fprintf(&text, "shard %d: ", s.Shard)
		switch {
		case !s.Held:
			text.WriteString("nothing of it was on this disk: all its conversations are gone\n")
			continue
		case s.Replicas < 2:
			text.WriteString("it had no other replica: nothing is missing")
		case !s.Voter:
			text.WriteString("this replica was still learning: whatever the others had and it had not is missing")
		default:
			fmt.Fprintf(&text, "what the other %d replicas acknowledged without this one is missing", s.Replicas-1)
		}
		fmt.Fprintf(&text, "; last entry %d", s.Last)
		if s.Unconfirmed > 0 {
			fmt.Fprintf(&text, ", of which the last %d may never have been acknowledged", s.Unconfirmed)
		}
		text.WriteByte('\n')
	}
	return text.String()
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

// newLogger makes the logger that a configuration asks for, with its level.
func newLogger(cfg config.Log, out io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := &slog.LevelVar{}
	_ = level.UnmarshalText([]byte(cfg.Level)) // config has checked it
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, options)), level
	}
	return slog.New(slog.NewTextHandler(out, options)), level
}

// report prints an error that lists problems, a line each, and returns what is left to say.
func report(err error, out io.Writer) error {
	fmt.Fprintln(out, err)
	return quietError{1}
}
