package sim

import (
	"time"

	"github.com/wactor/wactor/persistence"
)

// table holds the activations of one shard in one process, after the manner of package actors.
type table struct {
	p     *process
	shard uint32
	lead  persistence.Leadership
	// leaving: the lead is about to be given away.
	leaving     bool
	activations []*activation // by user; nil where there is none
	twins       []*activation
}

func newTable(p *process, shard uint32) *table {
	return &table{p: p, shard: shard, activations: make([]*activation, p.w.rules.users)}
}

// takeLead takes news of the shard's leadership: a new term ends all activations of the old one.
func (t *table) takeLead(lead persistence.Leadership) {
	old := t.lead
	t.lead = lead
	if old.Term == lead.Term && old.Ready == lead.Ready {
		return
	}
	t.leaving = false
	t.drop()
	if lead.Ready {
		t.p.post(func() { t.recover(lead.Term) })
	}
}

func (t *table) leads(term uint64) bool { return t.lead.Ready && t.lead.Term == term && !t.leaving }

// drop ends all activations.
func (t *table) drop() {
	for _, a := range t.all() {
		a.end()
	}
	t.twins = nil
}

func (t *table) all() (all []*activation) {
	for _, a := range t.activations {
		if a != nil {
			all = append(all, a)
		}
	}
	return append(all, t.twins...)
}

// recover takes up the unfinished work of the shard.
func (t *table) recover(term uint64) {
	if !t.leads(term) {
		return
	}
	var names []string
	err := t.p.store.Work(t.shard, func(name string) error {
		names = append(names, name)
		return nil
	})
	if err != nil {
		t.p.w.fail("node %d can't read unfinished work: %v", t.p.index, err)
	}
	for _, name := range names {
		for _, u := range t.p.w.users {
			if u.id.String() == name && t.activations[u.index] == nil {
				t.activate(u)
			}
		}
	}
}

func (t *table) activate(u *user) *activation {
	a := newActivation(t, u)
	t.activations[u.index] = a
	a.load()
	return a
}

// deliver hands a delivery to its activation. Now and then there is a second activation of the same
// conversation, as a mistake of the shell would make it: its commits must not do any harm.
func (t *table) deliver(d *delivery) {
	if !t.lead.Ready || t.leaving {
		d.answer(0)
		return
	}
	a := t.activations[d.user.index]
	switch {
	case a == nil:
		a = t.activate(d.user)
	case t.p.w.chance(t.p.w.rules.twins):
		a = newActivation(t, d.user)
		t.twins = append(t.twins, a)
		a.load()
	}
	a.deliver(d)
}

// leave ends all activations in order, then does what is to be done then; after a while it does so
// whatever they do.
func (t *table) leave(then func()) {
	term, done := t.lead.Term, false
	finish := func() {
		if !done && t.lead.Term == term && t.lead.Ready {
			done = true
			then()
		}
	}
	t.leaving = true
	for _, a := range t.all() {
		a.stop()
	}
	var look func()
	look = func() {
		if len(t.all()) == 0 {
			finish()
		} else if !done {
			t.p.in(5*time.Millisecond, look)
		}
	}
	look()
	t.p.in(300*time.Millisecond, finish)
	t.p.in(1500*time.Millisecond, func() { // the lead was not taken
		if t.lead.Term == term && t.leaving {
			t.leaving = false
			t.drop()
			t.recover(term)
		}
	})
}
