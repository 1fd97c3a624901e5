package fit

import (
	"strconv"
	"strings"
)

// Titles cuts titles at a limit, in characters, so that no two are alike: of those that would be,
// the middle is left out in place of the end where that helps, and else all are numbered. A blank
// title becomes its number.
func Titles(titles []string, limit int) []string {
	out := make([]string, len(titles))
	for i, title := range titles {
		if out[i] = Cut(title, limit); strings.TrimSpace(title) == "" {
			out[i] = strconv.Itoa(i + 1)
		}
	}
	if distinct(out) {
		return out
	}
	shortened := withoutMiddles(titles, out, limit)
	if distinct(shortened) {
		return shortened
	}
	for i, title := range titles {
		number := strconv.Itoa(i+1) + "."
		out[i] = strings.TrimRight(number+" "+Cut(strings.TrimSpace(title), limit-len(number)-1), " ")
	}
	return out
}

func distinct(titles []string) bool {
	for i, title := range titles {
		for _, other := range titles[:i] {
			if title == other {
				return false
			}
		}
	}
	return true
}

// withoutMiddles shortens in the middle what would be alike when cut at the end.
func withoutMiddles(titles, cut []string, limit int) []string {
	out := make([]string, len(titles))
	for i := range titles {
		common := -1
		for j := range titles {
			if i != j && cut[i] == cut[j] {
				common = max(common, commonPrefix(titles[i], titles[j]))
			}
		}
		if out[i] = cut[i]; common >= 0 && strings.TrimSpace(titles[i]) != "" {
			out[i] = withoutMiddle([]rune(titles[i]), common, limit)
		}
	}
	return out
}

func commonPrefix(a, b string) int {
	left, right := []rune(a), []rune(b)
	n := 0
	for n < len(left) && n < len(right) && left[n] == right[n] {
		n++
	}
	return n
}

// withoutMiddle keeps the end of a title from the word on in which it differs from others, and as
// much of its beginning as fits before it.
func withoutMiddle(title []rune, differs, limit int) string {
	if len(title) <= limit {
		return string(title)
	}
	for differs > 0 && title[min(differs, len(title))-1] != ' ' {
		differs--
	}
	tail := []rune(Cut(string(title[differs:]), limit*2/3))
	head := strings.TrimRight(string(title[:limit-1-len(tail)]), " ")
	return head + "…" + string(tail)
}
