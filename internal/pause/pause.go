// Package pause waits between two attempts.
package pause

import (
	"context"
	"time"
)

// For waits; false where ctx ended before. A pause of 0 or less asks ctx alone.
func For(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
