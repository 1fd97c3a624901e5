package lint

import (
	"go/ast"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

var namedTest = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")

// CheckNamedTests finds tests that the documents name and that do not exist. A promise that names
// its test is worth as much as the name.
func CheckNamedTests(root fs.FS, packages []*Package) ([]Finding, error) {
	defined := map[string]bool{}
	for _, p := range packages {
		for _, file := range p.tests() {
			for _, declaration := range file.Syntax.Decls {
				if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
					defined[function.Name.Name] = true
				}
			}
		}
	}
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md"} {
		names, err := fs.Glob(root, pattern)
		if err != nil {
			return nil, err
		}
		documents = append(documents, names...)
	}
	var found []Finding
	for _, name := range documents {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return nil, err
		}
		for number, line := range strings.Split(string(text), "\n") {
			for _, match := range namedTest.FindAllStringSubmatch(line, -1) {
				if !defined[match[1]] {
					found = append(found, Finding{Place: name + ":" + strconv.Itoa(number+1),
						Message: "no test is called " + match[1], Remedy: "name the test that holds this, or write it"})
				}
			}
		}
	}
	return found, nil
}
