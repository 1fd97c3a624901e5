package lint

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// orderFree marks a loop over a map whose result does not depend on the order, with the reason:
// above the loop or at the end of its line.
const orderFree = "//lint:order "

const orderRemedy = "a map has another order in each run: range over slices.Sorted(maps.Keys(m)), or write " +
	orderFree + "and why no result depends on it"

// unordered are functions and methods that yield the elements of a map in no order.
var unordered = map[string]bool{
	"maps.Keys": true, "maps.Values": true, "maps.All": true,
	"(reflect.Value).MapKeys": true, "(reflect.Value).MapRange": true,
	"(google.golang.org/protobuf/reflect/protoreflect.Map).Range":     true,
	"(google.golang.org/protobuf/reflect/protoreflect.Message).Range": true,
}

// sorting are functions that give what is unordered an order.
var sorting = map[string]bool{"slices.Sorted": true, "slices.SortedFunc": true, "slices.SortedStableFunc": true}

// CheckOrder finds what L0 does in the order of a map. The decisions of L0 are replayed, on another
// node at times, and must be the same ones then.
func CheckOrder(packages []*Package, toolchain *Toolchain) ([]Finding, error) {
	var found []Finding
	for _, p := range packages {
		if layer, known := layerOf(p.Path); !known || layer != Pure || !p.hasCode() {
			continue
		}
		files, info, err := toolchain.check(p)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if !file.Generated {
				found = append(found, mapOrder(file, info)...)
			}
		}
	}
	return found, nil
}

func mapOrder(file *File, info *types.Info) []Finding {
	var found []Finding
	add := func(node ast.Node, what string) {
		if !file.marked(node, orderFree) {
			found = append(found, Finding{Place: file.at(node), Message: what, Remedy: orderRemedy})
		}
	}
	sorted := map[ast.Node]bool{}
	ast.Inspect(file.Syntax, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.RangeStmt:
			if isMap(info.TypeOf(n.X)) {
				add(n, fmt.Sprintf("ranges over the map %s", types.ExprString(n.X)))
			}
		case *ast.CallExpr:
			switch name := called(n, info); {
			case sorting[name]:
				sorted[ast.Unparen(n.Args[0])] = true
			case unordered[name] && !sorted[n]:
				add(n, "uses "+name+" unsorted")
			}
		}
		return true
	})
	return found
}

// isMap reports whether a type is a map, or a parameter that may be one.
func isMap(t types.Type) bool {
	if parameter, ok := t.(*types.TypeParam); ok {
		return isMap(parameter.Constraint())
	}
	switch u := t.Underlying().(type) {
	case *types.Map:
		return true
	case *types.Interface:
		for part := range u.EmbeddedTypes() {
			if isMap(part) {
				return true
			}
		}
	case *types.Union:
		for term := range u.Terms() {
			if isMap(term.Type()) {
				return true
			}
		}
	}
	return false
}

// called returns the full name of the function or method that a call names; empty for any other.
func called(call *ast.CallExpr, info *types.Info) string {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	var name *ast.Ident
	switch f := fun.(type) {
	case *ast.Ident:
		name = f
	case *ast.SelectorExpr:
		name = f.Sel
	default:
		return ""
	}
	if function, ok := info.Uses[name].(*types.Func); ok {
		return function.FullName()
	}
	return ""
}

// marked reports whether a comment with a mark and a reason stands above a node or behind its line.
func (f *File) marked(node ast.Node, mark string) bool {
	line := f.positions.Position(node.Pos()).Line // from 1
	_, reason, ok := strings.Cut(f.source[line-1], mark)
	if !ok && line > 1 {
		reason, ok = strings.CutPrefix(strings.TrimSpace(f.source[line-2]), mark)
	}
	return ok && strings.TrimSpace(reason) != ""
}
