package lint

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// known are methods whose meaning an interface of the standard library gives.
var known = []string{"Error", "Format", "Len", "Less", "LogValue", "MarshalJSON", "MarshalText", "Read", "ServeHTTP",
	"String", "Swap", "Unwrap", "Write"}

// CheckComments finds packages without a package doc and exported identifiers without a comment.
func CheckComments(packages []*Package) []Finding {
	var found []Finding
	for _, p := range packages {
		files := slices.DeleteFunc(slices.Clone(p.Files), func(f *File) bool { return f.Generated })
		if len(files) == 0 {
			continue
		}
		if !documented(files) {
			found = append(found, Finding{
				Place: p.Path, Message: "package has no doc",
				Remedy: `write what it promises above a package clause, beginning "Package ` +
					files[0].Syntax.Name.Name + `"`,
			})
		}
		for _, file := range files {
			if !file.Test {
				found = append(found, uncommented(file)...)
			}
		}
	}
	return found
}

// documented reports whether one of a package's files has its doc. The doc of a program may begin
// as it likes.
func documented(files []*File) bool {
	return slices.ContainsFunc(files, func(f *File) bool {
		doc, name := f.Syntax.Doc.Text(), f.Syntax.Name.Name
		return name == "main" && doc != "" || strings.HasPrefix(doc, "Package "+name)
	})
}

func uncommented(file *File) []Finding {
	var found []Finding
	add := func(node ast.Node, name string) {
		found = append(found, Finding{Place: file.at(node), Message: name + " has no comment",
			Remedy: "say what it promises: units, limits, errors"})
	}
	for _, declaration := range file.Syntax.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && !obvious(d) {
				add(d, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, name := range uncommentedNames(d) {
				add(name, name.Name)
			}
		}
	}
	return found
}

// obvious reports methods that need no comment: those of the standard library's interfaces, and of
// types that are not exported.
func obvious(function *ast.FuncDecl) bool {
	if function.Recv == nil {
		return false
	}
	if slices.Contains(known, function.Name.Name) {
		return true
	}
	name := receiverName(function)
	return name != nil && !name.IsExported()
}

// uncommentedNames returns the exported names of a declaration that have no comment. Constants and
// variables of one group may share that of the group.
func uncommentedNames(group *ast.GenDecl) []*ast.Ident {
	var names []*ast.Ident
	for _, spec := range group.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Doc == nil && (group.Doc == nil || group.Lparen.IsValid()) {
				names = append(names, s.Name)
			}
			names = append(names, uncommentedMethods(s)...)
		case *ast.ValueSpec:
			if s.Doc == nil && s.Comment == nil && group.Doc == nil && group.Tok != token.IMPORT {
				names = append(names, s.Names...)
			}
		}
	}
	return slices.DeleteFunc(names, func(n *ast.Ident) bool { return !n.IsExported() })
}

// uncommentedMethods returns the methods of an exported interface that have no comment, unless it
// has one method, of which the comment above it speaks.
func uncommentedMethods(spec *ast.TypeSpec) []*ast.Ident {
	contract, ok := spec.Type.(*ast.InterfaceType)
	if !ok || !spec.Name.IsExported() || contract.Methods.NumFields() == 1 {
		return nil
	}
	var names []*ast.Ident
	for _, method := range contract.Methods.List {
		if method.Doc == nil && method.Comment == nil {
			names = append(names, method.Names...)
		}
	}
	return slices.DeleteFunc(names, func(n *ast.Ident) bool { return slices.Contains(known, n.Name) })
}
