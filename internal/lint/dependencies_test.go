package lint

import (
	"testing"
	"testing/fstest"
)

func TestDependencyPage(t *testing.T) {
	found, err := CheckDependencies(repository, parseRepository(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range found {
		t.Error(finding)
	}
}

func TestDependencies(t *testing.T) {
	root := fstest.MapFS{
		"go.mod": {Data: []byte(`module github.com/wactor/wactor

go 1.26

require example.com/alone v1.0.0

require (
	example.com/a v1.0.0 // indirect
	example.com/a/v2 v2.0.0
	example.com/b v1.0.0
	example.com/unused v1.0.0
)
`)},
		"tools/go.mod": {Data: []byte("tool example.com/t/cmd/one\ntool (\n\texample.com/u/cmd/two\n)\n" +
			"require (\n\texample.com/t v1.0.0\n\texample.com/u v1.0.0\n)\n")},
		DependencyPage: {Data: []byte("## In the program\n" +
			"| module | for | why this one | licence | without it |\n| --- | --- | --- | --- | --- |\n" +
			"| `example.com/a/v2` | a | b | c | d |\n| `example.com/b` | a | | c | d |\n" +
			"| `example.com/unused` | a | b | c | d |\n" +
			"## In tests\n| `example.com/alone` | a | b | c | d |\n" +
			"## Tools\n| `example.com/t` | a | b | c |\n")},
	}
	found, err := CheckDependencies(root, module(t, map[string]string{
		"a/a.go":      importing("example.com/a/sub", "example.com/a/v2/sub", "fmt", Module+"/b", "example.com/ab"),
		"a/a_test.go": importing("example.com/b", "example.com/a"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, found,
		"a/a.go:7: example.com/ab is in no module of go.mod",
		DependencyPage+": example.com/b has not all of its cells",
		DependencyPage+": example.com/t has not all of its cells",
		DependencyPage+": example.com/a has no line under In the program",
		DependencyPage+": example.com/b is listed under In the program, but is not used there",
		DependencyPage+": example.com/unused is listed under In the program, but is not used there",
		DependencyPage+": example.com/b has no line under In tests",
		DependencyPage+": example.com/alone is listed under In tests, but is not used there",
		DependencyPage+": example.com/u has no line under Tools",
	)
}

func TestDependenciesWithoutPage(t *testing.T) {
	if _, err := CheckDependencies(fstest.MapFS{"go.mod": {}, "tools/go.mod": {}}, nil); err == nil {
		t.Error("a missing page was not noticed")
	}
}
