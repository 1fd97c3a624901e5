package lint

import (
	"testing"
	"testing/fstest"
)

func TestDocumentsNameTestsThatExist(t *testing.T) {
	found, err := CheckNamedTests(repository, parseRepository(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range found {
		t.Error(finding)
	}
}

func TestNamesOfMissingTestsAreFound(t *testing.T) {
	const page = "`TestHere` and `FuzzHere`\n| x | `TestGone`, `FuzzGone`, TestProse |\n"
	documents := fstest.MapFS{"docs/a.md": {Data: []byte(page)}}
	found, err := CheckNamedTests(documents, module(t, map[string]string{
		"a/a_test.go": "func TestHere() {}\nfunc FuzzHere() {}\n",
		"a/a.go":      "// TestGone is here.\nfunc TestGone() {}\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	wantFindings(t, found, "docs/a.md:2: no test is called TestGone", "docs/a.md:2: no test is called FuzzGone")
}
