package lint

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
)

// Bounds on what may share one state. A slice that is too large is cured by smaller structs, not by
// more files.
const (
	maxFields  = 16
	maxMethods = 30
	maxFiles   = 25
)

// oldSinners broke a bound when it was made, one a line, sorted. The list may only shrink: a name
// on it that breaks no bound any more is a finding too.
var oldSinners = []string{}

// CheckWalls finds structs, types and packages that hold too much.
func CheckWalls(packages []*Package) []Finding { return checkWalls(packages, oldSinners) }

func checkWalls(packages []*Package, sinners []string) []Finding {
	var found []Finding
	broken := map[string]bool{}
	bound := func(place, name, what string, count, limit int) {
		if count <= limit {
			return
		}
		name += " " + what
		broken[name] = true
		if !slices.Contains(sinners, name) {
			found = append(found, Finding{
				Place: place, Message: fmt.Sprintf("%s: %d, more than %d", name, count, limit),
				Remedy: "ask which parts of it change together, and give each part a home of its own",
			})
		}
	}
	for _, p := range packages {
		files := slices.DeleteFunc(p.code(), func(f *File) bool { return f.Generated })
		if len(files) == 0 {
			continue
		}
		bound(p.Path, p.Path, "files", len(files), maxFiles)
		methods, places := map[string]int{}, map[string]string{}
		for _, file := range files {
			structs(file, func(name string, node ast.Node, fields int) {
				bound(file.at(node), p.Path+"."+name, "fields", fields, maxFields)
			})
			for _, method := range methodsOf(file) {
				methods[method.receiver]++
				places[method.receiver] = file.at(method.node)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(methods)) {
			bound(places[name], p.Path+"."+name, "methods", methods[name], maxMethods)
		}
	}
	return append(found, innocent(sinners, broken)...)
}

// innocent finds names on the list of sinners that are none, or are out of order.
func innocent(sinners []string, broken map[string]bool) []Finding {
	var found []Finding
	for i, name := range sinners {
		switch {
		case !broken[name]:
			found = append(found, Finding{Place: "internal/lint/walls.go", Message: name + " breaks no bound any more",
				Remedy: "take it off oldSinners"})
		case i > 0 && sinners[i-1] >= name:
			found = append(found, Finding{Place: "internal/lint/walls.go", Message: name + " is out of order",
				Remedy: "sort oldSinners"})
		}
	}
	return found
}

// structs calls each with every struct of a file that has a name, and its number of fields. An
// embedded field counts as one, and so does a struct within the struct.
func structs(file *File, each func(name string, node ast.Node, fields int)) {
	ast.Inspect(file.Syntax, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if body, ok := spec.Type.(*ast.StructType); ok {
			fields := 0
			for _, field := range body.Fields.List {
				fields += max(1, len(field.Names))
			}
			each(spec.Name.Name, spec, fields)
		}
		return true
	})
}

type method struct {
	receiver string
	node     ast.Node
}

func methodsOf(file *File) []method {
	var methods []method
	for _, declaration := range file.Syntax.Decls {
		if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv != nil {
			if name := receiverName(function); name != nil {
				methods = append(methods, method{receiver: name.Name, node: function})
			}
		}
	}
	return methods
}

// receiverName returns the type that a method belongs to.
func receiverName(function *ast.FuncDecl) *ast.Ident {
	receiver := function.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.ParenExpr:
			receiver = r.X
		case *ast.IndexExpr:
			receiver = r.X
		case *ast.IndexListExpr:
			receiver = r.X
		case *ast.Ident:
			return r
		default:
			return nil
		}
	}
}
