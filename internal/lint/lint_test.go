package lint

import (
	"os"
	"testing"
)

// repository is the root of the module.
var repository = os.DirFS("../..")

func parseRepository(t *testing.T) []*Package {
	t.Helper()
	packages, err := Parse(repository)
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 10 {
		t.Fatalf("only %d packages found", len(packages))
	}
	return packages
}

func TestRepository(t *testing.T) {
	packages := parseRepository(t)
	for name, check := range map[string]func([]*Package) []Finding{
		"layers": CheckLayers, "purity": CheckPurity, "size": CheckSize, "comments": CheckComments,
		"walls": CheckWalls, "columns": CheckColumns,
	} {
		t.Run(name, func(t *testing.T) {
			for _, finding := range check(packages) {
				t.Error(finding)
			}
		})
	}
}
