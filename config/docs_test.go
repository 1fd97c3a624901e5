package config

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// documented is a row of a table of keys: key, type, default, meaning.
var documented = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$")

// derived are keys whose default depends on another key, or on the machine.
var derived = map[string]bool{"bots.NAME.burst.max_wait": true, "node.disk_reserve": true, "media.url": true}

// TestDocumented holds docs/configuration.md against the decoder: each key once, with its default,
// and no other key.
func TestDocumented(t *testing.T) {
	src, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	for _, row := range documented.FindAllStringSubmatch(string(src), -1) {
		if _, again := defaults[row[1]]; again {
			t.Errorf("%s is documented twice", row[1])
		}
		defaults[row[1]] = row[3]
	}
	for _, k := range keys() {
		got, ok := defaults[k.path]
		delete(defaults, k.path)
		value, exact := strings.CutPrefix(got, "`")
		switch {
		case !ok:
			t.Errorf("%s is not documented", k.path)
		case exact && !sameDefault(k.value, strings.TrimSuffix(value, "`")):
			t.Errorf("%s: documented with default %s, it is %s", k.path, got, k.value)
		case !exact && k.value != "" && !derived[k.path]:
			t.Errorf("%s: documented with default %q, it is %s", k.path, got, k.value)
		}
		for _, word := range k.words {
			if !strings.Contains(string(src), "`"+word+"`") {
				t.Errorf("%s: %s is not documented", k.path, word)
			}
		}
	}
	for path := range defaults {
		t.Errorf("%s is documented, and no key", path)
	}
}
