package strategy

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// occ is optimistic concurrency control: a version column, a retry where another process was
// faster, and the message's id noted in the same transaction. Each message counts once. The reply
// is sent after the commit: where the process dies in between it is lost, since the message is
// noted as handled; and replies of two processes to one user may overtake each other.
type occ struct {
	pool  *pgxpool.Pool
	reply Reply
}

// conflictPause is the mean wait before another try, times the number of tries, at most ten.
const conflictPause = 2 * time.Millisecond

func newOCC(ctx context.Context, o Options, reply Reply) (*occ, error) {
	pool, err := openPostgres(ctx, o.Postgres, o.Connections)
	if err != nil {
		return nil, err
	}
	return &occ{pool, reply}, nil
}

func (s *occ) Handle(ctx context.Context, m Message) error {
	for try := 1; ; try++ {
		text, err := s.turn(ctx, m)
		switch {
		case err == nil && text == "":
			return nil // handled before
		case err == nil:
			return s.reply(ctx, m, text)
		case !errors.Is(err, errConflict) || !pause(ctx, conflictPause*time.Duration(min(try, 10))):
			return err
		}
	}
}

// turn answers a message and commits; the text is empty where that was done before.
func (s *occ) turn(ctx context.Context, m Message) (text string, err error) {
	state, err := readVersioned(ctx, s.pool, m)
	if err != nil || state.handled {
		return "", err
	}
	text = state.answer(m.Text)
	return text, writeVersioned(ctx, s.pool, m, state)
}

func (s *occ) Close() { s.pool.Close() }
