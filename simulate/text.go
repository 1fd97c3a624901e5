package simulate

import (
	"strconv"
	"strings"
)

// text is what a user writes: "<run> <user>.<k>", which no other message of this run or another
// has.
func (m ref) text(run string) string {
	return run + " " + strconv.Itoa(m.user) + "." + strconv.Itoa(m.k)
}

// between stands between the texts of a reply that answers several messages.
const between = " | "

// readReply reads a counter's "step <n>: <text>", or "step <n>: <text> | <text>" where a turn took
// several messages; false where a reply is none, or answers no messages of any one run.
func readReply(reply string) (step int64, run string, to []ref, ok bool) {
	rest, ok1 := strings.CutPrefix(reply, "step ")
	digits, texts, ok2 := strings.Cut(rest, ": ")
	step, err := strconv.ParseInt(digits, 10, 64)
	if !ok1 || !ok2 || err != nil || step < 1 {
		return 0, "", nil, false
	}
	for text := range strings.SplitSeq(texts, between) {
		of, message, ok := readText(text)
		if !ok || run != "" && of != run {
			return 0, "", nil, false
		}
		run, to = of, append(to, message)
	}
	return step, run, to, true
}

// readText is the inverse of ref.text.
func readText(text string) (run string, m ref, ok bool) {
	run, number, ok1 := strings.Cut(text, " ")
	before, after, ok2 := strings.Cut(number, ".")
	user, err1 := strconv.ParseUint(before, 10, 31)
	k, err2 := strconv.ParseUint(after, 10, 31)
	if !ok1 || !ok2 || run == "" || err1 != nil || err2 != nil {
		return "", ref{}, false
	}
	return run, ref{int(user), int(k)}, true
}
