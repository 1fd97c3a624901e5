package store

import (
	"errors"
	"slices"
	"testing"
)

// TestSeenIn tells the ids of one conversation and generation, and none of another whose name
// begins with its name.
func TestSeenIn(t *testing.T) {
	r := open(t, setup{Shards: 1})
	for _, name := range []string{"shop/1", "shop/11", "shop/1\x00", "shop/"} {
		r.mustCommit(1, commitOf(name, 0, put(seen, generation(7)+"a of "+name, ""), put(seen, generation(7)+"b", ""),
			put(seen, generation(8)+"c", "")))
	}
	for _, c := range []struct {
		name       string
		generation uint32
		want       []string
	}{
		{"shop/1", 7, []string{"a of shop/1", "b"}}, {"shop/1", 8, []string{"c"}}, {"shop/1", 9, nil}, {"shop/1\x00", 7,
			[]string{"a of shop/1\x00", "b"}},
	} {
		var got []string
		err := r.SeenIn(1, c.name, c.generation, func(id []byte) error {
			got = append(got, string(id))
			return nil
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q in %d: %q, %v", c.name, c.generation, got, err)
		}
	}
	enough := errors.New("enough")
	if err := r.SeenIn(1, "shop/1", 7, func([]byte) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
}
