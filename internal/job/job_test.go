package job_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/job"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// world is a runner of one kind, "work", over a store.
type world struct {
	t      *testing.T
	store  *store.Store
	clock  *storetest.Clock
	runner *job.Runner
}

func newWorld(t *testing.T, s *store.Store, clock *storetest.Clock, k job.Kind, lease time.Duration) *world {
	t.Helper()
	k.Name = "work"
	if k.Pause == nil {
		k.Pause = job.Doubling(time.Minute, time.Hour, 0)
	}
	r, err := job.New(job.Config{Store: s, Kinds: []job.Kind{k}, Log: slog.New(slog.DiscardHandler), Lease: lease})
	check(t, err)
	return &world{t, s, clock, r}
}

func (w *world) queue() store.Job {
	w.t.Helper()
	j := store.Job{Kind: "work", Payload: `{"n":1}`, DueAt: w.store.Now()}
	storetest.Update(w.t, w.store, func(tx *store.Tx) error { return tx.InsertJob(w.t.Context(), &j) })
	return j
}

// run works what is due and tells how many jobs that were.
func (w *world) run() int {
	w.t.Helper()
	n, err := w.runner.RunDue(w.t.Context())
	check(w.t, err)
	return n
}

// next is how long it is until the next job is due.
func (w *world) next() (time.Duration, bool) {
	w.t.Helper()
	at, err := w.store.JobNext(w.t.Context(), "work")
	check(w.t, err)
	return at.Sub(w.store.Now()), !at.IsZero()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestJobIsDoneOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		var got []store.Job
		w := newWorld(t, s, clock, job.Kind{Run: func(_ context.Context, j store.Job) error { got = append(got, j); return nil }}, 0)
		j := w.queue()
		if n := w.run(); n != 1 || len(got) != 1 || got[0].ID != j.ID || got[0].Payload != `{"n":1}` {
			t.Fatalf("%d jobs ran: %+v", n, got)
		}
		clock.Advance(24 * time.Hour)
		if n := w.run(); n != 0 {
			t.Errorf("a finished job ran again")
		}
	})
}

func TestFailedJobWaitsAndIsTriedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		runs := 0
		w := newWorld(t, s, clock, job.Kind{Run: func(_ context.Context, j store.Job) error {
			if runs++; runs < 4 {
				return errors.New("not yet")
			}
			return nil
		}}, 0)
		w.queue()
		for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
			w.run()
			if wait, ok := w.next(); !ok || wait != want {
				t.Fatalf("after failure %d it waits %v, %v", i+1, wait, ok)
			}
			clock.Advance(want - time.Microsecond)
			if n := w.run(); n != 0 {
				t.Fatalf("after failure %d it ran before its time", i+1)
			}
			clock.Advance(time.Microsecond)
		}
		w.run()
		if _, waiting := w.next(); waiting || runs != 4 {
			t.Errorf("it ran %d times, and waits: %v", runs, waiting)
		}
	})
}

func TestJobThatCannotBeMendedIsGivenUp(t *testing.T) {
	for name, failure := range map[string]error{
		"its time is over": errors.New("away"), "it said so": job.Stop(errors.New("refused for good")),
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
				runs, why := 0, ""
				w := newWorld(t, s, clock, job.Kind{
					Run:   func(context.Context, store.Job) error { runs++; return failure },
					Pause: job.Doubling(time.Hour, 4*time.Hour, 8*time.Hour),
					GaveUp: func(_ context.Context, _ *store.Tx, j store.Job, err error) error {
						why = err.Error()
						return nil
					},
				}, 0)
				w.queue()
				for range 10 {
					w.run()
					clock.Advance(4 * time.Hour)
				}
				want := 4 // at 0, 1, 3 and 7 hours; the next would be at 11
				if name == "it said so" {
					want = 1
				}
				if runs != want || !strings.Contains(why, failure.Error()) {
					t.Errorf("it ran %d times and not %d; the reason told is %q", runs, want, why)
				}
			})
		})
	}
}

func TestPanicIsAnError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		w := newWorld(t, s, clock, job.Kind{Run: func(context.Context, store.Job) error { panic("a bad document") }}, 0)
		w.queue()
		w.run()
		if wait, ok := w.next(); !ok || wait != time.Minute {
			t.Errorf("after a panic it waits %v, %v", wait, ok)
		}
	})
}

// TestAbandonedClaim is the crash of a node that had claimed a job: another one
// gets it when the lease is over, and what the first might still write does not
// count.
func TestAbandonedClaim(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		runs := 0
		w := newWorld(t, s, clock, job.Kind{Run: func(context.Context, store.Job) error { runs++; return nil }}, 30*time.Second)
		w.queue()
		var dead []store.Job
		storetest.Update(t, s, func(tx *store.Tx) (err error) {
			dead, err = tx.ClaimJobs(t.Context(), "work", "dead node", tx.Now().Add(30*time.Second), 1)
			return err
		})
		if len(dead) != 1 || w.run() != 0 {
			t.Fatalf("the job was claimed by %d nodes", len(dead)+runs)
		}
		clock.Advance(30 * time.Second)
		if n := w.run(); n != 1 || runs != 1 {
			t.Fatalf("after the lease it ran %d times", runs)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.RetryJob(t.Context(), dead[0], tx.Now(), "late", true) })
		if n := w.run(); n != 0 {
			t.Errorf("the dead node's word brought the job back")
		}
	})
}

// TestLostClaimBreaksTheWorkOff: whoever notices by a heartbeat that the claim
// is somebody else's stops working.
func TestLostClaimBreaksTheWorkOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		w := newWorld(t, s, clock, job.Kind{Run: func(ctx context.Context, j store.Job) error {
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.FinishJob(ctx, j, "done", "") }) // as another node would
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Minute):
				return errors.New("nobody broke it off")
			}
		}}, 30*time.Millisecond)
		w.queue()
		w.run()
		if _, waiting := w.next(); waiting {
			t.Error("the job came back although another node had finished it")
		}
	})
}

// TestStopPutsBack: a server that stops gives the job back, due at once, and
// the attempt does not count.
func TestStopPutsBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		started := make(chan store.Job)
		w := newWorld(t, s, clock, job.Kind{Run: func(ctx context.Context, j store.Job) error {
			started <- j
			<-ctx.Done()
			return ctx.Err()
		}}, 0)
		w.queue()
		w.runner.Start()
		<-started
		w.runner.Stop()
		if wait, ok := w.next(); !ok || wait != 0 {
			t.Fatalf("after the stop it is due in %v, %v", wait, ok)
		}
		var again []store.Job
		storetest.Update(t, s, func(tx *store.Tx) (err error) {
			again, err = tx.ClaimJobs(t.Context(), "work", "next", tx.Now().Add(time.Minute), 1)
			return err
		})
		if len(again) != 1 || again[0].Attempts != 0 {
			t.Errorf("the next start finds %+v", again)
		}
	})
}

// TestWakeRunsAtOnce: a job that was just committed does not wait for the poll.
func TestWakeRunsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		ran := make(chan struct{}, 100)
		w := newWorld(t, s, clock, job.Kind{Workers: 2, Run: func(context.Context, store.Job) error { ran <- struct{}{}; return nil }}, 0)
		w.runner.Start()
		defer w.runner.Stop()
		for range 20 {
			w.queue()
			w.runner.Wake("work")
		}
		for i := range 20 {
			select {
			case <-ran:
			case <-time.After(time.Minute):
				t.Fatalf("%d of 20 jobs ran", i)
			}
		}
	})
}

func TestDoubling(t *testing.T) {
	t.Parallel()
	p := job.Doubling(10*time.Second, time.Minute, 4*time.Minute)
	var waits []time.Duration
	for n := 1; ; n++ {
		wait, again := p(n)
		if !again {
			break
		}
		waits = append(waits, wait)
	}
	want := []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute}
	if len(waits) != len(want) {
		t.Fatalf("the waits are %v", waits)
	}
	for i := range want {
		if waits[i] != want[i] {
			t.Errorf("wait %d is %v and not %v", i+1, waits[i], want[i])
		}
	}
	if wait, again := job.Doubling(time.Second, time.Minute, 0)(1000); !again || wait != time.Minute {
		t.Errorf("without an end the thousandth wait is %v, %v", wait, again)
	}
}
