package report

import (
	"strings"
	"testing"

	"github.com/wactor/wactor/bench/pairs"
)

func TestTableHasThePairs(t *testing.T) {
	r := &Results{StepSeconds: 5, Systems: []System{{Name: "wactor"}, {Name: "redis", Beside: []pairs.Row{
		{Name: "highest rate", Unit: "/s", Ratio: pairs.Ratio{A: 200, B: 100, Median: 0.5, Low: 0.4, High: 0.6, Pairs: 20}},
	}}}}
	var text strings.Builder
	if err := r.Table(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"redis beside wactor: both ran at once, load alternated between them in slices of 2.5 s",
		"| highest rate | 200/s | 100/s | 0.500 | 0.400 to 0.600 | 20 |",
	} {
		if strings.Count(text.String(), want) != 1 {
			t.Errorf("%q is not once in\n%s", want, text.String())
		}
	}
}
