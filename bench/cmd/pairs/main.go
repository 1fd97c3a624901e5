// Command pairs compares two commits, or systems, on a machine whose speed changes: `make
// bench-pairs A=... B=...` runs it. Both run beside each other; load alternates between them in
// slices. It prints the medians of the ratios of the pairs, with intervals. It needs Linux, Go and
// git, and leaves nothing behind.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wactor/wactor/bench/compare"
	"github.com/wactor/wactor/bench/pairs"
	"github.com/wactor/wactor/bench/system"
)

// flags are what the command line says.
type flags struct {
	a, b, module, folder, statuses string
	nodes, pairs, users            int
	slice                          time.Duration
}

func main() {
	f := flags{}
	flag.StringVar(&f.a, "a", "", "a commit, . for this checkout, or a system of bench-alternatives")
	flag.StringVar(&f.b, "b", ".", "what is compared with it, likewise")
	flag.IntVar(&f.nodes, "nodes", 1, "nodes of a commit's cluster: 1 or 3")
	flag.IntVar(&f.pairs, "pairs", 20, "pairs of each load")
	flag.DurationVar(&f.slice, "slice", 2500*time.Millisecond, "how long load stays on one side")
	flag.IntVar(&f.users, "users", 2000, "users who write")
	flag.StringVar(&f.statuses, "statuses", "", "delivery statuses that are posted for each reply, such as "+
		"sent,delivered; none by default")
	flag.StringVar(&f.module, "module", ".", "folder of Wactor's module")
	flag.StringVar(&f.folder, "folder", os.TempDir(), "where the temporary folder is made: its disk is measured too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := f.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "pairs:", err)
		os.Exit(1)
	}
}

func (f *flags) run(ctx context.Context) error {
	folder, err := os.MkdirTemp(f.folder, "pairs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := os.Chmod(folder, 0o755); err != nil { // PostgreSQL runs as another user
		return err
	}
	options, err := system.Build(ctx, f.module, folder)
	if err != nil {
		return err
	}
	options.Processes, options.Connections, options.Queues, options.QueueType = 2, 32, 32, "classic"
	generator := options.Generator() // of this checkout, for both
	generator.Statuses = f.statuses
	c := &pairs.Comparison{Pairs: f.pairs, Users: f.users, Slice: f.slice, Generator: generator, Log: os.Stdout}
	for _, side := range []struct {
		what    string
		running **system.Running
	}{{f.a, &c.A}, {f.b, &c.B}} {
		variant, err := options.Variant(ctx, f.module, side.what, f.nodes)
		if err != nil {
			return err
		}
		if *side.running, err = variant.Start(ctx); err != nil {
			return err
		}
		defer (*side.running).Stop()
	}
	machine, err := compare.Here(folder, nil)
	if err != nil {
		return err
	}
	all, err := c.Run(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nnodes: %d; %d users, slices of %v, %d cores (%s), fsync of 1 KiB %.2f ms, load average before %s\n\n",
		f.nodes, f.users, f.slice, machine.Cores, machine.Processor, machine.FsyncMs, machine.Load)
	return pairs.Table(os.Stdout, f.a, f.b, pairs.Rows(all))
}
