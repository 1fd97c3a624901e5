package deploytest

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/wactor/wactor/config"
)

var composeEnv = []string{
	"WACTOR_SECRET=0123456789abcdef0123456789abcdef", "WACTOR_ADMIN_TOKEN=an-admin-token-of-some-length",
	"PHONE_NUMBER_ID=1", "VERIFY_TOKEN=v", "APP_SECRET=s", "ACCESS_TOKEN=t",
}

func loadCompose(t *testing.T, file string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "deploy/compose", file)},
		cli.WithEnv(composeEnv), cli.WithProfiles([]string{"*"}), cli.WithResolvedPaths(true),
		cli.WithLoadOptions())
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// TestComposeFilesAreValid by Compose's own loader, and each node's environment makes the
// configuration complete.
func TestComposeFilesAreValid(t *testing.T) {
	for file, nodes := range map[string]int{"one.yaml": 1, "three.yaml": 3} {
		project, found := loadCompose(t, file), 0
		for name, service := range project.Services {
			if !strings.HasPrefix(name, "node-") {
				continue
			}
			found++
			if !service.ReadOnly || len(service.CapDrop) != 1 || service.CapDrop[0] != "ALL" {
				t.Errorf("%s: %s may do more than it needs", file, name)
			}
			c, err := config.Load(filepath.Join(root, "deploy/compose/wactor.yaml"), func(key string) (string, bool) {
				if value := service.Environment[key]; value != nil {
					return *value, true
				}
				for _, line := range composeEnv {
					if value, ok := strings.CutPrefix(line, key+"="); ok {
						return value, true
					}
				}
				return "", false
			}, kinds)
			if err != nil {
				t.Fatalf("%s: %s: %v", file, name, err)
			}
			if c.Node.Name != name || c.Cluster.Expect != nodes {
				t.Errorf("%s: %s is %s and expects %d nodes", file, name, c.Node.Name, c.Cluster.Expect)
			}
		}
		if found != nodes {
			t.Errorf("%s has %d nodes, want %d", file, found, nodes)
		}
	}
}
