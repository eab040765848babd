package store

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"
)

// TestPairsJSON: headers are written as encoding/json would write them.
func TestPairsJSON(t *testing.T) {
	t.Parallel()
	for _, pairs := range [][][2]string{
		nil, {}, {{"A", "b"}}, {{"A", `a "quoted" \ one`}, {"B", "<&>"}, {"Ü", "\x00\x1f\x7f\u2028 \xff"}},
	} {
		if got, want := pairsJSON(pairs), asJSON(pairs); got != want {
			t.Errorf("%q is written as %s, not %s", pairs, got, want)
		}
	}
}

// TestPieces: all rows, in their order, in powers of two.
func TestPieces(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		rows := make([]int, n)
		for i := range rows {
			rows[i] = i
		}
		next := 0
		for p := range pieces(rows, 8) {
			if len(p)&(len(p)-1) != 0 || len(p) > 8 || p[0] != next {
				t.Fatalf("of %d rows a piece is %v", n, p)
			}
			next += len(p)
		}
		if next != n {
			t.Errorf("of %d rows %d came", n, next)
		}
	}
}

// TestKeptStatements: a statement whose rows are being read can be run again,
// one that failed as well, and a connection keeps no more than it may.
func TestKeptStatements(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, Config{Address: filepath.Join(t.TempDir(), "kept.db"), Clock: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(ctx, func(tx *Tx) error {
		for _, id := range []int{1, 2, 3} {
			if _, err := tx.exec(ctx, "INSERT INTO bodies (id, body) VALUES ($1, $2)", id, []byte{byte(id)}); err != nil {
				return err
			}
		}
		if _, err := tx.exec(ctx, "INSERT INTO bodies (id, body) VALUES ($1, $2)", 3, []byte{3}); err == nil {
			t.Error("an id was stored twice")
		}
		const query = "SELECT id FROM bodies WHERE id > $1 ORDER BY id"
		rows, err := tx.q.QueryContext(ctx, query, 0)
		if err != nil {
			return err
		}
		defer rows.Close()
		var outer []int64
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			inner, err := all(ctx, tx.q, scanInt, query, id)
			if err != nil || len(inner) != 3-int(id) {
				t.Errorf("above %d are %v, %v", id, inner, err)
			}
			outer = append(outer, id)
		}
		if len(outer) != 3 {
			t.Errorf("the outer rows are %v", outer)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * maxKept {
		var a args
		ids := make([]int, i+1)
		if _, err := all(ctx, s.q, scanInt, "SELECT id FROM bodies WHERE id IN ("+list(&a, ids)+")", a...); err != nil {
			t.Fatal(err)
		}
	}
	checkKept(t, s)
}

// checkKept: a connection that saw more texts than it keeps has not grown.
func checkKept(t *testing.T, s *Store) {
	t.Helper()
	c, err := s.read.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Raw(func(c any) error {
		if n := len(c.(*keeper).kept); n == 0 || n > maxKept {
			t.Errorf("a connection keeps %d statements", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
