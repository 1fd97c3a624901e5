package policy

import (
	"encoding"
	"errors"
	"testing"
)

// TestEveryWordIsReadAsWritten: each word of each policy comes back from its text, and no other
// text is taken.
func TestEveryWordIsReadAsWritten(t *testing.T) {
	for _, word := range []interface {
		encoding.TextUnmarshaler
		encoding.TextMarshaler
		Words() []string
		String() string
	}{new(BurstPolicy), new(Late), new(Stale), new(Then), new(Await), new(Held)} {
		for _, text := range word.Words() {
			if err := word.UnmarshalText([]byte(text)); err != nil {
				t.Errorf("%T: %v", word, err)
			}
			if out, err := word.MarshalText(); err != nil || string(out) != text || word.String() != text {
				t.Errorf("%T: %q was written as %q, %v", word, text, out, err)
			}
		}
		for _, text := range []string{"", "none of them", word.Words()[0] + " "} {
			var unknown *ErrWord
			if err := word.UnmarshalText([]byte(text)); !errors.As(err, &unknown) || unknown.Text != text {
				t.Errorf("%T: %q was read: %v", word, text, err)
			}
		}
	}
}

func TestWordsOutOfTheListAreNumbers(t *testing.T) {
	if got := Then(7).String(); got != "(7)" {
		t.Errorf("got %q", got)
	}
}

// TestBurstPoliciesAreRows holds the table: what each policy does.
func TestBurstPoliciesAreRows(t *testing.T) {
	for policy, want := range map[BurstPolicy][4]bool{
		Enqueue:   {true, false, false, false},
		Merge:     {false, true, false, false},
		Interrupt: {false, true, true, false},
		Reject:    {true, false, false, true},
	} {
		if got := [4]bool{policy.Splits(), policy.Waits(), policy.Interrupts(), policy.Rejects()}; got != want {
			t.Errorf("%v: splits, waits, interrupts, rejects are %v, want %v", policy, got, want)
		}
	}
}

func TestFlushIgnoresCaseAndOuterSpace(t *testing.T) {
	burst := Burst{Flush: []string{"done"}}
	for text, want := range map[string]bool{" Done\n": true, "done": true, "done!": false, "": false} {
		if burst.Flushes(text) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}
