// Command compare measures Wactor beside what people use today: `make bench-alternatives` runs it.
// It needs Linux, Go, and, to install the stores that are missing, Debian and root. It writes its
// results into the folder that -out names, and leaves nothing else behind: programs, data and logs
// lie in one temporary folder, all processes end with this one.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/wactor/wactor/bench/compare"
	"github.com/wactor/wactor/bench/report"
	"github.com/wactor/wactor/bench/store"
	"github.com/wactor/wactor/bench/system"
)

// flags are what the command line says.
type flags struct {
	systems, out, module, folder, command, remarks, statuses string
	rounds, trials, pairs, users, processes, headroom        int
	duration                                                 time.Duration
	keep                                                     bool
}

func main() {
	f := flags{}
	flag.StringVar(&f.systems, "systems", strings.Join(system.Names(), ","), "what is compared")
	flag.IntVar(&f.rounds, "rounds", 3, "rounds, each in another order")
	flag.IntVar(&f.trials, "trials", 3, "rounds that also look for wrong answers")
	flag.IntVar(&f.pairs, "pairs", 20, "pairs of slices that compare each system with the first")
	flag.DurationVar(&f.duration, "duration", 5*time.Second, "how long each rate is held")
	flag.IntVar(&f.users, "users", 2000, "users who write")
	flag.IntVar(&f.processes, "processes", 2, "server processes of each strategy that can have several")
	flag.StringVar(&f.statuses, "statuses", "", "delivery statuses that are posted for each reply, such as "+
		"sent,delivered; none by default")
	flag.IntVar(&f.headroom, "headroom", 0, "MiB of garbage that processes of the strategies let be before they "+
		"collect any, as Wactor's node does with up to 512; 0 is Go's own setting")
	flag.StringVar(&f.out, "out", "docs", "folder that gets comparison.json, comparison.md and the plots")
	flag.StringVar(&f.module, "module", ".", "folder of Wactor's module")
	flag.StringVar(&f.folder, "folder", os.TempDir(), "where the temporary folder is made: its disk is measured too")
	flag.StringVar(&f.command, "command", "make bench-alternatives", "what the report names as its command")
	flag.StringVar(&f.remarks, "remarks", "", "what the report should say of the machine besides")
	flag.BoolVar(&f.keep, "keep", false, "leave the temporary folder, to look at logs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := f.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func (f *flags) run(ctx context.Context) error {
	names := strings.Split(f.systems, ",")
	if err := store.Install(ctx, system.Needs(names)); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(f.folder, "bench-")
	if err != nil {
		return err
	}
	if f.keep {
		fmt.Println("logs and data are in", folder)
	} else {
		defer os.RemoveAll(folder)
	}
	if err := os.Chmod(folder, 0o755); err != nil { // PostgreSQL runs as another user
		return err
	}
	options, err := f.options(ctx, folder)
	if err != nil {
		return err
	}
	results := &report.Results{Command: f.command, Began: time.Now(), Statuses: f.statuses, Headroom: f.headroom}
	if results.Machine, err = compare.Here(folder, system.Needs(names)); err != nil {
		return err
	}
	results.Machine.Remarks = f.remarks
	c := &compare.Comparison{
		Systems: names, Rounds: f.rounds, TrialRounds: f.trials, Pairs: f.pairs, Users: f.users, Duration: f.duration,
		Options: options, Log: os.Stdout,
		Save:      func(r *report.Results) error { return r.Write(filepath.Join(f.out, "comparison.json")) },
		Generator: options.Generator(),
	}
	c.Generator.Statuses = f.statuses
	failed := c.Run(ctx, results)
	if err := f.publish(results); err != nil { // also what is known where it was interrupted
		return err
	}
	return failed
}

// options builds the programs and says how systems run.
func (f *flags) options(ctx context.Context, folder string) (system.Options, error) {
	o, err := system.Build(ctx, f.module, folder)
	if err != nil {
		return o, err
	}
	o.Processes, o.Connections, o.Queues, o.QueueType, o.Headroom = f.processes, 32, 32, "classic", f.headroom
	return o, o.BuildStrategies(ctx, f.module)
}

// publish writes table and plots, and prints the table.
func (f *flags) publish(results *report.Results) error {
	var table strings.Builder
	if err := results.Table(&table); err != nil {
		return err
	}
	fmt.Print("\n", table.String())
	for name, content := range map[string]string{
		"comparison.md": table.String(), "throughput.svg": results.Throughput(), "latency.svg": results.Latency(),
	} {
		if err := os.WriteFile(filepath.Join(f.out, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
