package delivery

import "testing"

func TestAMessageIsTakenBehindTheOneBefore(t *testing.T) {
	var o Order
	for i, step := range []struct {
		place Place
		taken bool
	}{
		{Place{}, true},
		{Place{1, 2, 1}, false}, // 1 was sent to another activation
		{Place{1, 1, 0}, true},
		{Place{1, 4, 2}, false}, // 2 was not taken
		{Place{1, 2, 1}, true},
		{Place{1, 4, 2}, true},
		{Place{1, 5, 2}, true},  // 4 has its outcome
		{Place{2, 9, 4}, false}, // another router's 4
		{Place{2, 9, 0}, true},
		{Place{1, 1, 0}, true}, // once more
		{Place{1, 6, 5}, true},
		{Place{1, 9, 8}, false},
		{Place{1, 9, 0}, true}, // 8 has its outcome
		{Place{}, true},
	} {
		if got := o.Take(step.place); got != step.taken {
			t.Errorf("step %d: %v: %v", i, step.place, got)
		}
	}
}
