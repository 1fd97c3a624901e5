package measure

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/wactor/wactor/simulate"
)

// Fill lets so many users write once, ten in a webhook, the first being the first of those who
// write steadily.
func (t *Target) Fill(ctx context.Context, users int) error {
	l := Load{Pattern: simulate.Batches, Users: users, Messages: 1, Concurrency: 64, FirstUser: steadyUsers}
	out, err := t.Generator.Run(ctx, t.URL, l, time.Hour)
	if err == nil && out.Replied < users {
		err = fmt.Errorf("measure: only %d of %d users have an answer", out.Replied, users)
	}
	return err
}

// AnyOf is a load of users who are known and have not written for a while: so many as write once or
// twice in the time, from a random one of those that Fill made on.
func AnyOf(stored int, rate float64, duration time.Duration) Load {
	l := Steady(rate, duration, min(stored, max(1, int(rate*duration.Seconds()))))
	l.FirstUser += rand.Int64N(int64(stored - l.Users + 1))
	return l
}
