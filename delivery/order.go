package delivery

// Place is where a message stands among those of its conversation that one router has in flight.
type Place struct {
	// Router is the number of the router, which it draws at its start; 0: the message has no place.
	Router uint64
	// Number is that of the message. A router gives each message a higher one.
	Number uint64
	// After is the number of the message before it that had no outcome yet when this one left; 0
	// where all had one.
	After uint64
}

// Order is which messages an activation of a conversation has taken, by their places.
//
// A message is taken only behind the one that it names as the one before. So whatever happens to
// one on its way, those that were sent behind it can't overtake it: they find an activation that
// lacks it, and are rejected. An activation takes messages in turn and commits them in turn, and
// one that fails takes all down with it that is not committed.
type Order struct{ last []taken }

// taken is the highest number of a router's messages.
type taken struct{ router, number uint64 }

// Take notes a message, or reports that it is out of turn.
func (o *Order) Take(p Place) bool {
	if p.Router == 0 {
		return true
	}
	for i := range o.last {
		if last := &o.last[i]; last.router == p.Router {
			if last.number < p.After {
				return false
			}
			last.number = max(last.number, p.Number)
			return true
		}
	}
	if p.After != 0 {
		return false
	}
	o.last = append(o.last, taken{p.Router, p.Number})
	return true
}
