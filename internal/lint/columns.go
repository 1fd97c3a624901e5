package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"unicode/utf8"
)

// Lines are read beside others: in a diff, in a second window. Comments are prose, and prose is
// read best in short lines.
const (
	maxColumns        = 120
	maxCommentColumns = 100
	tabColumns        = 4
)

// CheckColumns finds lines that are too long. Lines with a part of a raw string are free, as the
// text in them is what it is.
func CheckColumns(packages []*Package) []Finding {
	var found []Finding
	for _, p := range packages {
		for _, file := range p.Files {
			if !file.Generated {
				found = append(found, longLines(file)...)
			}
		}
	}
	return found
}

func longLines(file *File) []Finding {
	var found []Finding
	raw := rawLines(file)
	for i, line := range file.source {
		limit, what, remedy := maxColumns, "columns", "wrap it"
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "// ") && strings.Contains(text[3:], " ") {
			limit, what, remedy = maxCommentColumns, "columns of comment", "wrap the comment"
		}
		if count := columns(line); count > limit && !raw[i+1] {
			found = append(found, Finding{Place: fmt.Sprintf("%s:%d", file.Path, i+1),
				Message: fmt.Sprintf("%d %s, more than %d", count, what, limit), Remedy: remedy})
		}
	}
	return found
}

// rawLines returns the lines that hold a part of a raw string.
func rawLines(file *File) map[int]bool {
	raw := map[int]bool{}
	ast.Inspect(file.Syntax, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if ok && literal.Kind == token.STRING && strings.HasPrefix(literal.Value, "`") {
			first := file.positions.Position(literal.Pos()).Line
			for line := range strings.Count(literal.Value, "\n") + 1 {
				raw[first+line] = true
			}
		}
		return true
	})
	return raw
}

func columns(line string) int {
	return utf8.RuneCountInString(line) + strings.Count(line, "\t")*(tabColumns-1)
}
