// Package lint holds the rules of this repository that no compiler knows, and runs them as a test.
//
//   - Imports point down the layers, siblings of a layer do not import each other, and L0 is pure
//     (layers.go, purity.go), also by what its imports import (reach.go), and does nothing in the
//     order of a map (order.go).
//   - Each package has a package doc, each exported identifier a comment (comments.go).
//   - A file of more than 400 lines asks whether it holds two things (size.go). So does a struct of
//     more than 16 fields, a type of more than 30 methods, a package of more than 25 files
//     (walls.go).
//   - Code has up to 120 columns, comments up to 100 (columns.go).
//   - Code and documents use the words of ARCHITECTURE.md's glossary, and not those that it bans
//     (words.go). testdata/words counts by folder those that are left.
//   - Tests that the documents name exist (named.go).
//   - Records of decisions have their parts, and the recipes of CONTRIBUTING.md name what exists
//     (documents.go).
//   - docs/dependencies.md lists what is depended on, with its reason (dependencies.go).
//
// A rule is a function over parsed files that returns findings; each finding says what to do. Tests
// of the code are free: they may import what they like, and be as long as their cases.
package lint
