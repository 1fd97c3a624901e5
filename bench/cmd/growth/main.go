// Command growth measures what stored conversations cost a node: `make bench-growth` runs it. Of
// two nodes one has few conversations on its disk, one has many. Rounds in turn search the highest
// rate of each, when the same users write steadily, and then let users write at one rate who have
// not for long, so that each conversation is loaded from the disk.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/wactor/wactor/bench/measure"
	"github.com/wactor/wactor/bench/system"
)

// growth is the measurement.
type growth struct {
	few, many, rounds, users int
	duration                 time.Duration
	folder, module, wait     string
	generator                *measure.Generator
}

// idle is more than the minute that a conversation stays in memory without anything to do.
const idle = 75 * time.Second

func main() {
	g := &growth{}
	flag.IntVar(&g.few, "few", 10_000, "conversations that one node has stored")
	flag.IntVar(&g.many, "many", 1_000_000, "conversations that the other has stored")
	flag.IntVar(&g.rounds, "rounds", 3, "rounds")
	flag.IntVar(&g.users, "users", 2000, "users who write steadily")
	flag.DurationVar(&g.duration, "duration", 3*time.Second, "how long each rate is held")
	flag.StringVar(&g.module, "module", ".", "folder of Wactor's module")
	flag.StringVar(&g.folder, "folder", os.TempDir(), "where the temporary folder is made; a million conversations "+
		"take some 3 GB")
	flag.StringVar(&g.wait, "wait", "", "measure only when this file exists: filling takes long, and needs no quiet "+
		"machine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := g.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

func (g *growth) run(ctx context.Context) error {
	folder, err := os.MkdirTemp(g.folder, "growth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	options, err := system.Build(ctx, g.module, folder)
	if err != nil {
		return err
	}
	g.generator = options.Generator()
	options.Active = g.many + g.users // filling is faster than conversations leave the memory
	var targets [2]*measure.Target
	for i, stored := range []int{g.few, g.many} {
		running, err := options.Start(ctx, system.Wactor)
		if err != nil {
			return err
		}
		defer running.Stop()
		targets[i] = &measure.Target{Generator: g.generator, URL: running.URL, Processes: running.IDs(), Users: g.users,
			Duration: g.duration}
		began := time.Now()
		if err := targets[i].Fill(ctx, stored); err != nil {
			return err
		}
		fmt.Printf("%d conversations stored in %.0f s\n", stored, time.Since(began).Seconds())
	}
	fmt.Printf("waiting until they have left the memory\n")
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(idle):
	}
	if err := g.await(ctx); err != nil {
		return err
	}
	return g.measure(ctx, targets)
}

// await waits for the file that says that the machine is quiet.
func (g *growth) await(ctx context.Context) error {
	for g.wait != "" {
		if _, err := os.Stat(g.wait); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return nil
}

func (g *growth) measure(ctx context.Context, targets [2]*measure.Target) error {
	var highest [2][]float64
	for round := range g.rounds {
		for _, i := range []int{round % 2, 1 - round%2} {
			estimate, err := targets[i].WarmUp(ctx)
			if err != nil {
				return err
			}
			_, best, err := targets[i].Highest(ctx, measure.NewSearch(0.8*estimate, 1.15, 1.05))
			if err != nil {
				return err
			}
			highest[i] = append(highest[i], best.Rate)
			fmt.Printf("round %d, %d stored: highest rate of %d users %.0f/s, CPU %.3f s per 1,000\n", round+1,
				g.stored(i), g.users, best.Rate, best.CPU)
		}
	}
	rate := min(median(highest[0]), median(highest[1])) / 2
	var any [2][]float64
	for round := range g.rounds {
		for _, i := range []int{round % 2, 1 - round%2} {
			step, err := g.generator.Try(ctx, targets[i].URL, targets[i].Processes, measure.AnyOf(g.stored(i), rate,
				g.duration))
			if err != nil {
				return err
			}
			any[i] = append(any[i], step.CPU)
			fmt.Printf("round %d, %d stored: any of them at %.0f/s: end to end %.1f / %.1f ms, CPU %.3f s per 1,000 "+
				"%s\n",
				round+1, g.stored(i), rate, step.EndToEnd.P50, step.EndToEnd.P99, step.CPU, step.Why)
		}
	}
	fmt.Printf("\nmedians, %d stored beside %d: highest rate of %d users %.0f/s and %.0f/s, %.2f times; any of them, "+
		"CPU %.3f s and %.3f s per 1,000, %.2f times\n",
		g.many, g.few, g.users, median(highest[1]), median(highest[0]), median(highest[1])/median(highest[0]),
		median(any[1]), median(any[0]), median(any[1])/median(any[0]))
	return nil
}

func (g *growth) stored(i int) int { return []int{g.few, g.many}[i] }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
