package lint

import (
	"slices"
	"testing"
)

// toolchainOf lists the packages of L0.
func toolchainOf(t *testing.T, packages []*Package) *Toolchain {
	t.Helper()
	var patterns []string
	for _, p := range packages {
		if layer, known := layerOf(p.Path); known && layer == Pure && p.hasCode() {
			patterns = append(patterns, "./"+p.Path)
		}
	}
	toolchain, err := NewToolchain("../..", patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return toolchain
}

func TestPureCodeIsPureAllTheWay(t *testing.T) {
	packages := parseRepository(t)
	toolchain := toolchainOf(t, packages)
	found, err := CheckOrder(packages, toolchain)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range append(found, CheckReach(toolchain)...) {
		t.Error(finding)
	}
}

func TestOrderOfMapsIsFound(t *testing.T) {
	packages := module(t, map[string]string{"conversation/a.go": `package conversation

import (
	"maps"
	"reflect"
	"slices"
)

type table map[string]int

func a[M ~map[string]int](m table, n map[int]bool, o M, list []int) {
	for range m { //lint:order nothing is read
	}
	for range m { //lint:order
	}
	for range m { //lint:order the reason of another loop
		for range m {
		}
	}
	//lint:order each is deleted by itself
	for key := range n {
		delete(n, key)
	}
	for range list {
	}
	for range o {
	}
	for range slices.Sorted(maps.Keys(m)) {
	}
	for range slices.SortedFunc((maps.Values[map[int]bool](n)), nil) {
	}
	for range maps.Keys(m) {
	}
	_ = slices.Collect(maps.Values(n))
	_ = reflect.ValueOf(m).MapKeys()
}
`})
	toolchain, err := NewToolchain(".", "maps", "slices", "reflect")
	if err != nil {
		t.Fatal(err)
	}
	toolchain.listed[Module+"/conversation"] = Listed{GoFiles: []string{"a.go"}}
	found, err := CheckOrder(packages, toolchain)
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, found,
		"conversation/a.go:14: ranges over the map m",
		"conversation/a.go:17: ranges over the map m",
		"conversation/a.go:26: ranges over the map o",
		"conversation/a.go:32: uses maps.Keys unsorted",
		"conversation/a.go:34: uses maps.Values unsorted",
		"conversation/a.go:35: uses (reflect.Value).MapKeys unsorted",
	)
}

func TestReachOfPureCodeIsFound(t *testing.T) {
	listed := map[string]Listed{
		"os":                              {Standard: true, Imports: []string{"syscall"}},
		Module + "/conversation":          {},
		Module + "/actors":                {},
		"example.com/unknown":             {},
		"github.com/expr-lang/expr/x":     {Imports: []string{"os", "strings"}},
		"github.com/expr-lang/expr/y":     {Imports: []string{"net/url"}},
		"github.com/goccy/go-yaml":        {Imports: []string{"os"}},
		"github.com/goccy/go-yaml/parser": {Imports: []string{"strings"}},
	}
	found := CheckReach(&Toolchain{listed: listed})
	found = slices.DeleteFunc(found, func(f Finding) bool {
		return f.Place == "internal/lint/reach.go" && f.Message != "github.com/goccy/go-yaml/parser os needs no excuse"
	})
	wantFindings(t, found,
		"example.com/unknown: is reached from L0, and is in no module of pureModules",
		"github.com/expr-lang/expr/x: is reached from L0, and imports os",
		"actors: is reached from L0, and is not of it",
		"internal/lint/reach.go: github.com/goccy/go-yaml/parser os needs no excuse",
	)
}
