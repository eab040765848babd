package store_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// TestTheDeadAreKnownAtTheStart: over a file, a process that is alone frees
// what others left; one that is not leaves their leases alone.
func TestTheDeadAreKnownAtTheStart(t *testing.T) {
	t.Parallel()
	v := storetest.Vault(t)
	clock := time.Date(2027, 3, 10, 12, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "paraph.db")
	open := func() *store.Store {
		t.Helper()
		s, err := store.Open(ctx, store.Config{Address: path, Clock: func() time.Time { return clock }, Logger: slog.New(slog.DiscardHandler), Vault: v})
		check(t, err)
		return s
	}
	lanes := func(s *store.Store, node string) int {
		t.Helper()
		rows, err := s.Query(ctx, "SELECT endpoint_id FROM lanes WHERE node_id = $1", node)
		check(t, err)
		return len(rows)
	}
	first := open()
	a, _ := storetest.Space(t, first, "ada")
	p := storetest.Endpoint(t, first, a.ID)
	check(t, first.Claim(ctx, func(tx *store.Tx) error {
		if err := tx.JoinNode(ctx, "first", time.Minute); err != nil {
			return err
		}
		_, err := tx.TakeLanes(ctx, "first", []int64{p.ID})
		return err
	}))
	second := open()
	same(t, "lanes while the first is alive", lanes(second, "first"), 1)
	check(t, first.Close()) // its node is still written down, as if it had been killed
	third := open()
	same(t, "lanes while the second is alive", lanes(third, "first"), 1)
	check(t, second.Close())
	check(t, third.Close())
	last := open()
	defer func() { check(t, last.Close()) }()
	same(t, "lanes when nobody is", lanes(last, "first"), 0)
	due, err := last.DueLanes(ctx, 9)
	check(t, err)
	same(t, "lanes that are due", len(due), 1)
}

// TestResultsDoNotWaitForTheDisk: what Settle commits may be taken back by a
// power cut; what Update commits after it is on the disk with all before it.
func TestResultsDoNotWaitForTheDisk(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		engine := t.Name()[strings.LastIndex(t.Name(), "/")+1:]
		show := map[string]string{"sqlite": "PRAGMA synchronous", "postgres": "SELECT current_setting('synchronous_commit')"}[engine]
		level := func(in func(context.Context, func(*store.Tx) error) error) (level any) {
			t.Helper()
			check(t, in(ctx, func(tx *store.Tx) error {
				rows, err := tx.Query(ctx, show)
				if err == nil {
					level = rows[0][0]
				}
				return err
			}))
			return level
		}
		usual := level(s.Update)
		lax := level(s.Settle)
		if want := map[string]any{"sqlite": int64(1), "postgres": "off"}[engine]; lax != want {
			t.Errorf("results are committed with %v and not %v", lax, want)
		}
		same(t, "changes after results", level(s.Update), usual)
		if engine == "sqlite" {
			same(t, "changes", usual, any(int64(2)))
		}
	})
}
