package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// prune is one call of PruneDeliveries.
func prune(t testing.TB, s *store.Store, before time.Time, from store.Mark, n int, keep map[int64]bool) (removed int, next store.Mark) {
	t.Helper()
	check(t, s.Claim(ctx, func(tx *store.Tx) (err error) {
		removed, next, err = tx.PruneDeliveries(ctx, before, from, n, keep)
		return err
	}))
	return removed, next
}

// pruneAll is a pass in batches of n.
func pruneAll(t testing.TB, s *store.Store, before time.Time, n int, keep map[int64]bool) (removed int) {
	t.Helper()
	from := store.Mark{}
	for {
		some, next := prune(t, s, before, from, n, keep)
		removed += some
		if from = next; next == (store.Mark{}) {
			return removed
		}
	}
}

func left(t testing.TB, s *store.Store, table string) string {
	t.Helper()
	column := "id"
	if table == "attempts" {
		column = "delivery_id"
	}
	rows, err := s.Query(ctx, "SELECT DISTINCT "+column+" FROM "+table+" ORDER BY "+column)
	check(t, err)
	return fmt.Sprint(rows)
}

func wantLeft(t testing.TB, s *store.Store, want ...int64) {
	t.Helper()
	rows := make([][]any, len(want))
	for i, id := range want {
		rows[i] = []any{id}
	}
	for _, table := range []string{"deliveries", "bodies", "attempts"} {
		if got := left(t, s, table); got != fmt.Sprint(rows) {
			t.Errorf("left of %s are %v, want %v", table, got, want)
		}
	}
}

// TestPruneDeliveries: what ended before a time goes with all that belongs to
// it, in batches that get past whatever stays: what is pending, was replayed,
// belongs to an endpoint that is being replayed, or ended later.
func TestPruneDeliveries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p, q := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		storetest.Queue(t, s, storetest.Deliveries(p, 10, s.Now()))
		storetest.Queue(t, s, storetest.Deliveries(q, 3, s.Now()))
		ds, held := due(t, s, p.ID, 10), due(t, s, q.ID, 3)
		save(t, s, result(ds[0], paraph.DeliveryPending, s.Now(), s.Now().Add(1000*time.Hour)))
		for i, d := range slices.Concat(ds[1:], held) {
			save(t, s, result(d, []paraph.DeliveryState{paraph.DeliverySucceeded, paraph.DeliveryFailed}[i%2], s.Now(), time.Time{}))
		}
		clock.Advance(time.Hour)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.Requeue(ctx, a.ID, ds[1].ID) }) // waits again
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.Requeue(ctx, a.ID, ds[2].ID) })
		for _, d := range due(t, s, p.ID, 2) {
			if d.ID == ds[2].ID {
				save(t, s, result(d, paraph.DeliverySucceeded, s.Now(), time.Time{}))
			}
		}
		young := storetest.Queue(t, s, storetest.Deliveries(p, 1, s.Now()))
		save(t, s, result(young[0], paraph.DeliverySucceeded, s.Now(), time.Time{}))
		keep := map[int64]bool{q.ID: true}
		if n := pruneAll(t, s, s.Now().Add(-time.Hour), 2, keep); n != 0 {
			t.Errorf("%d were pruned that ended just then", n)
		}
		if n := pruneAll(t, s, s.Now(), 2, keep); n != 7 {
			t.Errorf("%d were pruned, want 7", n)
		}
		wantLeft(t, s, ds[0].ID, ds[1].ID, ds[2].ID, held[0].ID, held[1].ID, held[2].ID, young[0].ID)
		if n := pruneAll(t, s, s.Now(), 2, nil); n != 3 {
			t.Errorf("%d were pruned when the replay was over, want 3", n)
		}
		if n := pruneAll(t, s, s.Now().Add(time.Microsecond), 100, nil); n != 2 {
			t.Errorf("%d were pruned later, want 2", n)
		}
		wantLeft(t, s, ds[0].ID, ds[1].ID)
	})
}

// TestPruneKeepsWhatBegins: something that is about to be sent anew can't be
// removed under the hands of who does it, and nothing is left of it by halves.
func TestPruneKeepsWhatBegins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		const n = 200
		ds := storetest.Deliveries(p, n, s.Now())
		for i := range ds {
			ds[i].State, ds[i].FinishedAt = paraph.DeliveryFailed, s.Now()
		}
		storetest.Queue(t, s, ds)
		var saved []int64
		var both sync.WaitGroup
		both.Go(func() {
			for i := n - 1; i >= 0; i-- { // towards the pruner
				err := s.Update(ctx, func(tx *store.Tx) error { return tx.Requeue(ctx, a.ID, ds[i].ID) })
				switch paraph.KindOf(err) {
				case "":
					saved = append(saved, ds[i].ID)
				case paraph.NotFound:
				default:
					t.Errorf("send %d anew: %v", i, err)
				}
			}
		})
		both.Go(func() { pruneAll(t, s, s.Now().Add(time.Microsecond), 8, nil) })
		both.Wait()
		pruneAll(t, s, s.Now().Add(time.Microsecond), 8, nil)
		slices.Sort(saved)
		var got []int64
		for _, d := range due(t, s, p.ID, n) {
			got = append(got, d.ID)
			if len(d.Body) == 0 {
				t.Errorf("delivery %d has lost its body", d.ID)
			}
		}
		if !slices.Equal(got, saved) {
			t.Errorf("waiting are %v, sent anew were %v", got, saved)
		}
	})
}

// TestPruneWhileDelivering: a backlog of what ended goes while deliveries are
// claimed and their results written, and none of these is lost.
func TestPruneWhileDelivering(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		const old, fresh = 3000, 300
		ds := storetest.Deliveries(p, old, s.Now())
		for i := range ds {
			ds[i].State, ds[i].FinishedAt = paraph.DeliverySucceeded, s.Now()
		}
		storetest.Queue(t, s, ds)
		clock.Advance(time.Hour)
		before := s.Now()
		var both sync.WaitGroup
		both.Go(func() {
			if n := pruneAll(t, s, before, 100, nil); n != old {
				t.Errorf("%d were pruned, want %d", n, old)
			}
		})
		both.Go(func() {
			for range fresh / 10 {
				check(t, s.Update(ctx, func(tx *store.Tx) error { return tx.InsertDeliveries(ctx, storetest.Deliveries(p, 10, s.Now())) }))
				var rs []store.Result
				for _, d := range due(t, s, p.ID, 10) {
					rs = append(rs, result(d, paraph.DeliverySucceeded, s.Now(), time.Time{}))
				}
				check(t, s.Claim(ctx, func(tx *store.Tx) error { return tx.SaveResults(ctx, rs) }))
			}
		})
		both.Wait()
		rows, err := s.Query(ctx, "SELECT (SELECT COUNT(*) FROM deliveries WHERE state = 'succeeded'), (SELECT COUNT(*) FROM bodies), (SELECT COUNT(*) FROM attempts)")
		if want := fmt.Sprint([][]any{{fresh, fresh, fresh}}); err != nil || fmt.Sprint(rows) != want {
			t.Errorf("left are %v, %v; want %s", rows, err, want)
		}
	})
}

// TestAttemptsAreBounded: what is sent anew keeps its newest attempts, under
// their numbers; another keeps all it has.
func TestAttemptsAreBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		storetest.Queue(t, s, storetest.Deliveries(p, 2, s.Now()))
		ds := due(t, s, p.ID, 2)
		for i := range store.KeptAttempts + 5 {
			for _, d := range ds {
				d.Attempts = i
				save(t, s, result(d, paraph.DeliveryPending, s.Now(), s.Now()))
			}
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.Requeue(ctx, a.ID, ds[0].ID) })
		for i, want := range []int{store.KeptAttempts, store.KeptAttempts + 5} {
			log, err := s.Attempts(ctx, a.ID, ds[i].ID)
			check(t, err)
			if n := len(log); n != want || log[n-1].Number != store.KeptAttempts+5 {
				t.Errorf("of delivery %d %d attempts are left, want %d; the last is number %d", i, n, want, log[n-1].Number)
			}
		}
	})
}

func TestPruneExpired(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		const many = 7
		add := func(name string, holds time.Duration) {
			storetest.Update(t, s, func(tx *store.Tx) error {
				x := paraph.Session{UserID: u.ID, AccountID: a.ID, ExpiresAt: tx.Now().Add(holds)}
				check(t, tx.InsertSession(ctx, &x, name))
				check(t, tx.InsertPasswordReset(ctx, u.ID, name, tx.Now().Add(holds)))
				i := paraph.Invitation{AccountID: a.ID, Email: name + "@example.com", InvitedBy: u.ID, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(holds)}
				check(t, tx.InsertInvitation(ctx, &i, name))
				_, err := tx.ReserveAnswer(ctx, a.ID, name, "h")
				return err
			})
		}
		for i := range many {
			add(fmt.Sprint("old", i), time.Hour)
		}
		clock.Advance(31 * 24 * time.Hour)
		add("new", time.Hour)
		var mores []bool
		for more := true; more; mores = append(mores, more) {
			storetest.Update(t, s, func(tx *store.Tx) (err error) { more, err = tx.PruneExpired(ctx, 3); return err })
		}
		if want := []bool{true, true, false}; !slices.Equal(mores, want) {
			t.Errorf("there was more: %v, want %v", mores, want)
		}
		for _, table := range []string{"sessions", "password_resets", "invitations", "idempotency_keys"} {
			rows, err := s.Query(ctx, "SELECT 1 FROM "+table)
			if err != nil || len(rows) != 1 {
				t.Errorf("%d %s are left, %v; want 1", len(rows), table, err)
			}
		}
		_, err := s.SessionByToken(ctx, "new", s.Now())
		wantKind(t, "the session that holds", err, "")
	})
}

// TestFileShrinks: once most of it is pruned, the database file is smaller,
// and all that is in it is well.
func TestFileShrinks(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	address := filepath.Join(t.TempDir(), "a b%?#ü.db")
	s := storetest.Open(t, address, clock)
	fillFile(t, s, 3000)
	full := fileSize(t, s, address)
	pruneAll(t, s, s.Now().Add(time.Microsecond), 100, nil)
	steps := giveAllBack(t, s)
	if is := fileSize(t, s, address); is > full/4 || is > 4<<20 || steps < 10 {
		t.Errorf("of %d bytes %d are left after %d steps", full, is, steps)
	}
	intact(t, s)
	if more, err := s.GiveBack(ctx, 64); err != nil || more {
		t.Errorf("there is more to give: %v, %v", more, err)
	}
}

func giveAllBack(t testing.TB, s *store.Store) (steps int) {
	t.Helper()
	for more := true; more; steps++ {
		var err error
		more, err = s.GiveBack(ctx, 64)
		check(t, err)
	}
	return steps
}

// fillFile stores deliveries that have ended, of 3 KB each.
func fillFile(t testing.TB, s *store.Store, n int) {
	t.Helper()
	a, _ := storetest.Space(t, s, "ada")
	p := storetest.Endpoint(t, s, a.ID)
	ds := storetest.Deliveries(p, n, s.Now())
	for i := range ds {
		ds[i].State, ds[i].FinishedAt, ds[i].Body = paraph.DeliverySucceeded, s.Now(), make([]byte, 3000)
	}
	storetest.Queue(t, s, ds)
}

// fileSize is the file's once the log has been moved to it.
func fileSize(t testing.TB, s *store.Store, address string) int64 {
	t.Helper()
	_, err := s.Writer().ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	check(t, err)
	info, err := os.Stat(address)
	check(t, err)
	return info.Size()
}

func intact(t testing.TB, s *store.Store) {
	t.Helper()
	rows, err := s.Query(ctx, "PRAGMA integrity_check")
	if err != nil || fmt.Sprint(rows) != "[[ok]]" {
		t.Errorf("the file is %v, %v", rows, err)
	}
}

// TestOldFileLearnsToShrink: a file that was made without the gift gets it
// when it is opened, and a large one when somebody asks.
func TestOldFileLearnsToShrink(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	for name, n := range map[string]int{"small": 100, "large": 17000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := filepath.Join(t.TempDir(), "old.db")
			s := storetest.Open(t, address, clock)
			for _, q := range []string{"PRAGMA auto_vacuum=0", "VACUUM"} {
				_, err := s.Writer().ExecContext(ctx, q)
				check(t, err)
			}
			fillFile(t, s, n)
			pruneAll(t, s, s.Now().Add(time.Microsecond), 1000, nil)
			if more, err := s.GiveBack(ctx, 9); err != nil || more {
				t.Errorf("an old file gives: %v, %v", more, err)
			}
			check(t, s.Close())
			var said strings.Builder
			s, err := store.Open(ctx, store.Config{Address: address, Clock: clock.Now, Logger: slog.New(slog.NewTextHandler(&said, nil))})
			check(t, err)
			defer s.Close()
			if large := name == "large"; large != strings.Contains(said.String(), "paraph vacuum") {
				t.Errorf("it was said: %s", said.String())
			} else if large {
				check(t, s.Vacuum(ctx))
			}
			fillAgain(t, s)
			if is := fileSize(t, s, address); is > 2<<20 {
				t.Errorf("%d bytes are left", is)
			}
			intact(t, s)
		})
	}
}

// fillAgain uses the file once more and gives back what it took.
func fillAgain(t testing.TB, s *store.Store) {
	t.Helper()
	rows, err := s.Query(ctx, "SELECT id FROM endpoints")
	check(t, err)
	ds := storetest.Deliveries(paraph.Endpoint{ID: rows[0][0].(int64), AccountID: 1}, 1000, s.Now())
	for i := range ds {
		ds[i].State, ds[i].FinishedAt, ds[i].Body = paraph.DeliverySucceeded, s.Now(), make([]byte, 3000)
	}
	storetest.Queue(t, s, ds)
	pruneAll(t, s, s.Now().Add(time.Microsecond), 100, nil)
	giveAllBack(t, s)
}

// TestVacuumOfPostgres: it sees to its files itself.
func TestVacuumOfPostgres(t *testing.T) {
	t.Parallel()
	s, _ := storetest.New(t, "postgres")
	check(t, s.Vacuum(ctx))
	if more, err := s.GiveBack(ctx, 10); err != nil || more {
		t.Errorf("Postgres gives back: %v, %v", more, err)
	}
	rows, err := s.Query(ctx, "SELECT relname FROM pg_class WHERE reloptions IS NOT NULL ORDER BY relname")
	if err != nil || !strings.Contains(fmt.Sprint(rows), "[deliveries]") {
		t.Errorf("vacuumed by settings of their own are %v, %v", rows, err)
	}
}

// TestVacuumWaitsForNobody: who can't have the file for himself is told.
func TestVacuumOfABusyFile(t *testing.T) {
	t.Parallel()
	address, clock := filepath.Join(t.TempDir(), "busy.db"), storetest.NewClock()
	s, other := storetest.Open(t, address, clock), storetest.Open(t, address, clock)
	storetest.Update(t, other, func(*store.Tx) error {
		short, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Vacuum(short); err == nil {
			t.Error("a file was written anew under the hands of somebody who writes to it")
		}
		return nil
	})
	check(t, s.Vacuum(ctx))
}

// TestPrunePlans: what is to be removed is found by an index, however much else
// there is, and by what Postgres chooses itself when it knows its tables.
func TestPrunePlans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		p := fill(t, s)
		const many = 20000
		ds := storetest.Deliveries(p, many, s.Now())
		for i := range ds {
			ds[i].Body = []byte("{}")
			if i%10 > 0 { // a backlog among them
				ds[i].State, ds[i].FinishedAt = paraph.DeliverySucceeded, s.Now().Add(time.Duration(i)*time.Second)
			}
		}
		storetest.Queue(t, s, ds)
		postgres := strings.HasPrefix(version(t, s), "PostgreSQL")
		prefix := "EXPLAIN QUERY PLAN "
		if postgres {
			prefix = "EXPLAIN "
			_, err := s.Writer().ExecContext(ctx, "VACUUM ANALYZE")
			check(t, err)
		}
		for _, tt := range []struct {
			name  string
			run   func(tx *store.Tx) error
			index string
		}{
			{"PruneDeliveries", func(tx *store.Tx) error {
				_, _, err := tx.PruneDeliveries(ctx, s.Now().Add(5000*time.Second), store.Mark{}, 100, nil)
				return err
			}, "deliveries_finished"},
			{"PruneExpired", func(tx *store.Tx) error { _, err := tx.PruneExpired(ctx, 100); return err }, "sessions_expiry"},
			{"PruneJobs", func(tx *store.Tx) error { _, err := tx.PruneJobs(ctx, s.Now(), 100); return err }, "jobs_finished"},
			{"Replaying", func(tx *store.Tx) error { _, err := tx.Replaying(ctx); return err }, "replays_running"},
		} {
			var plan strings.Builder
			check(t, s.Claim(ctx, func(tx *store.Tx) error {
				var queries []string
				var args [][]any
				tx.SpyTx(func(q string, a []any) { queries, args = append(queries, q), append(args, slices.Clone(a)) })
				check(t, tt.run(tx))
				for i, q := range queries {
					rows, err := tx.Query(ctx, prefix+q, args[i]...)
					check(t, err)
					fmt.Fprintln(&plan, rows)
				}
				return nil
			}))
			small := postgres && tt.name != "PruneDeliveries" // it reads a table of few pages as a whole, and rightly
			if !small && !strings.Contains(plan.String(), tt.index) {
				t.Errorf("%s does not use %s:\n%s", tt.name, tt.index, plan.String())
			}
			if strings.Contains(plan.String(), "Seq Scan on deliveries") || strings.Contains(plan.String(), "Seq Scan on bodies") {
				t.Errorf("%s reads all there is:\n%s", tt.name, plan.String())
			}
		}
	})
}
