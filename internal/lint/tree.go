package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the path of this module.
const Module = "github.com/wactor/wactor"

// Finding is one place where a rule is broken.
type Finding struct {
	// Place is a file with its line, or a package.
	Place string
	// Message says which rule is broken.
	Message string
	// Remedy says what to do.
	Remedy string
}

// String returns "place: message; remedy".
func (f Finding) String() string { return f.Place + ": " + f.Message + "; " + f.Remedy }

// Package is one folder with Go files.
type Package struct {
	// Path is the folder, from the module's root.
	Path  string
	Files []*File
}

// File is one parsed Go file.
type File struct {
	// Path is from the module's root.
	Path      string
	Test      bool
	Generated bool
	Lines     int
	Syntax    *ast.File
	source    []string // its lines
	positions *token.FileSet
}

// Parse reads all packages of a module, sorted by path. It reads every file whatever its build
// constraints, since a rule holds on every machine, and skips what the go command skips: testdata,
// vendor, and names that begin with a dot or underscore.
func Parse(root fs.FS) ([]*Package, error) {
	byPath, positions := map[string]*Package{}, token.NewFileSet()
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return skip(root, name)
		case path.Ext(name) != ".go" || hidden(path.Base(name)):
			return nil
		}
		file, err := parseFile(root, name, positions)
		if err != nil {
			return err
		}
		folder := path.Dir(name)
		if byPath[folder] == nil {
			byPath[folder] = &Package{Path: folder}
		}
		byPath[folder].Files = append(byPath[folder].Files, file)
		return nil
	})
	packages := make([]*Package, 0, len(byPath))
	for _, p := range byPath {
		packages = append(packages, p)
	}
	slices.SortFunc(packages, func(a, b *Package) int { return strings.Compare(a.Path, b.Path) })
	return packages, err
}

func skip(root fs.FS, name string) error {
	if name == "." {
		return nil
	}
	base := path.Base(name)
	if hidden(base) || base == "testdata" || base == "vendor" || base == "node_modules" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, name+"/go.mod"); err == nil {
		return fs.SkipDir // another module
	}
	return nil
}

func hidden(base string) bool { return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") }

func parseFile(root fs.FS, name string, positions *token.FileSet) (*File, error) {
	source, err := fs.ReadFile(root, name)
	if err != nil {
		return nil, err
	}
	syntax, err := parser.ParseFile(positions, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("lint: parse: %w", err)
	}
	return &File{
		Path: name, Test: strings.HasSuffix(name, "_test.go"), Generated: ast.IsGenerated(syntax),
		Lines: strings.Count(string(source), "\n"), Syntax: syntax, positions: positions,
		source: strings.Split(string(source), "\n"),
	}, nil
}

// at returns the place of a node.
func (f *File) at(node ast.Node) string {
	return f.Path + ":" + strconv.Itoa(f.positions.Position(node.Pos()).Line)
}

// importedPackage is a package of this module that a file imports.
type importedPackage struct{ path, place string }

// imports returns what the package's code, not its tests, imports from this module.
func (p *Package) imports() []importedPackage {
	var imported []importedPackage
	for _, file := range p.code() {
		for _, spec := range file.Syntax.Imports {
			if inside, ok := strings.CutPrefix(importPath(spec), Module+"/"); ok {
				imported = append(imported, importedPackage{path: inside, place: file.at(spec)})
			}
		}
	}
	return imported
}

// code returns the files that are no tests.
func (p *Package) code() []*File {
	return slices.DeleteFunc(slices.Clone(p.Files), func(f *File) bool { return f.Test })
}

func (p *Package) tests() []*File {
	return slices.DeleteFunc(slices.Clone(p.Files), func(f *File) bool { return !f.Test })
}

func (p *Package) hasCode() bool { return len(p.code()) > 0 }

func importPath(spec *ast.ImportSpec) string {
	unquoted, _ := strconv.Unquote(spec.Path.Value) // can't fail: it was parsed
	return unquoted
}
