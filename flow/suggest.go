package flow

import (
	"slices"
	"strings"
)

// suggest returns the name that was probably meant, the first of equally near ones; empty where
// none is near.
func suggest(wrong string, names []string) string {
	best, least := "", min(len(wrong)/3+2, len(wrong)) // of a name of one letter every other one is near
	for _, name := range names {
		d := distance(strings.ToLower(wrong), strings.ToLower(name))
		if d < least || d == least && best != "" && name < best {
			best, least = name, d
		}
	}
	return best
}

// remedyFor offers the nearest name, or all of them where none is near and they are few.
func remedyFor(wrong string, names []string) string {
	if near := suggest(wrong, names); near != "" {
		return "did you mean " + near + "?"
	}
	if len(names) == 0 || len(names) > 16 {
		return ""
	}
	names = slices.Clone(names)
	slices.Sort(names)
	return "known: " + strings.Join(names, ", ")
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that turn a into
// b. Names are short; what is longer than any name is far from all.
func distance(a, b string) int {
	if len(a) > MaxName || len(b) > MaxName {
		return MaxName
	}
	var before, last, row [MaxName + 1]int
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
