package system

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/wactor/wactor/bench/machine"
	"github.com/wactor/wactor/bench/measure"
	"github.com/wactor/wactor/bench/store"
)

// Build builds Wactor from the folder of its module, and says how systems run in a folder.
func Build(ctx context.Context, module, folder string) (Options, error) {
	module, err := filepath.Abs(module)
	if err != nil {
		return Options{}, err
	}
	ports := &machine.Ports{}
	graph, err := ports.Free()
	if err != nil {
		return Options{}, err
	}
	o := Options{
		Folder: folder, Ports: ports, Stores: &store.Host{Folder: folder, Ports: ports},
		Wactor: filepath.Join(folder, "wactor"), Strategy: filepath.Join(folder, "strategy"),
		Flow:  filepath.Join(module, "examples", "counter", "flow.yaml"),
		Graph: machine.Loopback(graph), PhoneNumberID: "100000000000001", AppSecret: "bench-app-secret",
		AccessToken: "bench-token",
	}
	return o, build(ctx, module, o.Wactor, "./cmd/wactor")
}

// BuildStrategies builds the program of the strategies, too.
func (o Options) BuildStrategies(ctx context.Context, module string) error {
	return build(ctx, filepath.Join(module, "bench"), o.Strategy, "./cmd/strategy")
}

func build(ctx context.Context, module, program, path string) error {
	run := exec.CommandContext(ctx, "go", "build", "-o", program, path)
	run.Dir = module
	if out, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w: %s", path, err, out)
	}
	return nil
}

// Generator is a load generator for the systems.
func (o Options) Generator() *measure.Generator {
	return &measure.Generator{Wactor: o.Wactor, Graph: o.Graph, PhoneNumberID: o.PhoneNumberID, AppSecret: o.AppSecret,
		AccessToken: o.AccessToken}
}
