package lint

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestDocumentsNameWhatExists(t *testing.T) {
	records, err := CheckRecords(repository)
	if err != nil {
		t.Fatal(err)
	}
	recipes, err := CheckRecipes(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range append(records, recipes...) {
		t.Error(finding)
	}
}

func TestRecords(t *testing.T) {
	const body = "\n\n## Context\n\n## Decision\n\n## Consequences\n"
	found, err := CheckRecords(fstest.MapFS{
		"docs/adr/0001-good.md":     {Data: []byte("# 1. Good" + body)},
		"docs/adr/0002-number.md":   {Data: []byte("# 3. Number" + body)},
		"docs/adr/0004-heading.md":  {Data: []byte("# 4. Heading\n## Decision\n## Context\n")},
		"docs/adr/0004-twice.md":    {Data: []byte("# 4. Twice" + body + strings.Repeat("\n", maxRecord))},
		"docs/adr/0005-Shouting.md": {},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, found,
		"docs/adr/0002-number.md: does not begin with its number",
		"docs/adr/0004-heading.md: has number 4, and is the 3. of its folder",
		`docs/adr/0004-heading.md: has the headings ["## Decision" "## Context"]`,
		"docs/adr/0004-twice.md: 47 lines, more than 40",
		"docs/adr/0005-Shouting.md: is no name of a record",
	)
}

func TestRecipes(t *testing.T) {
	root := fstest.MapFS{
		"a/b.go": {},
		recipePage: {Data: []byte("`x/none.go`\n## How to change\n### A burst policy\n`a/b.go`, `a/`, `a/<name>.go`, " +
			"`<x>/y`\n1. `a/c.go` and `c/<name>.go`, `wactor check`, `a.b/c d`\n`none.md`\n" +
			"### A message type\n### The placement rule\n### A CLI command\n### A provider\n## More\n`x/none.go`\n")},
	}
	found, err := CheckRecipes(root)
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, found,
		recipePage+":5: there is no a/c.go",
		recipePage+":5: there is no c/<name>.go",
		recipePage+":6: there is no none.md",
		recipePage+": has no recipe for: A page",
	)
}
