package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/wactor/wactor/provider"
)

// live are the keys that a running node takes up; those below them, too. All others need a restart.
var live = []string{"admin", "bots", "channels", "limits", "log.level", "stale_after"}

// Changes are the keys by which two configurations differ, sorted; a channel's is channels.<name>.
type Changes struct {
	// Live are those that a running node takes up, Restart those that hold from its next start on.
	Live, Restart []string
}

// Reload returns the configuration that a running node can go on with: the one that it runs with,
// and of the one that was read what needs no restart. It fails where the two do not go together,
// such as an admin listener that is still public without a token. Neither is changed.
func Reload(running, read *Config) (*Config, Changes, error) {
	var changes Changes
	for _, path := range differences(running, read) {
		if slices.ContainsFunc(live, func(key string) bool { return path == key || strings.HasPrefix(path, key+".") }) {
			changes.Live = append(changes.Live, path)
		} else {
			changes.Restart = append(changes.Restart, path)
		}
	}
	next := *running
	next.Admin, next.Bots, next.Channels, next.Limits = read.Admin, read.Bots, read.Channels, read.Limits
	next.Log.Level, next.StaleAfter, next.Warnings = read.Log.Level, read.StaleAfter, read.Warnings
	r := newReport("the configuration as reloaded")
	if next.validate(r); len(r.problems) > 0 {
		return nil, changes, fmt.Errorf("without a restart (%s) it does not hold together: %w",
			strings.Join(changes.Restart, ", "), r.problems.Sorted())
	}
	return &next, changes, nil
}

// Digest is a checksum of what a reload takes up, secrets included: nodes that agree have the same.
func (c *Config) Digest() string {
	sum := sha256.New()
	for _, part := range []any{c.Admin, c.Bots, c.Channels, c.Limits, c.Log.Level, c.StaleAfter} {
		digest(sum, reflect.ValueOf(part))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// digest writes a value to a checksum: what it holds, in an order of its own.
func digest(to io.Writer, v reflect.Value) {
	fmt.Fprintf(to, "%s{", v.Kind())
	switch {
	case v.Type() == secretType:
		fmt.Fprintf(to, "%q", v.Interface().(Secret).Reveal())
	case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
		if !v.IsNil() {
			digest(to, v.Elem())
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				digest(to, v.Field(i))
			}
		}
	case v.Kind() == reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			fmt.Fprintf(to, "%q", key.String())
			digest(to, v.MapIndex(key))
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			digest(to, v.Index(i))
		}
	default:
		fmt.Fprintf(to, "%#v", v.Interface())
	}
	fmt.Fprint(to, "}")
}

// SameButSecrets reports whether two settings of a channel differ in nothing but secrets.
func SameButSecrets(a, b provider.Settings) bool {
	d := &differ{secretsAside: true}
	d.compare("", reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem())
	return len(d.paths) == 0
}

// differences are the paths of what two configurations have otherwise, sorted.
func differences(a, b *Config) []string {
	d := &differ{}
	d.compare("", reflect.ValueOf(*a), reflect.ValueOf(*b))
	slices.Sort(d.paths)
	return slices.Compact(d.paths)
}

type differ struct {
	paths        []string
	secretsAside bool
}

func (d *differ) compare(path string, a, b reflect.Value) {
	switch {
	case reflect.DeepEqual(a.Interface(), b.Interface()):
	case a.Type() == secretType || a.Type() == secretsType:
		if !d.secretsAside {
			d.paths = append(d.paths, path)
		}
	case a.Kind() == reflect.Pointer || a.Kind() == reflect.Interface:
		if a.IsNil() || b.IsNil() || a.Elem().Type() != b.Elem().Type() {
			d.paths = append(d.paths, path)
			return
		}
		d.compare(path, a.Elem(), b.Elem())
	case a.Kind() == reflect.Struct && a.NumField() > 0 && a.Type().Field(0).IsExported():
		d.fields(path, a, b)
	case a.Kind() == reflect.Map && a.Type().Key().Kind() == reflect.String:
		d.entries(path, a, b)
	case a.Type() == reflect.TypeFor[[]Channel]():
		d.entries(path, byName(a.Interface().([]Channel)), byName(b.Interface().([]Channel)))
	default:
		d.paths = append(d.paths, path)
	}
}

func (d *differ) fields(path string, a, b reflect.Value) {
	for i := range a.NumField() {
		field := a.Type().Field(i)
		switch key, _, _ := strings.Cut(field.Tag.Get("yaml"), ","); {
		case field.Type == reflect.TypeFor[Config]() || field.Name == "Warnings":
		case key == "-" || key == "":
			d.compare(path, a.Field(i), b.Field(i)) // it stands among the keys around it
		default:
			d.compare(child(path, key), a.Field(i), b.Field(i))
		}
	}
}

func (d *differ) entries(path string, a, b reflect.Value) {
	for _, m := range []reflect.Value{a, b} {
		for _, key := range m.MapKeys() {
			at := child(path, key.String())
			if x, y := a.MapIndex(key), b.MapIndex(key); x.IsValid() && y.IsValid() {
				d.compare(at, x, y)
			} else {
				d.paths = append(d.paths, at)
			}
		}
	}
}

func byName(channels []Channel) reflect.Value {
	named := map[string]Channel{}
	for _, c := range channels {
		named[cmp.Or(c.Name, "?")] = c
	}
	return reflect.ValueOf(named)
}
