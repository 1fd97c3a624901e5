package simulate

import (
	"fmt"
	"testing"
)

func TestReadReply(t *testing.T) {
	for text, want := range map[string]string{
		"step 3: r 12.4":                        "3 r [{12 4}] true",
		"step 3: r 12.4 ":                       "0  [] false",
		"Step 3: r 12.4":                        "0  [] false",
		"step 3: other 12.4":                    "3 other [{12 4}] true",
		"step x: r 12.4":                        "0  [] false",
		"step 0: r 12.4":                        "0  [] false",
		"step 3: r -1.4":                        "0  [] false",
		"step 3: r 12":                          "0  [] false",
		"step 99999999999999999999: r 1.1":      "0  [] false",
		"step 3: " + ref{7, 8}.text("r"):        "3 r [{7 8}] true",
		"step 3: " + ref{7, 8}.text("r") + ".9": "0  [] false",
		"":                                      "0  [] false",
		"step 3: r 1.0 | r 1.1 | r 1.3":         "3 r [{1 0} {1 1} {1 3}] true",
		"step 3: r 1.0 | q 1.1":                 "0  [] false",
		"step 3: r 1.0 | ":                      "0  [] false",
	} {
		step, run, to, ok := readReply(text)
		if got := fmt.Sprintln(step, run, to, ok); got != want+"\n" {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// FuzzReadReply: what is read names a message and a step that can exist.
func FuzzReadReply(f *testing.F) {
	f.Add("step 1: r 0.0")
	f.Add("step 99: r 123456.7")
	f.Add("step -1: r .")
	f.Fuzz(func(t *testing.T, text string) {
		step, _, to, ok := readReply(text)
		if ok && (step < 1 || len(to) == 0 || to[0].user < 0 || to[0].k < 0) {
			t.Errorf("%q: step %d of %v", text, step, to)
		}
	})
}
