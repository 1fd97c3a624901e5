package actors

import (
	"github.com/wactor/wactor/conversation"
)

// roster is a set of activations. Besides the map there is a list of them, since the order of a map
// is another one in each run: a simulation could not be repeated. Also, to draw one of a list is
// cheap and fair.
type roster struct {
	places map[conversation.ID]int // in all
	all    []*activation
}

func newRoster() roster { return roster{places: map[conversation.ID]int{}} }

// of returns the activation of a conversation; nil where there is none.
func (r *roster) of(id conversation.ID) *activation {
	place, ok := r.places[id]
	if !ok {
		return nil
	}
	return r.all[place]
}

func (r *roster) add(a *activation) {
	r.places[a.id] = len(r.all)
	r.all = append(r.all, a)
}

// remove takes an activation out, if it is in.
func (r *roster) remove(a *activation) {
	if r.of(a.id) != a {
		return
	}
	place, last := r.places[a.id], len(r.all)-1
	moved := r.all[last]
	r.all[place], r.places[moved.id] = moved, place
	r.all[last] = nil
	r.all = r.all[:last]
	delete(r.places, a.id)
}

func (r *roster) clear() {
	clear(r.places)
	r.all = nil
}
