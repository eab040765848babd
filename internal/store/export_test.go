package store

import (
	"context"
	"database/sql"
)

// Writer is the connection that writes.
func (s *Store) Writer() *sql.DB { return s.write }

// LosePatience lets transactions that others are faster than give up as soon
// as they may.
func (s *Store) LosePatience() { s.patience = 0 }

// Query runs a query as the package's own do, and answers each row as a list.
func (r Reader) Query(ctx context.Context, query string, args ...any) ([][]any, error) {
	rows, err := r.q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out [][]any
	for rows.Next() {
		row, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			places[i] = &row[i]
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// Spy lets see every query that runs in f.
func (s *Store) Spy(saw func(query string, args []any), f func(s *Store)) {
	c := *s
	c.Reader.q = spy{s.q, saw}
	f(&c)
}

// SpyTx is Spy for a transaction.
func (tx *Tx) SpyTx(saw func(query string, args []any)) { tx.q = spy{tx.q, saw} }

type spy struct {
	querier
	saw func(string, []any)
}

func (s spy) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s.saw(query, args)
	return s.querier.QueryContext(ctx, query, args...)
}

func (s spy) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s.saw(query, args)
	return s.querier.QueryRowContext(ctx, query, args...)
}

func (s spy) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s.saw(query, args)
	return s.querier.ExecContext(ctx, query, args...)
}

// Remembered tells how many endpoints' secrets are remembered, by generation.
func (s *Store) Remembered() (young, old int) {
	s.secrets.mu.Lock()
	defer s.secrets.mu.Unlock()
	return len(s.secrets.young), len(s.secrets.old)
}
