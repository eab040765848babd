package desk_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// replayer is a world whose deliveries are sent by the test itself.
type replayer struct {
	*sender
	e paraph.Endpoint
}

func eachReplayer(t *testing.T, f func(t *testing.T, s *replayer)) {
	t.Helper()
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Allow: loopback()}, func(t *testing.T, w *desktest.World) {
		f(t, newReplayer(t, w))
	})
}

func newReplayer(t *testing.T, w *desktest.World) *replayer {
	t.Helper()
	s := &replayer{sender: newSender(t, w, w.Person(t, "Ann Admin"))}
	s.e = s.endpoint("http://127.0.0.1:1/hook")
	return s
}

// over queues n deliveries that are over by now.
func (s *replayer) over(n int, state paraph.DeliveryState) []paraph.Delivery {
	s.t.Helper()
	ds := make([]paraph.Delivery, n)
	s.must(s.Store.Update(s.t.Context(), func(tx *store.Tx) error {
		for i := range ds {
			ds[i] = paraph.Delivery{
				AccountID: s.e.AccountID, EndpointID: s.e.ID, EventName: "form.viewed", MessageID: paraph.NewUUID(), Body: fmt.Append(nil, i),
				State: state, CreatedAt: tx.Now(), FinishedAt: tx.Now(), NextAttemptAt: tx.Now(),
			}
		}
		return tx.InsertDeliveries(s.t.Context(), ds)
	}))
	s.Clock.Advance(time.Second)
	return ds
}

func (s *replayer) startReplay(states ...paraph.DeliveryState) paraph.Replay {
	s.t.Helper()
	r, err := s.Desk.StartReplay(s.t.Context(), s.Who, s.e.ID, paraph.ReplayFilter{States: states})
	s.must(err)
	return r
}

func (s *replayer) replay(r paraph.Replay) paraph.Replay {
	s.t.Helper()
	r, err := s.Store.Replay(s.t.Context(), s.Who.AccountID, s.e.ID, r.ID)
	s.must(err)
	return r
}

// end is how a replay stands, in words: its state, and what came of how many.
func (s *replayer) end(r paraph.Replay) string {
	s.t.Helper()
	r = s.replay(r)
	return fmt.Sprintf("%s: %d queued, %d succeeded, %d failed, %d skipped, %d waiting", r.State, r.Queued, r.Succeeded, r.Failed, r.Skipped, r.Waiting)
}

// attempt sends up to n due deliveries, each with the same end.
func (s *replayer) attempt(n int, state paraph.DeliveryState) []paraph.Delivery {
	s.t.Helper()
	var out []paraph.Delivery
	s.must(s.Store.Claim(s.t.Context(), func(tx *store.Tx) error {
		ds, err := storetest.Due(s.t.Context(), tx.Reader, s.e.ID, tx.Now(), n)
		if err != nil {
			return err
		}
		out = ds
		results := make([]store.Result, len(ds))
		for i, d := range ds {
			d.State, d.Attempts, d.NextAttemptAt, d.LastStatus = state, d.Attempts+1, tx.Now().Add(time.Hour), 200
			if state != paraph.DeliveryPending {
				d.FinishedAt = tx.Now()
			}
			results[i] = store.Result{Delivery: d, Attempt: paraph.Attempt{DeliveryID: d.ID, Number: d.Attempts, At: tx.Now(), Code: "ok"}}
		}
		return tx.SaveResults(s.t.Context(), results)
	}))
	return out
}

func (s *replayer) pending() int {
	s.t.Helper()
	n, err := s.Store.Backlogs(s.t.Context(), s.Who.AccountID, []int64{s.e.ID})
	s.must(err)
	return int(n[s.e.ID])
}

func TestReplayMany(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		const all, most = 5000, 1000
		failed := s.over(all, paraph.DeliveryFailed)
		s.over(10, paraph.DeliverySucceeded)
		n, _, err := s.Desk.CountReplay(t.Context(), s.Who, s.e.ID, paraph.ReplayFilter{})
		s.must(err)
		equal(t, "count", n, all)
		r := s.startReplay()
		sent := map[string]int{}
		for rounds := 0; ; rounds++ {
			s.RunDue(t)
			if got := s.pending(); got > most {
				t.Fatalf("%d deliveries wait at once", got)
			}
			if r = s.replay(r); r.State != paraph.ReplayRunning {
				break
			}
			end := paraph.DeliverySucceeded
			if rounds%5 == 4 {
				end = paraph.DeliveryFailed
			}
			for _, d := range s.attempt(700, end) {
				sent[d.MessageID+string(d.Body)]++
			}
			s.Clock.Advance(time.Second)
			if rounds > 50 {
				t.Fatal("the replay does not end")
			}
		}
		equal(t, "state", r.State, paraph.ReplayFinished)
		equal(t, "queued", r.Queued, all)
		equal(t, "over", r.Succeeded+r.Failed, all)
		equal(t, "missed", r.Missed(), 0)
		if r.Failed == 0 || r.Waiting != 0 {
			t.Errorf("the replay ended as %+v", r)
		}
		for _, d := range failed {
			if sent[d.MessageID+string(d.Body)] != 1 {
				t.Fatalf("delivery %d was sent %d times with its id and its bytes", d.ID, sent[d.MessageID+string(d.Body)])
			}
		}
		equal(t, "sent", len(sent), all)
	})
}

// TestReplayAfterACrash: a step whose commit is lost, and one after which the
// node is gone, leave nothing out and queue nothing twice.
func TestReplayAfterACrash(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			o := desktest.Options{Allow: loopback(), Database: filepath.Join(t.TempDir(), "paraph.db")}
			if engine == "postgres" {
				o.Database = pgtest.New(t)
			}
			s := newReplayer(t, desktest.New(t, o))
			s.over(900, paraph.DeliveryFailed)
			r := s.startReplay()
			crash := errors.New("crash")
			for range 2 {
				if err := s.Desk.ReplayStep(t.Context(), s.claimReplay(), crash); !errors.Is(err, crash) {
					t.Fatalf("the step ended with %v", err)
				}
				equal(t, "queued by a step that was not committed", s.replay(r).Queued, 0)
				s.Clock.Advance(time.Minute) // the claim runs out
			}
			s.must(s.Desk.ReplayStep(t.Context(), s.claimReplay(), nil)) // and then we stop
			equal(t, "queued by one step", s.replay(r).Queued, 200)

			s.Clock.Advance(time.Minute)
			o.Start = s.Store.Now()
			restarted := desktest.New(t, o)
			restarted.RunDue(t)
			equal(t, "after the restart", s.end(r), "running: 900 queued, 0 succeeded, 0 failed, 0 skipped, 900 waiting")
			equal(t, "pending", s.pending(), 900)
			equal(t, "sent", len(s.attempt(2000, paraph.DeliverySucceeded)), 900)
			restarted.Clock.Advance(time.Second)
			restarted.RunDue(t)
			equal(t, "end", s.end(r), "finished: 900 queued, 900 succeeded, 0 failed, 0 skipped, 0 waiting")
		})
	}
}

// claimReplay takes the replay's job, as a node does that then crashes.
func (s *replayer) claimReplay() (j store.Job) {
	s.t.Helper()
	s.must(s.Store.Claim(s.t.Context(), func(tx *store.Tx) error {
		jobs, err := tx.ClaimJobs(s.t.Context(), "replay", paraph.NewToken(16), tx.Now().Add(30*time.Second), 1)
		if err != nil || len(jobs) != 1 {
			return fmt.Errorf("%d jobs are due: %w", len(jobs), err)
		}
		j = jobs[0]
		return nil
	}))
	return j
}

func TestReplayDoesNotDelayLiveEvents(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		s.over(300, paraph.DeliveryFailed)
		s.startReplay()
		s.RunDue(t)
		s.Clock.Advance(time.Minute)
		s.archive()
		equal(t, "first to be sent", s.attempt(1, paraph.DeliverySucceeded)[0].EventName, "submission.archived")
	})
}

func TestReplayLeavesWhatIsPendingAlone(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		s.over(3, paraph.DeliveryFailed)
		s.archive()
		s.attempt(1, paraph.DeliveryPending) // waits for a retry
		live := func() paraph.Delivery {
			ds := s.log(s.e)
			return ds[slices.IndexFunc(ds, func(d paraph.Delivery) bool { return d.EventName == "submission.archived" })]
		}
		before := live()
		r := s.startReplay(paraph.Replayable()...)
		s.RunDue(t)
		equal(t, "queued", s.replay(r).Queued, 3)
		if got := live(); got.NextAttemptAt != before.NextAttemptAt || got.Before != before.Before {
			t.Errorf("the pending delivery became %+v, was %+v", got, before)
		}
	})
}

// TestReplayFailsAgain: what a replay sent and what failed again is not its
// business a second time, and retries go on as ever.
func TestReplayFailsAgain(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		s.over(5, paraph.DeliveryFailed)
		r := s.startReplay()
		s.RunDue(t)
		s.attempt(2, paraph.DeliveryFailed)
		s.attempt(3, paraph.DeliveryPending)
		s.Clock.Advance(time.Second)
		s.RunDue(t)
		equal(t, "after the first attempts", s.end(r), "running: 5 queued, 0 succeeded, 2 failed, 0 skipped, 3 waiting")
		s.Clock.Advance(time.Hour)
		equal(t, "retried", len(s.attempt(9, paraph.DeliverySucceeded)), 3)
		s.RunDue(t)
		equal(t, "end", s.end(r), "finished: 5 queued, 3 succeeded, 2 failed, 0 skipped, 0 waiting")
		s.Clock.Advance(time.Hour)
		n, err := s.Desk.RunDue(t.Context())
		s.must(err)
		equal(t, "jobs left", n, 0)
	})
}

func TestCancelReplay(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		s.over(2500, paraph.DeliveryFailed)
		r := s.startReplay()
		s.RunDue(t)
		s.attempt(10, paraph.DeliverySucceeded)
		s.attempt(4, paraph.DeliveryPending)
		got, err := s.Desk.CancelReplay(t.Context(), s.Who, s.e.ID, r.ID)
		s.must(err)
		equal(t, "cancelled", s.end(r), "cancelled: 14 queued, 10 succeeded, 0 failed, 0 skipped, 4 waiting")
		equal(t, "pending", s.pending(), 4)
		s.Clock.Advance(time.Minute)
		s.RunDue(t)
		equal(t, "pending later", s.pending(), 4)
		again, err := s.Desk.CancelReplay(t.Context(), s.Who, s.e.ID, r.ID)
		s.must(err)
		equal(t, "cancelled at, after a second time", again.FinishedAt, got.FinishedAt)
		second := s.startReplay() // the first one's retries don't bar it
		equal(t, "total of the next", second.Total, 2500-14)
		s.Clock.Advance(time.Hour)
		s.attempt(4, paraph.DeliverySucceeded)
		s.Clock.Advance(time.Minute)
		s.RunDue(t)
		equal(t, "succeeded of the cancelled one", s.replay(r).Succeeded, 14)
		_, err = s.Desk.CancelReplay(t.Context(), s.World.Person(t, "Eve Else").Who, s.e.ID, second.ID)
		equal(t, "a stranger", paraph.KindOf(err), paraph.NotFound)
	})
}

func TestReplayEndsWhenTheWebhookIsSwitchedOff(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		s.over(1500, paraph.DeliveryFailed)
		r := s.startReplay()
		s.RunDue(t)
		s.attempt(100, paraph.DeliverySucceeded)
		s.Clock.Advance(time.Second)
		turn := func(on bool) {
			_, err := s.Desk.UpdateEndpoint(t.Context(), s.Who, s.e.ID, func(e *paraph.Endpoint) { e.Enabled = on })
			s.must(err)
		}
		turn(false)
		off := s.Store.Now()
		_, err := s.Desk.StartReplay(t.Context(), s.Who, s.e.ID, paraph.ReplayFilter{})
		equal(t, "a replay while it is off", paraph.KindOf(err), paraph.Conflict)
		s.Clock.Advance(time.Minute)
		turn(true)
		s.RunDue(t)
		equal(t, "end", s.end(r), "cancelled: 1000 queued, 100 succeeded, 0 failed, 900 skipped, 0 waiting")
		if why := s.replay(r).Why; !strings.Contains(why, "switched off") {
			t.Errorf("the reason is %q", why)
		}
		// What was skipped when it was switched off can be replayed by that time, though it is older.
		n, _, err := s.Desk.CountReplay(t.Context(), s.Who, s.e.ID, paraph.ReplayFilter{States: []paraph.DeliveryState{paraph.DeliverySkipped}, Since: off})
		s.must(err)
		equal(t, "skipped since", n, 900)
		s.must(s.Desk.DeleteEndpoint(t.Context(), s.Who, s.e.ID))
		_, err = s.Desk.StartReplay(t.Context(), s.Who, s.e.ID, paraph.ReplayFilter{})
		equal(t, "a replay of a deleted one", paraph.KindOf(err), paraph.NotFound)
	})
}

func TestReplayRefusals(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		start := func(f paraph.ReplayFilter) error {
			_, err := s.Desk.StartReplay(t.Context(), s.Who, s.e.ID, f)
			return err
		}
		if err := start(paraph.ReplayFilter{}); paraph.KindOf(err) != paraph.Invalid || !strings.Contains(err.Error(), "Nothing matches") {
			t.Errorf("nothing to replay is answered with %v", err)
		}
		s.over(2, paraph.DeliveryFailed)
		for field, f := range map[string]paraph.ReplayFilter{
			"states": {States: []paraph.DeliveryState{"lost"}},
			"events": {Events: []string{"form.nonsense"}},
			"until":  {Since: s.Store.Now(), Until: s.Store.Now()},
		} {
			e, ok := errors.AsType[*paraph.Error](start(f))
			if !ok || e.Kind != paraph.Invalid || e.Field != field {
				t.Errorf("%+v is answered with %v", f, e)
			}
		}
		equal(t, "replaying what is pending", paraph.KindOf(start(paraph.ReplayFilter{States: []paraph.DeliveryState{paraph.DeliveryPending}})), paraph.Invalid)
		_, err := s.Desk.StartReplay(t.Context(), s.World.Person(t, "Eve Else").Who, s.e.ID, paraph.ReplayFilter{})
		equal(t, "a stranger", paraph.KindOf(err), paraph.NotFound)
		r := s.startReplay()
		if err := start(paraph.ReplayFilter{}); paraph.KindOf(err) != paraph.Conflict || !strings.Contains(err.Error(), s.Desk.Links.Replay(r)) {
			t.Errorf("a second replay is answered with %v", err)
		}
	})
}

// TestReplayMissesWhatOthersDid: one that somebody resent before its turn is
// told of as missed.
func TestReplayMissesWhatOthersDid(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		ds := s.over(5, paraph.DeliveryFailed)
		r := s.startReplay()
		s.Clock.Advance(time.Second)
		_, err := s.Desk.Resend(t.Context(), s.Who, ds[3].ID)
		s.must(err)
		s.attempt(1, paraph.DeliveryFailed)
		s.RunDue(t)
		equal(t, "sent", len(s.attempt(9, paraph.DeliverySucceeded)), 4)
		s.Clock.Advance(time.Second)
		s.RunDue(t)
		equal(t, "end", s.end(r), "finished: 4 queued, 4 succeeded, 0 failed, 0 skipped, 0 waiting")
		equal(t, "missed", s.replay(r).Missed(), 1)
	})
}

// TestReplaySendsTheSameBytes goes the whole way, to a receiver.
func TestReplaySendsTheSameBytes(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t, 500, 500)
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Schedule = "10" })
		s.queue(e, 1)
		s.result()
		s.pass(10 * time.Second)
		equal(t, "state", s.result().Delivery.State, paraph.DeliveryFailed)
		s.Clock.Advance(time.Second)
		var woken atomic.Int64
		s.Desk.WakeLanes(func(id int64) { woken.Add(1); s.dispatcher.Wake(id) })
		_, err := s.Desk.StartReplay(t.Context(), s.Who, e.ID, paraph.ReplayFilter{})
		s.must(err)
		s.RunDue(t)
		equal(t, "state after the replay", s.result().Delivery.State, paraph.DeliverySucceeded)
		first, last := next(t, r.posts, "the first"), post{}
		for range 2 {
			last = next(t, r.posts, "the others")
		}
		equal(t, "id", last.id(), first.id())
		equal(t, "bytes", last.body, first.body)
		equal(t, "times the lane was woken", woken.Load(), 1)
	})
}

// TestReplaySteps: so many steps fill what may wait, and then it looks once a
// second, and less often when all that waits is a while from being due.
func TestReplaySteps(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		s.over(1100, paraph.DeliveryFailed)
		r := s.startReplay()
		steps := func(after time.Duration) int {
			s.Clock.Advance(after)
			n, err := s.Desk.RunDue(t.Context())
			s.must(err)
			return n
		}
		equal(t, "steps until it waits", steps(0), 5)
		equal(t, "queued", s.replay(r).Queued, 1000)
		equal(t, "steps in less than a second", steps(900*time.Millisecond), 0)
		equal(t, "steps after a second", steps(100*time.Millisecond), 1)
		s.attempt(1000, paraph.DeliveryPending) // until in an hour
		equal(t, "steps after another", steps(time.Second), 1)
		equal(t, "steps in a while", steps(29*time.Second), 0)
		equal(t, "steps after a while", steps(time.Second), 1)
	})
}

// TestPruningSparesWhatAReplayHasToSend: however old it is, until the replay
// has gone through it.
func TestPruningSparesWhatAReplayHasToSend(t *testing.T) {
	eachReplayer(t, func(t *testing.T, s *replayer) {
		s.over(1300, paraph.DeliveryFailed)
		s.Clock.Advance(100 * 24 * time.Hour)
		r := s.startReplay()
		s.Desk.Retention = 30 * 24 * time.Hour
		s.must(s.Desk.PrepareSweep(t.Context()))
		s.RunDue(t)
		equal(t, "while it runs", s.end(r), "running: 1000 queued, 0 succeeded, 0 failed, 0 skipped, 1000 waiting")
		s.attempt(1000, paraph.DeliverySucceeded)
		s.Clock.Advance(time.Hour)
		s.RunDue(t)
		s.attempt(1000, paraph.DeliverySucceeded)
		s.Clock.Advance(time.Hour)
		s.RunDue(t)
		equal(t, "end", s.end(r), "finished: 1300 queued, 1300 succeeded, 0 failed, 0 skipped, 0 waiting")
	})
}
