package value

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
)

// Entry is one element of a map.
type Entry struct {
	name       string
	Key, Value any
}

// Entries returns the elements of a map in the order of their keys' texts, and keys of one text in
// that of their types; v must be a map.
func Entries(v reflect.Value) []Entry {
	out := make([]Entry, 0, v.Len())
	for key, value := range v.Seq2() {
		out = append(out, Entry{name: fmt.Sprint(key.Interface()), Key: key.Interface(), Value: value.Interface()})
	}
	slices.SortFunc(out, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(fmt.Sprintf("%T", a.Key), fmt.Sprintf("%T", b.Key)))
	})
	return out
}
