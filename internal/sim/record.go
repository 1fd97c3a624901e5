package sim

import (
	"fmt"
	"io"
	"time"

	"github.com/cespare/xxhash/v2"
)

// record is the log of a run. It is only hashed unless it is to be read: two runs of one
// seed have the same hash.
type record struct {
	out  io.Writer // nil: it is not read
	hash uint64
	now  *time.Duration
}

// note adds an event. Its verbs are for integers.
func (r *record) note(format string, args ...uint64) {
	const prime = 0x9E3779B97F4A7C15
	h := r.hash ^ xxhash.Sum64String(format)
	h = (h ^ uint64(*r.now)) * prime
	for _, arg := range args {
		h = (h ^ h>>29 ^ arg) * prime
	}
	r.hash = h
	if r.out != nil {
		r.print(format, args)
	}
}

func (r *record) print(format string, args []uint64) {
	boxed := make([]any, len(args))
	for i, arg := range args {
		boxed[i] = arg
	}
	fmt.Fprintf(r.out, "%9.3fs "+format+"\n", append([]any{r.now.Seconds()}, boxed...)...)
}

// comment adds what is for readers only.
func (r *record) comment(format string, args ...any) {
	if r.out != nil {
		fmt.Fprintf(r.out, "%9.3fs "+format+"\n", append([]any{r.now.Seconds()}, args...)...)
	}
}
