package nearest

import (
	"strings"
	"testing"
)

func TestASlipFindsTheNameThatWasMeant(t *testing.T) {
	words := []string{"flow", "http", "retry", "on_failure", "burst"}
	for written, want := range map[string]string{
		"flwo": "flow", "htp": "http", "onfailure": "on_failure", "retyr": "retry", "Flow": "flow",
		"zzzzz": "", "": "", "x": "", strings.Repeat("flow", 20): "",
	} {
		if got := Word(written, words); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

func TestTheFirstOfEquallyNearNamesIsOffered(t *testing.T) {
	for _, names := range [][]string{{"card", "cart"}, {"cart", "card"}} {
		if got := Word("care", names); got != "card" {
			t.Errorf("%v: %q, want card", names, got)
		}
	}
}

func TestARemedyWithoutANearName(t *testing.T) {
	if got := Remedy("flwo", []string{"flow"}, "remove it"); got != "did you mean flow?" {
		t.Error(got)
	}
	if got := Remedy("zzzzz", []string{"flow"}, "remove it"); got != "remove it" {
		t.Error(got)
	}
}
