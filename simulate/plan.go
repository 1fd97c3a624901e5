package simulate

import "math/rand/v2"

// post is one webhook: messages by their numbers (user * messages + k), posted after those before it in its step.
type post struct {
	messages []int
	// again says that the same webhook is posted a second time, at once or (later) when the first was answered.
	again, later bool
	// swapped says that the message was sent before one that is posted before it.
	swapped bool
}

// step is a set of webhooks that are posted at once; the next step begins when all of them were answered 200.
type step []post

// plan is what a group of users does, step after step.
type plan []step

// batchUsers is how many users share a webhook in the pattern batches.
const batchUsers = 10

// groups is how many plans there are.
func (o *Options) groups() int {
	if o.Pattern == Batches {
		return (o.Users + batchUsers - 1) / batchUsers
	}
	return o.Users
}

// plan decides what a group does; the same seed gives the same plan.
func (o *Options) plan(group int) plan {
	random := rand.New(rand.NewPCG(o.Seed, uint64(group)))
	var out plan
	switch o.Pattern {
	case Batches:
		first := group * batchUsers
		for k := range o.Messages {
			var p post
			for user := first; user < min(first+batchUsers, o.Users); user++ {
				p.messages = append(p.messages, user*o.Messages+k)
			}
			out = append(out, step{p})
		}
	default:
		size := map[Pattern]int{Burst: o.Messages, Pairs: 2, Steady: 1}[o.Pattern]
		highest := 0
		for _, k := range o.order(random) {
			if len(out) == 0 || len(out[len(out)-1]) == size {
				out = append(out, step{})
			}
			last := len(out) - 1
			out[last] = append(out[last], post{messages: []int{group*o.Messages + k}, swapped: k < highest})
			highest = max(highest, k)
		}
	}
	for _, s := range out {
		for i := range s {
			s[i].again = random.IntN(100) < o.Duplicates
			s[i].later = s[i].again && random.IntN(2) == 0
		}
	}
	return out
}

// order is that in which a user's messages are posted: their own, with swapped neighbours.
func (o *Options) order(random *rand.Rand) []int {
	order := make([]int, o.Messages)
	for k := range order {
		order[k] = k
	}
	for k := 0; k+1 < len(order); k++ {
		if random.IntN(100) < o.Swaps {
			order[k], order[k+1] = order[k+1], order[k]
			k++
		}
	}
	return order
}
