package strategy

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
)

// naive reads a session, answers, and writes it: what a bot does before its author knows of races.
// It has no deduplication either. It is here to show what goes wrong, and what going right costs on
// top.
type naive struct {
	pool  *pgxpool.Pool
	reply Reply
}

func newNaive(ctx context.Context, o Options, reply Reply) (*naive, error) {
	pool, err := openPostgres(ctx, o.Postgres, o.Connections)
	if err != nil {
		return nil, err
	}
	return &naive{pool, reply}, nil
}

func (s *naive) Handle(ctx context.Context, m Message) error {
	state, err := readPlain(ctx, s.pool, m.User)
	if err != nil {
		return err
	}
	text := state.answer(m.Text)
	if err := writePlain(ctx, s.pool, m.User, state); err != nil {
		return err
	}
	return s.reply(ctx, m, text)
}

func (s *naive) Close() { s.pool.Close() }
