package problem

import "testing"

func TestAProblemNamesItsPlaceAsFarAsKnown(t *testing.T) {
	for want, p := range map[string]Problem{
		"a.yaml:3:7: bad (fix it)": {File: "a.yaml", Line: 3, Column: 7, Message: "bad", Remedy: "fix it"},
		"3:7: bad":                 {Line: 3, Column: 7, Message: "bad"},
		"a.yaml: bad":              {File: "a.yaml", Message: "bad"},
		"bad":                      {Message: "bad"},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestProblemsAreSortedByPlaceAndReportedOnce(t *testing.T) {
	list := List{
		{File: "b", Line: 1, Message: "x"}, {File: "a", Line: 2, Column: 2, Message: "y"},
		{File: "a", Line: 2, Column: 1, Message: "z"}, {File: "a", Line: 2, Column: 1, Message: "z"},
		{File: "a", Line: 2, Column: 1, Message: "w"},
	}.Sorted()
	want := "a:2:1: z\na:2:1: w\na:2:2: y\nb:1:0: x"
	if got := list.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
