package conversation

import (
	"cmp"
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Messages that wait together are taken by the time at which they were sent, then by arrival.
// WhatsApp's clock knows whole seconds: two messages of one second are told apart by their arrival
// alone, unless all that wait of that second carry milliseconds. (To compare each pair by what that
// pair carries would not be an order: with a at 1 s, b at 1.5 s and c at 1.4 s arriving as b, a, c,
// each would come before the next.)

// sentMs is when the user sent a message: by the provider's clock, or failing that when it came.
func sentMs(m *wactorv1.Message) int64 {
	if m.SentMs > 0 {
		return m.SentMs
	}
	return m.ReceivedMs
}

func sentSecond(m *wactorv1.Message) int64 { return sentMs(m) / 1000 }

func hasMillis(m *wactorv1.Message) bool { return sentMs(m)%1000 != 0 }

// earliest returns the index of the first message in order; -1 where none waits.
func earliest(inbox []waiting) int {
	best, fine := -1, true
	for i := range inbox {
		m := inbox[i].message
		switch {
		case best < 0 || sentSecond(m) < sentSecond(inbox[best].message):
			best, fine = i, hasMillis(m)
		case sentSecond(m) == sentSecond(inbox[best].message):
			fine = fine && hasMillis(m)
		}
	}
	if best < 0 || !fine {
		return best
	}
	second := sentSecond(inbox[best].message)
	for i := range inbox {
		if m := inbox[i].message; sentSecond(m) == second && sentMs(m) < sentMs(inbox[best].message) {
			best = i
		}
	}
	return best
}

// inOrder returns the first n messages in order.
func inOrder(inbox []waiting, n int) []waiting {
	sorted := slices.Clone(inbox)
	slices.SortStableFunc(sorted, func(a, b waiting) int {
		return cmp.Compare(sentSecond(a.message),
			sentSecond(b.message))
	})
	for begin := 0; begin < len(sorted); {
		end, fine := begin, true
		for ; end < len(sorted) && sentSecond(sorted[end].message) == sentSecond(sorted[begin].message); end++ {
			fine = fine && hasMillis(sorted[end].message)
		}
		if fine {
			slices.SortStableFunc(sorted[begin:end], func(a, b waiting) int {
				return cmp.Compare(sentMs(a.message),
					sentMs(b.message))
			})
		}
		begin = end
	}
	return sorted[:min(n, len(sorted))]
}

// isLate reports whether a message was sent before one that a turn has taken already (newestMs), by
// the same comparison.
func isLate(m *wactorv1.Message, newestMs int64) bool {
	sent := sentMs(m)
	if sent/1000 != newestMs/1000 {
		return sent < newestMs
	}
	return sent%1000 != 0 && newestMs%1000 != 0 && sent < newestMs
}
