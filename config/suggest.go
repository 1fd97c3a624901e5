package config

import "slices"

// nearest returns the word most like one that was written, or "" where none is alike enough to be
// meant.
func nearest(written string, words []string) string {
	if len(written) > 64 {
		return ""
	}
	best, distance := "", max(2, len(written)/3)+1
	for _, word := range slices.Sorted(slices.Values(words)) {
		if d := editDistance(written, word); d < distance && d < len(word) {
			best, distance = word, d
		}
	}
	return best
}

// editDistance counts the characters to insert, delete, replace or swap with their neighbour
// (optimal string alignment).
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
