package system

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wactor/wactor/bench/store"
)

// Variant is a system, built and ready to start.
type Variant struct {
	options Options
	name    string
}

// Start starts it with empty stores.
func (v *Variant) Start(ctx context.Context) (*Running, error) { return v.options.Start(ctx, v.name) }

// Variant finds out what a name means: a system of Names, whose stores are installed if need be;
// "." for Wactor as it was built for o; any other is a commit of the module's repository, which is
// built in a temporary work tree. A commit runs so many nodes, 1 or 3, with its own counter flow.
func (o Options) Variant(ctx context.Context, module, what string, nodes int) (*Variant, error) {
	v := &Variant{options: o, name: Wactor}
	switch nodes {
	case 1:
	case 3:
		v.name = Cluster
	default:
		return nil, fmt.Errorf("system: %d nodes: 1 or 3 are possible", nodes)
	}
	switch {
	case what == "":
		return nil, fmt.Errorf("system: a commit, a system or . is missing")
	case what == ".":
		return v, nil
	case slices.Contains(Names(), what):
		v.name = what
		if err := store.Install(ctx, needs(what)); err != nil {
			return nil, err
		}
		return v, o.BuildStrategies(ctx, module)
	}
	return v, v.options.checkout(ctx, module, what)
}

// checkout builds a commit's program, and takes its flow.
func (o *Options) checkout(ctx context.Context, module, commit string) error {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", module}, args...)...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("system: git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
		}
		return strings.TrimSpace(string(out)), nil
	}
	id, err := git("rev-parse", "--verify", "--short", commit+"^{commit}")
	if err != nil {
		return err
	}
	tree, err := os.MkdirTemp(o.Folder, "tree-"+id+"-")
	if err != nil {
		return fmt.Errorf("system: %w", err)
	}
	if _, err := git("worktree", "add", "--quiet", "--detach", tree, id); err != nil {
		return err
	}
	defer func() { _, _ = git("worktree", "remove", "--force", tree) }() // its folder goes at the end anyway
	o.Wactor, o.Flow = filepath.Join(o.Folder, "wactor-"+id), filepath.Join(o.Folder, "flow-"+id+".yaml")
	flow, err := os.ReadFile(filepath.Join(tree, "examples", "counter", "flow.yaml"))
	if err == nil {
		err = os.WriteFile(o.Flow, flow, 0o644)
	}
	if err != nil {
		return fmt.Errorf("system: the counter's flow at %s: %w", id, err)
	}
	return build(ctx, tree, o.Wactor, "./cmd/wactor")
}
