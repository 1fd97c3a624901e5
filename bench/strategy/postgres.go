package strategy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// schema is made at start, by whichever process comes first. Old rows of handled are for a nightly
// job to delete.
const schema = `
SELECT pg_advisory_xact_lock(7263846);
CREATE TABLE IF NOT EXISTS sessions (
	person  text PRIMARY KEY,
	state   jsonb NOT NULL,
	version bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 70); -- room for updates in place
CREATE TABLE IF NOT EXISTS handled (
	message text PRIMARY KEY,
	at      timestamptz NOT NULL DEFAULT now()
);`

// openPostgres opens a pool of up to so many connections, whose statements are prepared once each,
// and makes the tables.
func openPostgres(ctx context.Context, address string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("strategy: the PostgreSQL address can't be read: %w", err)
	}
	config.MaxConns, config.MinConns = int32(connections), int32(min(connections, 8))
	config.MaxConnIdleTime = 5 * time.Minute
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("strategy: PostgreSQL: %w", err)
	}
	if err := makeTables(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("strategy: the tables can't be made: %w", err)
	}
	return pool, nil
}

func makeTables(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, schema, pgx.QueryExecModeSimpleProtocol)
		return err
	})
}

// readPlain and writePlain keep a session without a look at what others do.
func readPlain(ctx context.Context, pool *pgxpool.Pool, user string) (session, error) {
	var state []byte
	err := pool.QueryRow(ctx, `SELECT state FROM sessions WHERE person = $1`, user).Scan(&state)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return session{}, fmt.Errorf("strategy: a session was not read: %w", err)
	}
	return readSession(state)
}

func writePlain(ctx context.Context, pool *pgxpool.Pool, user string, s session) error {
	_, err := pool.Exec(ctx, `INSERT INTO sessions (person, state) VALUES ($1, $2)
		ON CONFLICT (person) DO UPDATE SET state = excluded.state`, user, s.store())
	if err != nil {
		return fmt.Errorf("strategy: a session was not written: %w", err)
	}
	return nil
}

// versioned is a session with the version that it was read at; 0 where there is none yet.
type versioned struct {
	session
	version int64
	// handled says that the message was handled before.
	handled bool
}

// readVersioned reads a session and whether the message was handled, in one round trip.
func readVersioned(ctx context.Context, pool *pgxpool.Pool, m Message) (v versioned, err error) {
	var state []byte
	err = pool.QueryRow(ctx, `SELECT s.state, coalesce(s.version, 0), EXISTS (SELECT FROM handled WHERE message = $2)
		FROM (SELECT) one LEFT JOIN sessions s ON s.person = $1`, m.User, m.ID).Scan(&state, &v.version, &v.handled)
	if err != nil {
		return v, fmt.Errorf("strategy: a session was not read: %w", err)
	}
	v.session, err = readSession(state)
	return v, err
}

// errConflict says that a session was written by another process since it was read.
var errConflict = errors.New("strategy: the session has another version")

// uniqueViolation is PostgreSQL's code for a key that is there already.
const uniqueViolation = "23505"

// writeVersioned writes a session where its version is still the one that was read, and notes the
// message as handled: one statement, which is a transaction of its own, so that there is no third
// round trip for its end. A message that was noted meanwhile ends it with nothing written, as a
// conflict.
func writeVersioned(ctx context.Context, pool *pgxpool.Pool, m Message, v versioned) error {
	tag, err := pool.Exec(ctx, `WITH saved AS (
			INSERT INTO sessions (person, state) VALUES ($1, $2)
			ON CONFLICT (person) DO UPDATE SET state = excluded.state, version = sessions.version + 1 WHERE sessions.version = $3
			RETURNING 1)
		INSERT INTO handled (message) SELECT $4 FROM saved`, m.User, v.store(), v.version, m.ID)
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Code == uniqueViolation:
		return errConflict
	case err != nil:
		return fmt.Errorf("strategy: a session was not written: %w", err)
	case tag.RowsAffected() == 0:
		return errConflict
	}
	return nil
}
