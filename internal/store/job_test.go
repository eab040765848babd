package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

func jobID(j store.Job) int64 { return j.ID }

func claimJobs(t testing.TB, s *store.Store, kind, id string, n int) []store.Job {
	t.Helper()
	var jobs []store.Job
	check(t, s.Claim(ctx, func(tx *store.Tx) (err error) {
		jobs, err = tx.ClaimJobs(ctx, kind, id, tx.Now().Add(time.Minute), n)
		return err
	}))
	slices.SortFunc(jobs, func(a, b store.Job) int { return int(a.ID - b.ID) })
	return jobs
}

func TestJobs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		jobs := []store.Job{
			{Kind: "mail", AccountID: 1, EnvelopeID: 5, Payload: `{"ü":1}`, DueAt: s.Now()},
			{Kind: "mail", AccountID: 1, EnvelopeID: 5, DueAt: s.Now().Add(time.Hour)},
			{Kind: "seal", AccountID: 1, EnvelopeID: 5, DueAt: s.Now()},
			{Kind: "mail", AccountID: 2, EnvelopeID: 6, DueAt: s.Now()},
		}
		if next, err := s.JobNext(ctx, "mail"); err != nil || !next.IsZero() {
			t.Errorf("no job is due %v, %v", next, err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			for i := range jobs {
				check(t, tx.InsertJob(ctx, &jobs[i]))
			}
			return nil
		})
		if next, err := s.JobNext(ctx, "mail"); err != nil || !next.Equal(s.Now()) {
			t.Errorf("the next is due %v, %v", next, err)
		}
		of, err := s.JobsOf(ctx, 1, 5, "mail")
		check(t, err)
		same(t, "jobs of an envelope", of, []store.Job{jobs[1], jobs[0]})
		if of, err := s.JobsOf(ctx, 2, 5, "mail"); err != nil || len(of) != 0 {
			t.Errorf("another account reads %v, %v", of, err)
		}
		got := claimJobs(t, s, "mail", "c1", 9)
		if !slices.Equal(ids(got, jobID), []int64{jobs[0].ID, jobs[3].ID}) || got[0].ClaimID != "c1" || !got[0].DueAt.Equal(s.Now().Add(time.Minute)) || got[0].Payload != `{"ü":1}` {
			t.Errorf("claimed are %+v", got)
		}
		if again := claimJobs(t, s, "mail", "c2", 9); len(again) != 0 {
			t.Errorf("claimed twice: %+v", again)
		}
		clock.Advance(59 * time.Second)
		storetest.Update(t, s, func(tx *store.Tx) error {
			ok, err := tx.ExtendJob(ctx, got[0], tx.Now().Add(time.Hour))
			if !ok {
				t.Error("the claim was lost")
			}
			return err
		})
		clock.Advance(2 * time.Second) // got[1]'s claim has run out
		taken := claimJobs(t, s, "mail", "c3", 9)
		if !slices.Equal(ids(taken, jobID), []int64{jobs[3].ID}) {
			t.Errorf("taken over are %+v", taken)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			if ok, err := tx.ExtendJob(ctx, got[1], tx.Now()); ok || err != nil {
				t.Errorf("a lost claim was extended, %v", err)
			}
			check(t, tx.FinishJob(ctx, got[1], "done", "lost")) // without effect
			check(t, tx.RetryJob(ctx, got[1], tx.Now(), "lost", true))
			check(t, tx.RetryJob(ctx, taken[0], tx.Now().Add(time.Second), "later\x00\xff", true))
			return tx.FinishJob(ctx, got[0], "failed", "broken")
		})
		of, err = s.JobsOf(ctx, 1, 5, "mail")
		check(t, err)
		want := jobs[0]
		want.Payload = "" // it may have held a token
		want.State, want.Attempts, want.LastError, want.FinishedAt, want.DueAt = "failed", 1, "broken", s.Now(), of[1].DueAt
		same(t, "a failed job", of[1], want)
		of, err = s.JobsOf(ctx, 2, 6, "mail")
		check(t, err)
		want = jobs[3]
		want.Attempts, want.LastError, want.DueAt = 1, "later\uFFFD", s.Now().Add(time.Second)
		same(t, "a job that is tried again", of, []store.Job{want})
		clock.Advance(time.Second)
		taken = claimJobs(t, s, "mail", "c4", 9)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.RetryJob(ctx, taken[0], tx.Now(), "", false) })
		if of, err := s.JobsOf(ctx, 2, 6, "mail"); err != nil || of[0].Attempts != 1 {
			t.Errorf("an attempt was spent: %+v, %v", of, err)
		}
		for _, tt := range []struct {
			envelope int64
			kind     string
			want     bool
		}{{5, "mail", true}, {5, "seal", true}, {6, "mail", true}, {6, "seal", false}, {7, "mail", false}} {
			if has, err := s.HasJob(ctx, tt.envelope, tt.kind); has != tt.want || err != nil {
				t.Errorf("envelope %d waits for %s: %v, %v", tt.envelope, tt.kind, has, err)
			}
		}
		for _, tt := range []struct {
			before time.Time
			want   int64
		}{{s.Now().Add(-time.Second), 0}, {s.Now(), 1}, {s.Now().Add(time.Hour), 0}} {
			var n int64
			storetest.Update(t, s, func(tx *store.Tx) (err error) { n, err = tx.PruneJobs(ctx, tt.before, 9); return err })
			if n != tt.want {
				t.Errorf("%d jobs were pruned before %v, want %d", n, tt.before, tt.want)
			}
		}
	})
}

func TestJobClaimersShare(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		const n = 120
		storetest.Update(t, s, func(tx *store.Tx) error {
			for range n {
				check(t, tx.InsertJob(ctx, &store.Job{Kind: "k", DueAt: tx.Now()}))
			}
			return nil
		})
		var mu sync.Mutex
		taken := map[int64]int{}
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				for {
					jobs := claimJobs(t, s, "k", fmt.Sprint(w), 4)
					if len(jobs) > 4 {
						t.Errorf("%d jobs in one claim", len(jobs))
					}
					mu.Lock()
					for _, j := range jobs {
						taken[j.ID]++
					}
					done := len(taken) == n
					mu.Unlock()
					if done {
						return
					}
				}
			})
		}
		wg.Wait()
		for id, times := range taken {
			if times != 1 {
				t.Errorf("job %d was taken %d times", id, times)
			}
		}
	})
}

func TestUnsealed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		var es []paraph.Envelope
		storetest.Update(t, s, func(tx *store.Tx) error {
			for i := range 6 {
				e := storetest.Draft(t, a.ID, u.ID, fmt.Sprint("e", i), s.Now())
				e.Status = paraph.Completed
				es = append(es, e)
			}
			es[1].Status = paraph.Pending
			es[2].SealedAt = s.Now()
			es[3].DeletedAt = s.Now()
			for i := range es {
				check(t, tx.InsertEnvelope(ctx, &es[i]))
			}
			check(t, tx.InsertJob(ctx, &store.Job{Kind: "mail", EnvelopeID: es[0].ID, DueAt: tx.Now()}))
			return tx.InsertJob(ctx, &store.Job{Kind: "seal", EnvelopeID: es[4].ID, DueAt: tx.Now()})
		})
		got, err := s.Unsealed(ctx, 9)
		if err != nil || names(got) != "e0 e5" {
			t.Errorf("unsealed are %q, %v", names(got), err)
		}
		if got, err := s.Unsealed(ctx, 1); err != nil || names(got) != "e0" {
			t.Errorf("the first unsealed is %q, %v", names(got), err)
		}
	})
}
