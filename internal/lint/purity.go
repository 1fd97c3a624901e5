package lint

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// impure are packages that reach outside of the process, or differ from run to run. What is below
// one is impure as well, save for the parsers in harmless.
var impure = []string{
	"crypto/rand", "database", "hash/maphash", "io/ioutil", "log", "math/rand", "net", "os", "os/exec", "plugin",
	"runtime", "syscall", "testing", "unsafe",
}

var harmless = []string{"net/netip", "net/textproto", "net/url"}

// pureModules are the modules of others that L0 may import: they compute, and nothing else.
var pureModules = []string{
	"github.com/cespare/xxhash/v2", "github.com/expr-lang/expr", "github.com/goccy/go-yaml",
	"golang.org/x/text", "google.golang.org/protobuf",
}

// impureNames are functions and variables of packages that are harmless otherwise.
var impureNames = map[string][]string{
	"time": {"After", "AfterFunc", "LoadLocation", "Local", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick",
		"Until"},
	"fmt": {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"context": {
		"WithDeadline", "WithDeadlineCause", "WithTimeout", "WithTimeoutCause", // they read the clock and start timers
	},
	"path/filepath": {"Abs", "EvalSymlinks", "Glob", "Walk", "WalkDir"},
}

const pureRemedy = "L0 is pure: let the time, the value or the random number come in with the event, or return the " +
	"work as an effect"

// CheckPurity finds I/O, clocks, goroutines and randomness in L0. The generated code of proto is
// left out: the protobuf runtime keeps tables of its own.
func CheckPurity(packages []*Package) []Finding {
	var found []Finding
	for _, p := range packages {
		if layer, known := layerOf(p.Path); !known || layer != Pure {
			continue
		}
		for _, file := range p.code() {
			if !file.Generated {
				found = append(found, impureImports(file)...)
				found = append(found, impureSyntax(file)...)
			}
		}
	}
	return found
}

func impureImports(file *File) []Finding {
	var found []Finding
	for _, spec := range file.Syntax.Imports {
		if imported := importPath(spec); !mayImport(imported) {
			found = append(found, Finding{Place: file.at(spec), Message: "imports " + imported, Remedy: pureRemedy})
		}
	}
	return found
}

func mayImport(imported string) bool {
	within := func(parent string) bool { return imported == parent || strings.HasPrefix(imported, parent+"/") }
	switch first, _, _ := strings.Cut(imported, "/"); {
	case within(Module): // CheckLayers knows these
		return true
	case strings.Contains(first, "."):
		return slices.ContainsFunc(pureModules, within)
	}
	return slices.Contains(harmless, imported) || !slices.ContainsFunc(impure, within)
}

func impureSyntax(file *File) []Finding {
	var found []Finding
	names := importNames(file)
	ast.Inspect(file.Syntax, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.GoStmt:
			found = append(found, Finding{Place: file.at(n), Message: "starts a goroutine", Remedy: pureRemedy})
		case *ast.SelectorExpr:
			if imported := packageOf(n, names); slices.Contains(impureNames[imported], n.Sel.Name) {
				found = append(found, Finding{Place: file.at(n), Message: "uses " + imported + "." + n.Sel.Name,
					Remedy: pureRemedy})
			}
		}
		return true
	})
	return found
}

// importNames maps the names by which a file calls its imports to their paths.
func importNames(file *File) map[string]string {
	names := map[string]string{}
	for _, spec := range file.Syntax.Imports {
		imported := importPath(spec)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	return names
}

// packageOf returns the package of a qualified name such as time.Now. A variable that is called
// like a package is taken for it: such a name would mislead readers too.
func packageOf(selector *ast.SelectorExpr, names map[string]string) string {
	if identifier, ok := selector.X.(*ast.Ident); ok {
		return names[identifier.Name]
	}
	return ""
}
