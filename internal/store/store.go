// Package store is SQL and only SQL: one concrete Store for SQLite and
// Postgres, with each query written once. A Reader asks; a Tx writes. It
// decides nothing: rules live in the root package, and what follows from a
// change in desk. Every question about an account's things takes the account.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/vault"
)

// Config says where the data is.
type Config struct {
	Address string // postgres://… or the path of a SQLite file
	Clock   func() time.Time
	Logger  *slog.Logger
	Readers int // connections that read; 0 means 8 on SQLite, 16 on Postgres
	// Vault encrypts the secrets of endpoints. Without it they can neither be
	// read nor written, which is enough for commands that manage users.
	Vault *vault.Vault
}

// Store is a database, with all migrations applied. It is safe for concurrent
// use.
type Store struct {
	Reader
	write *sql.DB
	read  *sql.DB // the same as write on Postgres
	clock func() time.Time
	log   *slog.Logger

	address     string
	checkpoints *checkpointer
	company     *company
	patience    time.Duration
	lock        openLock // see attend; nil: none
}

// Reader asks. Its answers are as of one moment only within an Update.
type Reader struct {
	q       querier
	d       dialect
	secrets *secretary
}

// querier is a database or a transaction of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Tx is one transaction: what it writes commits together or not at all.
type Tx struct {
	Reader
	now       time.Time
	after     []func()
	announced map[int64]bool // see Announce
	company   *company
}

// Open opens the database and brings its tables up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Address == "" || cfg.Clock == nil || cfg.Logger == nil {
		return nil, errors.New("store: Address, Clock and Logger are needed")
	}
	d := dialectOf(cfg.Address)
	writeSource, readSource := d.sources(cfg.Address)
	write, err := d.connect(writeSource)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := migrate(ctx, write, d); err != nil {
		write.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	read := write
	if d.writers > 0 {
		write.SetMaxOpenConns(d.writers)
		if read, err = d.connect(readSource); err != nil {
			write.Close()
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	n := cfg.Readers
	if n == 0 {
		n = 8
		if d.writers == 0 {
			n = 16
		}
	}
	read.SetMaxOpenConns(n)
	read.SetMaxIdleConns(n)
	s := &Store{Reader: Reader{q: storable{read}, d: d, secrets: newSecretary(cfg.Vault)}, write: write, read: read, clock: cfg.Clock, log: cfg.Logger, checkpoints: &checkpointer{}, address: cfg.Address, company: newCompany(), patience: patience}
	s.startCheckpoints()
	if err := errors.Join(s.attend(ctx), s.unlock(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), s.Close())
	}
	s.makeGiving(ctx)
	return s, nil
}

// Close closes the database.
func (s *Store) Close() error {
	s.stopCheckpoints()
	if s.lock != nil {
		defer s.lock.Close() //nolint:errcheck // it ends with the process at the latest
	}
	if s.read != s.write {
		return errors.Join(s.read.Close(), s.write.Close())
	}
	return s.write.Close()
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.d.ping(ctx, s.write) }

// Now is the time by the store's clock, to the microsecond and in UTC, as it
// would be stored.
func (s *Store) Now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// A transaction that others were faster than runs again, at least minTries
// times and then until its patience is over: with several nodes on a busy machine
// a dozen tries can pass within a moment.
const (
	minTries = 12
	patience = 5 * time.Second
	maxPause = 25 // of its multiples, up to four milliseconds each
)

// Update runs fn in a transaction and commits it. fn runs again when another
// transaction was first, so it must have no other effect than through tx;
// what has to happen after the commit goes to tx.After.
func (s *Store) Update(ctx context.Context, fn func(tx *Tx) error) error {
	return s.transact(ctx, s.d.open, fn)
}

// Claim is Update for a transaction that only takes rows off a queue.
func (s *Store) Claim(ctx context.Context, fn func(tx *Tx) error) error {
	return s.transact(ctx, s.d.claim, fn)
}

// Settle is Claim for results of deliveries. It does not wait until its commit
// is on the disk: a power cut may take the latest of them back as a whole, and
// then they are sent again. What is committed later by Update or Claim is on
// the disk with all that was committed before.
func (s *Store) Settle(ctx context.Context, fn func(tx *Tx) error) error {
	return s.transact(ctx, s.d.settle, func(tx *Tx) error {
		if s.d.lax != "" {
			if _, err := tx.exec(ctx, s.d.lax); err != nil {
				return err
			}
		}
		return fn(tx)
	})
}

func (s *Store) transact(ctx context.Context, o *sql.TxOptions, fn func(tx *Tx) error) error {
	for began, try := time.Now(), 1; ; try++ {
		err := s.once(ctx, o, fn)
		if err == nil {
			return nil
		}
		if !s.d.retry(err) || ctx.Err() != nil || try >= minTries && time.Since(began) > s.patience {
			return s.told(err)
		}
		wait := time.Duration(min(try, maxPause)) * time.Duration(1+rand.IntN(4)) * time.Millisecond
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

func (s *Store) once(ctx context.Context, o *sql.TxOptions, fn func(tx *Tx) error) error {
	t, err := s.write.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	defer t.Rollback() //nolint:errcheck // after a commit it does nothing
	tx := &Tx{Reader: Reader{q: storable{t}, d: s.d, secrets: s.secrets}, now: s.Now(), company: s.company}
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.tell(ctx); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return err
	}
	s.checkpoints.dirty.Store(true)
	for _, f := range tx.after {
		f()
	}
	return nil
}

// told gives the engine's errors that people can act on their kind.
func (s *Store) told(err error) error {
	switch {
	case s.d.full(err):
		return &paraph.Error{Kind: paraph.Full, Message: "The server has no space left to store this. Nothing was changed; try again later.", Err: err}
	case s.d.retry(err):
		return &paraph.Error{Kind: paraph.Conflict, Message: "Somebody else is changing the same thing; try again.", Err: err}
	}
	return err
}

// Now is the one time of the transaction.
func (tx *Tx) Now() time.Time { return tx.now }

// After lets f run once the transaction has committed. f must not block.
func (tx *Tx) After(f func()) { tx.after = append(tx.after, f) }

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := tx.q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// insert runs an INSERT … RETURNING id.
func (tx *Tx) insert(ctx context.Context, query string, args ...any) (id int64, err error) {
	err = tx.q.QueryRowContext(ctx, query, args...).Scan(&id)
	return id, err
}
