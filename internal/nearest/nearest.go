// Package nearest finds the name that a person probably meant, to offer it in an error.
package nearest

import "strings"

// maxName bounds what is compared, in bytes; a longer text is no slip of a known name.
const maxName = 64

// Word returns the name nearest to one that was written, the first in alphabetical order of equally
// near ones. Case does not count. It returns "" where no name is near enough to be meant: at most a
// third of the letters may be wrong, and one or two of a short name.
func Word(written string, names []string) string {
	best, least := "", min(len(written)/3+2, len(written)) // every name is near to a single letter
	for _, name := range names {
		d := distance(strings.ToLower(written), strings.ToLower(name))
		if d < least && d < len(name) || d == least && best != "" && name < best {
			best, least = name, d
		}
	}
	return best
}

// Remedy returns "did you mean NAME?", or otherwise where no name is near.
func Remedy(written string, names []string, otherwise string) string {
	if name := Word(written, names); name != "" {
		return "did you mean " + name + "?"
	}
	return otherwise
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into
// b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > maxName || len(b) > maxName {
		return maxName
	}
	var before, last, row [maxName + 1]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
