package simulate

import (
	"strconv"
	"strings"
)

// text is what a user writes: "<run> <user>.<k>", which no other message of this run or another has.
func (m ref) text(run string) string {
	return run + " " + strconv.Itoa(m.user) + "." + strconv.Itoa(m.k)
}

// readReply reads a counter's "step <n>: <text>"; false where a reply is none, or answers no message of any run.
func readReply(reply string) (step int64, run string, to ref, ok bool) {
	rest, ok1 := strings.CutPrefix(reply, "step ")
	digits, text, ok2 := strings.Cut(rest, ": ")
	run, number, ok3 := strings.Cut(text, " ")
	before, after, ok4 := strings.Cut(number, ".")
	step, err1 := strconv.ParseInt(digits, 10, 64)
	user, err2 := strconv.ParseUint(before, 10, 31)
	k, err3 := strconv.ParseUint(after, 10, 31)
	if !ok1 || !ok2 || !ok3 || !ok4 || err1 != nil || err2 != nil || err3 != nil || step < 1 {
		return 0, "", ref{}, false
	}
	return step, run, ref{int(user), int(k)}, true
}
