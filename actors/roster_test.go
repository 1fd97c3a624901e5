package actors

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/wactor/wactor/conversation"
)

// TestRosterIsASet compares a roster with a map.
func TestRosterIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, want := newRoster(), map[conversation.ID]*activation{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			id := conversation.ID{Channel: "shop", User: fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "user"))}
			switch known := want[id]; {
			case rapid.IntRange(0, 20).Draw(t, "clear") == 0:
				r.clear()
				clear(want)
			case known == nil:
				want[id] = &activation{subject: subject{id: id}}
				r.remove(&activation{subject: subject{id: id}}) // another one, which is not in it
				r.add(want[id])
			default:
				r.remove(&activation{subject: subject{id: id}})
				r.remove(known)
				delete(want, id)
			}
			if len(r.all) != len(want) || len(r.places) != len(want) {
				t.Fatalf("%d in the list, %d in the map, not %d", len(r.all), len(r.places), len(want))
			}
			for id, a := range want {
				if r.of(id) != a {
					t.Fatalf("%v is not where it should be", id)
				}
			}
		}
	})
}
