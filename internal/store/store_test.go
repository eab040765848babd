package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

var ctx = context.Background()

func wantKind(t testing.TB, what string, err error, kind paraph.Kind) {
	t.Helper()
	if got := paraph.KindOf(err); got != kind {
		t.Errorf("%s: error is %q (%v), want %q", what, got, err, kind)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	good := store.Config{Address: t.TempDir() + "/x.db", Clock: time.Now, Logger: slog.New(slog.DiscardHandler)}
	for name, change := range map[string]func(c *store.Config){
		"no address":   func(c *store.Config) { c.Address = "" },
		"no clock":     func(c *store.Config) { c.Clock = nil },
		"no logger":    func(c *store.Config) { c.Logger = nil },
		"no directory": func(c *store.Config) { c.Address = "/nowhere/at/all.db" },
		"no server":    func(c *store.Config) { c.Address = "postgres://nobody@127.0.0.1:1/none?connect_timeout=1" },
	} {
		c := good
		change(&c)
		if s, err := store.Open(ctx, c); err == nil {
			s.Close()
			t.Errorf("%s: the store opened", name)
		}
	}
}

func TestNow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		clock.Advance(789 * time.Nanosecond)
		if got := s.Now(); got != storetest.Start || got.Location() != time.UTC {
			t.Errorf("now is %v", got)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			clock.Advance(time.Hour)
			if tx.Now() != storetest.Start {
				t.Errorf("within a transaction now became %v", tx.Now())
			}
			return nil
		})
		check(t, s.Ping(ctx))
	})
}

func TestPlacesOfArguments(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		for query, want := range map[string]string{
			"SELECT CAST($1 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)":                                                         "[[a a b]]",
			"SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)":                                                         "[[b a b]]",
			"SELECT x FROM (SELECT CAST($2 AS TEXT) AS x) AS t WHERE x <> CAST($1 AS TEXT)":                                       "[[b]]",
			"WITH w AS (SELECT CAST($2 AS TEXT) AS x) SELECT x, CAST($1 AS TEXT) FROM w WHERE x = $2":                             "[[b a]]",
			"SELECT CASE WHEN CAST($1 AS TEXT) = 'a' THEN CAST($2 AS TEXT) END UNION ALL SELECT CAST($1 AS TEXT)":                 "[[b] [a]]",
			"WITH r (x, y) AS (VALUES (CAST($2 AS TEXT), CAST($1 AS TEXT))) SELECT y, x FROM r WHERE r.y = $1 OR 1 = 0":           "[[a b]]",
			"SELECT 1 WHERE CAST($1 AS TEXT) = 'a' AND CAST($2 AS TEXT) = 'b' AND EXISTS (SELECT 1 WHERE $1 = CAST('a' AS TEXT))": "[[1]]",
		} {
			rows, err := s.Query(ctx, query, "a", "b")
			if got := fmt.Sprint(rows); err != nil || got != want {
				t.Errorf("%s: %s, %v; want %s", query, got, err, want)
			}
		}
		many := make([]any, 120)
		var places []string
		for i := range many {
			many[i] = i
			places = append(places, fmt.Sprintf("CAST($%d AS BIGINT)", len(many)-i))
		}
		rows, err := s.Query(ctx, "SELECT "+strings.Join(places, ", "), many...)
		check(t, err)
		for i, v := range rows[0] {
			if v != int64(len(many)-1-i) {
				t.Fatalf("place %d holds %v", i, v)
			}
		}
	})
}

func TestTextsThatCannotBeStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SetSetting(ctx, "n\x00", "a\x00b\xffc 日本 🖋") })
		for _, name := range []string{"n", "n\x00"} {
			if got, err := s.Setting(ctx, name); err != nil || got != "ab\uFFFDc 日本 🖋" {
				t.Errorf("setting %q is %q, %v", name, got, err)
			}
		}
		if _, err := s.EnvelopeBySlug(ctx, "\x00\xff"); paraph.KindOf(err) != paraph.NotFound {
			t.Errorf("a slug that no engine can hold: %v", err)
		}
		if es, err := s.Envelopes(ctx, 1, store.EnvelopeFilter{Query: "\xff\x00x", Status: "\x00"}); err != nil || len(es) != 0 {
			t.Errorf("a search that no engine can hold: %v, %v", es, err)
		}
	})
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		failed, ran := errors.New("failed"), 0
		err := s.Update(ctx, func(tx *store.Tx) error {
			tx.After(func() { ran++ })
			if err := tx.SetSetting(ctx, "a", "1"); err != nil {
				return err
			}
			return failed
		})
		if v, _ := s.Setting(ctx, "a"); !errors.Is(err, failed) || v != "" || ran != 0 {
			t.Errorf("a failed update: %v, %q, %d calls after", err, v, ran)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.Update(ctx, func(tx *store.Tx) error {
				tx.After(func() { ran++ })
				_ = tx.SetSetting(ctx, "a", "1")
				panic("in the middle")
			})
		}()
		storetest.Update(t, s, func(tx *store.Tx) error { // hangs when the panic kept its transaction
			tx.After(func() {
				ran++
				if v, _ := s.Setting(ctx, "b"); v != "2" {
					t.Error("After ran before the commit")
				}
			})
			return tx.SetSetting(ctx, "b", "2")
		})
		if v, _ := s.Setting(ctx, "a"); v != "" || ran != 1 {
			t.Errorf("after a panic: %q, %d calls after", v, ran)
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Update(gone, func(*store.Tx) error { return nil }); err == nil {
			t.Error("an update of nobody's went through")
		}
	})
}

// TestUpdateRetries lets many read and write one number at once: none may be
// lost, and on Postgres some must have had to try again.
func TestUpdateRetries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SetSetting(ctx, "n", "") })
		var after, gaveUp atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 5 {
					err := s.Update(ctx, func(tx *store.Tx) error {
						tx.After(func() { after.Add(1) })
						v, err := tx.Setting(ctx, "n")
						if err != nil {
							return err
						}
						return tx.SetSetting(ctx, "n", v+"x")
					})
					if err != nil {
						gaveUp.Add(1)
						wantKind(t, "an update that gave up", err, paraph.Conflict)
					}
				}
			})
		}
		wg.Wait()
		v, err := s.Setting(ctx, "n")
		if err != nil || int64(len(v)) != 40-gaveUp.Load() || after.Load() != int64(len(v)) || gaveUp.Load() > 4 {
			t.Errorf("%d of 40 updates, %d calls after, %d gave up, %v", len(v), after.Load(), gaveUp.Load(), err)
		}
	})
}

// TestRetriesAreBounded makes a transaction on Postgres lose every time.
func TestRetriesAreBounded(t *testing.T) {
	t.Parallel()
	s, _ := storetest.New(t, "postgres")
	s.LosePatience()
	storetest.Update(t, s, func(tx *store.Tx) error { return tx.SetSetting(ctx, "n", "0") })
	tries, ran := 0, 0
	err := s.Update(ctx, func(tx *store.Tx) error {
		tries++
		tx.After(func() { ran++ })
		if _, err := tx.Setting(ctx, "n"); err != nil {
			return err
		}
		if _, err := s.Writer().ExecContext(ctx, "UPDATE settings SET value = value || 'x' WHERE name = 'n'"); err != nil {
			return err
		}
		return tx.SetSetting(ctx, "n", "mine")
	})
	wantKind(t, "an update that always loses", err, paraph.Conflict)
	if tries != 12 || ran != 0 {
		t.Errorf("%d tries, %d calls after", tries, ran)
	}
}

// TestFull fills a SQLite file up to a limit of its pages.
func TestFull(t *testing.T) {
	t.Parallel()
	s, _ := storetest.New(t, "sqlite")
	limit := func(pages int) {
		t.Helper()
		var n int
		check(t, s.Writer().QueryRowContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&n))
	}
	limit(1) // it becomes what there is
	big := strings.Repeat("x", 1<<16)
	ran := false
	for i := range 3 {
		err := s.Update(ctx, func(tx *store.Tx) error {
			tx.After(func() { ran = true })
			return tx.SetSetting(ctx, fmt.Sprint("big", i), big)
		})
		wantKind(t, "a full disk", err, paraph.Full)
		var pe *paraph.Error
		if !errors.As(err, &pe) || pe.Err == nil || strings.Contains(pe.Message, "SQLITE") {
			t.Errorf("the error is %#v", err)
		}
	}
	if v, err := s.Setting(ctx, "big0"); v != "" || err != nil || ran {
		t.Errorf("after a full disk: %q, %v, %v", v, err, ran)
	}
	limit(1 << 20)
	storetest.Update(t, s, func(tx *store.Tx) error { return tx.SetSetting(ctx, "big0", big) })
	if v, err := s.Setting(ctx, "big0"); v != big || err != nil {
		t.Errorf("with space again: %d bytes, %v", len(v), err)
	}
}

func TestNodesStartAtOnce(t *testing.T) {
	t.Parallel()
	for _, engine := range storetest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			address, clock := storetest.Address(t, engine), storetest.NewClock()
			var wg sync.WaitGroup
			for i := range 10 {
				wg.Go(func() {
					s, err := store.Open(ctx, store.Config{Address: address, Clock: clock.Now, Logger: slog.New(slog.DiscardHandler)})
					if err != nil {
						t.Errorf("node %d: %v", i, err)
						return
					}
					defer s.Close()
					if err := s.Update(ctx, func(tx *store.Tx) error { return tx.SetSetting(ctx, fmt.Sprint("node", i), "here") }); err != nil {
						t.Errorf("node %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			s := storetest.Open(t, address, clock) // once more: nothing is left to apply
			for i := range 10 {
				if v, err := s.Setting(ctx, fmt.Sprint("node", i)); err != nil || v != "here" {
					t.Errorf("node %d left %q, %v", i, v, err)
				}
			}
			rows, err := s.Query(ctx, "SELECT version_id, COUNT(*) FROM goose_db_version GROUP BY version_id ORDER BY version_id")
			check(t, err)
			for _, row := range rows {
				if fmt.Sprint(row[1]) != "1" {
					t.Errorf("migration %v was applied %v times", row[0], row[1])
				}
			}
		})
	}
}

// TestSchemasAreTheSame compares tables, columns and indexes of the engines.
func TestSchemasAreTheSame(t *testing.T) {
	t.Parallel()
	lite, _ := storetest.New(t, "sqlite")
	pg, _ := storetest.New(t, "postgres")
	columns := map[*store.Store]string{
		lite: `SELECT m.name || '.' || c.name || ' ' || CASE WHEN UPPER(c.type) = 'INTEGER' THEN 'BIGINT' ELSE UPPER(c.type) END
				|| CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' NOT NULL' ELSE '' END || COALESCE(' DEFAULT ' || c.dflt_value, '')
			FROM sqlite_master AS m, pragma_table_info(m.name) AS c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%'`,
		pg: `SELECT table_name || '.' || column_name || ' ' || UPPER(data_type) || CASE WHEN is_nullable = 'NO' THEN ' NOT NULL' ELSE '' END
				|| COALESCE(' DEFAULT ' || REPLACE(column_default, '::text', ''), '')
			FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%'`,
	}
	indexes := map[*store.Store]string{
		lite: `SELECT m.name || ' (' || (SELECT GROUP_CONCAT(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')'
				|| CASE WHEN i."unique" = 1 THEN ' UNIQUE' ELSE '' END
				|| COALESCE(' WHERE ' || (SELECT CASE WHEN INSTR(sql, ' WHERE ') > 0 THEN SUBSTR(sql, INSTR(sql, ' WHERE ') + 7) END FROM sqlite_master WHERE name = i.name), '')
			FROM sqlite_master AS m, pragma_index_list(m.name) AS i
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%'`,
		pg: `SELECT t.relname || ' (' || (SELECT STRING_AGG(a.attname, ', ' ORDER BY k.n) FROM UNNEST(i.indkey) WITH ORDINALITY AS k (attnum, n)
					JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.attnum) || ')'
				|| CASE WHEN i.indisunique THEN ' UNIQUE' ELSE '' END
				|| COALESCE(' WHERE ' || REPLACE(REPLACE(REPLACE(PG_GET_EXPR(i.indpred, i.indrelid), '::text', ''), '(', ''), ')', ''), '')
			FROM pg_index AS i JOIN pg_class AS t ON t.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace
			WHERE n.nspname = 'public' AND t.relname NOT LIKE 'goose_%'
				AND NOT (i.indisprimary AND i.indkey::text = COALESCE((SELECT attnum::text FROM pg_attribute WHERE attrelid = t.oid AND attname = 'id'), ''))`,
	}
	list := func(s *store.Store, queries map[*store.Store]string) []string {
		rows, err := s.Query(ctx, "SELECT x FROM ("+queries[s]+") AS q (x) ORDER BY x")
		if s == lite {
			rows, err = s.Query(ctx, queries[s])
		}
		check(t, err)
		out := make([]string, len(rows))
		for i, row := range rows {
			out[i] = fmt.Sprint(row[0])
		}
		return out
	}
	for what, queries := range map[string]map[*store.Store]string{"columns": columns, "indexes": indexes} {
		a, b := list(lite, queries), list(pg, queries)
		slices.Sort(a)
		slices.Sort(b)
		if len(a) < 30 {
			t.Errorf("only %d %s were found", len(a), what)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s of SQLite (-) and Postgres (+) differ:\n%s", what, diff)
		}
	}
}

func TestForeignKeysHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		err := s.Update(ctx, func(tx *store.Tx) error {
			return tx.InsertMembership(ctx, paraph.Membership{AccountID: 77, UserID: 78, Role: paraph.RoleAdmin})
		})
		if err == nil {
			t.Error("a membership of nobody in nothing was stored")
		}
	})
}

func TestReadersOnlyRead(t *testing.T) {
	t.Parallel()
	s, _ := storetest.New(t, "sqlite")
	if _, err := s.Query(ctx, "INSERT INTO settings (name, value) VALUES ('a', 'b') RETURNING name"); err == nil {
		t.Error("a reader wrote")
	}
	rows, err := s.Query(ctx, "SELECT * FROM pragma_journal_mode(), pragma_foreign_keys()")
	if err != nil || fmt.Sprint(rows) != "[[wal 1]]" {
		t.Errorf("journal mode and foreign keys are %v, %v", rows, err)
	}
	var sync int
	check(t, s.Writer().QueryRowContext(ctx, "PRAGMA synchronous").Scan(&sync))
	if sync != 2 {
		t.Errorf("synchronous is %d, want 2 (FULL)", sync)
	}
}
