package lint

import "fmt"

// maxLines is how long a file may be. Most have 80 to 250 lines; one past this holds two concepts.
const maxLines = 400

// CheckSize finds files that are too long.
func CheckSize(packages []*Package) []Finding {
	var found []Finding
	for _, p := range packages {
		for _, file := range p.code() {
			if !file.Generated && file.Lines > maxLines {
				found = append(found, Finding{
					Place: file.Path, Message: fmt.Sprintf("%d lines, more than %d", file.Lines, maxLines),
					Remedy: "ask which two concepts it holds, and split it",
				})
			}
		}
	}
	return found
}
