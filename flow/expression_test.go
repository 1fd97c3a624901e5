package flow_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/internal/problem"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// evaluate sets a variable to an expression over vars.l = [3, 1, 2] and vars.t, what the user
// wrote, and returns it as JSON.
func evaluate(expression, text string) (string, error) {
	src := fmt.Sprintf("name: x\nstart: a\nvars: { l: [3, 1, 2] }\nsteps:\n  a:\n    set:\n      t: message.text\n   "+
		"   r: |\n        %s\n    wait: a\n", expression)
	f, err := flow.Parse("x", []byte(src))
	if err != nil {
		return "", err
	}
	out, err := f.Step(input(nil, &wactorv1.Message{Type: "text", Text: text}, 3))
	_, value, _ := strings.Cut(string(out.State), `"r":`)
	value, _, _ = strings.Cut(value, `,"t":`)
	return value, err
}

func TestExpressions(t *testing.T) {
	for expression, want := range map[string]string{
		// one kind of number
		"6 / 2":            `3`,
		"5 / 2":            `2.5`,
		"0.1 + 0.2":        `0.30000000000000004`,
		"-0.0":             `0`,
		"2 ** 70":          `1.1805916207174113e+21`,
		"9007199254740993": `9007199254740993`,
		"fixed(2, 2)":      `"2.00"`,
		"fixed(2.005, 1)":  `"2.0"`,
		// lists and maps; never changed in place
		"sort(vars.l) == [1,2,3] and vars.l == [3,1,2]": `true`,
		"map(vars.l, # + 1)":                            `[4,2,3]`,
		"{'b': 1, 'a': [2.0, nil]}":                     `{"a":[2,null],"b":1}`,
		"keys({'b': 1, 'a': 2})":                        `["a","b"]`,
		"values({'b': 1, 'a': 2})":                      `[2,1]`,
		"toPairs({'b': 1, 'a': 2})":                     `[["a",2],["b",1]]`,
		"groupBy([1, 2, '1'], #)":                       `{"1":["1"],"2":[2]}`,
		"vars.l[-1]":                                    `2`,
		"reduce(vars.l, #acc + #)":                      `6`,
		"map(1..3, {let y = #; y * 2})":                 `[2,4,6]`,
		// time is a value, in UTC, and knows no zone of the machine
		"now": `"2026-05-04T03:02:03Z"`,
		"now.In(timezone('Europe/Berlin')).Hour()": `5`,
		"now.Weekday()":                                      `1`,
		"int(now.Weekday()) in 1..5":                         `true`,
		"now.Format('Monday')":                               `"Monday"`,
		"now - duration('1h') < now":                         `true`,
		"duration('90m')":                                    `"1h30m0s"`,
		"date('2026-01-02')":                                 `"2026-01-02T00:00:00Z"`,
		"date('2.1.2026', '2.1.2006')":                       `"2026-01-02T00:00:00Z"`,
		"date('2.1.2026', '2.1.2006', 'Asia/Tokyo')":         `"2026-01-02T00:00:00+09:00"`,
		"date('02 Jan 26 15:04 CET', '02 Jan 06 15:04 MST')": `"2026-01-02T15:04:00Z"`,
		// texts
		"string(nil)":                   `""`,
		"string({'a': [1]})":            `"{\"a\":[1]}"`,
		"string(now)":                   `"2026-05-04 03:02"`,
		`"a" + "\n\t\u2028\"\\"`:        "\"a\\n\\u0009\u2028\\\"\\\\\"",
		"vars.t matches '^[a-z]+$'":     `true`,
		"upper(vars.t)":                 `"HELLO"`,
		"user.name + message.choice.id": `"Ana"`,
		"version":                       `3`,
		"error":                         `""`,
		"window_open":                   `true`,
		"message.raw":                   `null`,
	} {
		if got, err := evaluate(expression, "hello"); err != nil || got != want {
			t.Errorf("%s = %s, want %s (%v)", expression, got, want, err)
		}
	}
}

// TestExpressionFailures also holds that no error quotes the user.
func TestExpressionFailures(t *testing.T) {
	const secret = "my secret"
	for expression, want := range map[string]string{
		"1 / 0":                       "a number is not finite",
		"float('NaN')":                "a number is not finite",
		"1 % (vars.l[0] - 3)":         "division by zero",
		"vars.l[5]":                   "an index is out of range",
		"vars.t.name":                 "a value of the wrong kind",
		"nil.x":                       "",
		"vars.t - 1":                  "string - int is not possible",
		"int(vars.t)":                 "a value of the wrong kind",
		"date(vars.t)":                "a value of the wrong kind",
		"date('1', '1', vars.t)":      "a value of the wrong kind",
		"timezone(vars.t)":            "a value of the wrong kind",
		"timezone('Europe/Berlin')":   "a value of this kind cannot be stored",
		"string(timezone('UTC'))":     "a value of the wrong kind",
		"repeat(vars.t, 1000000)":     "it builds too much",
		"map(1..9000, map(1..90, 1))": "it builds too much",
		"fixed(vars.t, 2)":            "a value of the wrong kind",
		"fixed(1, 99)":                "a value of the wrong kind",
		"keys(vars.t)":                "a value of the wrong kind",
		"fromJSON(vars.t)":            "a value of the wrong kind",
		"fromJSON(repeat('[', 40) + repeat(']', 40))": "a value is nested deeper than 32 levels",
		"split(repeat('a ', 20000), ' ')": "a value has more than 10000 elements, or a text more than " +
			"256 KiB",
	} {
		_, err := evaluate(expression, secret)
		var failed *flow.RunError
		var problems problem.List
		switch {
		case want == "" && errors.As(err, &problems):
		case !errors.As(err, &failed):
			t.Errorf("%s: %v", expression, err)
		case !strings.HasSuffix(failed.Reason, want):
			t.Errorf("%s fails: %s, want %s", expression, failed.Reason, want)
		case strings.Contains(failed.Error(), secret):
			t.Errorf("%s quotes the user: %v", expression, failed)
		case failed.Line != 9 || failed.Retryable:
			t.Errorf("%s: %+v", expression, failed)
		}
	}
}
