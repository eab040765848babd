package store_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// overLog stores n deliveries that are over, by default failed, from an
// hour ago on.
func overLog(t testing.TB, s *store.Store, p paraph.Endpoint, n int, edit func(i int, d *paraph.Delivery)) []paraph.Delivery {
	t.Helper()
	ds := storetest.Deliveries(p, n, s.Now().Add(-time.Hour))
	for i := range ds {
		ds[i].CreatedAt = ds[i].CreatedAt.Add(time.Duration(i) * 100 * time.Millisecond)
		ds[i].State, ds[i].FinishedAt = paraph.DeliveryFailed, ds[i].CreatedAt
		edit(i, &ds[i])
	}
	return storetest.Queue(t, s, ds)
}

func startReplay(t testing.TB, s *store.Store, p paraph.Endpoint, u paraph.User, f paraph.ReplayFilter, names ...string) paraph.Replay {
	t.Helper()
	c, err := s.CountReplay(ctx, p.AccountID, p.ID, f, names, s.Now())
	check(t, err)
	r := paraph.Replay{
		AccountID: p.AccountID, EndpointID: p.ID, Filter: f, State: paraph.ReplayRunning, Cursor: c.First - 1, Last: c.Last, Total: c.N,
		CreatedBy: u.ID, ByName: u.Name, CreatedAt: s.Now(),
	}
	storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertReplay(ctx, &r) })
	return r
}

// queueAll queues a replay to its end, n at a time, and answers in how many
// steps.
func queueAll(t testing.TB, s *store.Store, r *paraph.Replay, n int, names ...string) (steps int) {
	t.Helper()
	for !r.AllQueued() {
		storetest.Update(t, s, func(tx *store.Tx) error {
			got, err := tx.QueueReplay(ctx, r, names, n)
			if got > n {
				t.Errorf("%d were queued where %d were asked for", got, n)
			}
			check(t, err)
			return tx.SaveReplay(ctx, *r)
		})
		if steps++; steps > 1000 {
			t.Fatal("the replay does not end")
		}
	}
	return steps
}

var undelivered = []paraph.DeliveryState{paraph.DeliveryFailed, paraph.DeliverySkipped}

func TestReplayFilter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p, other := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		overLog(t, s, other, 3, func(int, *paraph.Delivery) {})
		ds := overLog(t, s, p, 9, func(i int, d *paraph.Delivery) {
			d.EnvelopeID = int64(1000 + i%2)
			switch i {
			case 1:
				d.State = paraph.DeliverySucceeded
			case 2: // queued long ago, skipped when the endpoint was switched off
				d.State, d.FinishedAt = paraph.DeliverySkipped, d.CreatedAt.Add(30*time.Minute)
			case 3:
				d.State, d.FinishedAt = paraph.DeliveryPending, time.Time{}
			case 4:
				d.Test = true
			case 5:
				d.EventName = "form.viewed"
			case 8:
				d.FinishedAt = s.Now().Add(1000) // after the replay began
			}
		})
		all := paraph.Replayable()
		for _, tt := range []struct {
			f     paraph.ReplayFilter
			names []string
			want  string
		}{
			{paraph.ReplayFilter{States: undelivered}, nil, "02567"},
			{paraph.ReplayFilter{States: all}, nil, "012567"},
			{paraph.ReplayFilter{States: all[1:2]}, nil, "2"},
			{paraph.ReplayFilter{States: all, EnvelopeID: 1001}, nil, "157"},
			{paraph.ReplayFilter{States: undelivered}, []string{"form.viewed", "form.started"}, "5"},
			{paraph.ReplayFilter{States: undelivered, Since: ds[6].CreatedAt}, nil, "267"},
			{paraph.ReplayFilter{States: undelivered, Since: ds[0].CreatedAt, Until: ds[6].CreatedAt}, nil, "05"},
			{paraph.ReplayFilter{States: undelivered, Since: s.Now()}, nil, ""},
		} {
			c, err := s.CountReplay(ctx, b.ID, p.ID, tt.f, tt.names, s.Now())
			check(t, err)
			same(t, "a stranger's count", c, store.ReplayCount{})
			if c, err = s.CountReplay(ctx, a.ID, p.ID, tt.f, tt.names, s.Now()); err != nil || c.N != len(tt.want) {
				t.Errorf("%+v matches %+v, %v; want %q", tt.f, c, err, tt.want)
			}
			if tt.want == "" {
				continue
			}
			r := startReplay(t, s, p, u, tt.f, tt.names...)
			queueAll(t, s, &r, 2, tt.names...)
			got := ""
			queued, err := s.Deliveries(ctx, a.ID, store.DeliveryFilter{ReplayID: r.ID, Limit: 99})
			check(t, err)
			for _, d := range slices.Backward(queued) {
				i := slices.IndexFunc(ds, func(x paraph.Delivery) bool { return x.ID == d.ID })
				got += fmt.Sprint(i)
				full, err := s.Delivery(ctx, a.ID, d.ID)
				check(t, err)
				same(t, "bytes and id", []any{full.MessageID, string(full.Body), full.State}, []any{ds[i].MessageID, string(ds[i].Body), paraph.DeliveryPending})
			}
			same(t, fmt.Sprintf("%+v queues", tt.f), got, tt.want)
			stored, err := s.Replay(ctx, a.ID, p.ID, r.ID)
			check(t, err)
			same(t, "stored replay", stored, r)
			storetest.Update(t, s, func(tx *store.Tx) error { // as it was, for the next
				r.State = paraph.ReplayCancelled
				check(t, tx.TakeBackReplay(ctx, &r))
				return tx.SaveReplay(ctx, r)
			})
			same(t, "queued and waiting when all was taken back", []int{r.Queued, r.Waiting}, []int{0, 0})
			for i, was := range ds {
				now, err := s.Delivery(ctx, a.ID, was.ID)
				check(t, err)
				if now.State != was.State {
					t.Errorf("delivery %d is %s after it was taken back, and was %s", i, now.State, was.State)
				}
				if was.State == paraph.DeliverySkipped { // as of when it was taken back
					_, err := s.Writer().ExecContext(ctx, "UPDATE deliveries SET finished_at = $1 WHERE id = $2", was.FinishedAt.UnixMicro(), was.ID)
					check(t, err)
				}
			}
		}
	})
}

func TestReplayTally(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		overLog(t, s, p, 6, func(i int, d *paraph.Delivery) {})
		r := startReplay(t, s, p, u, paraph.ReplayFilter{States: undelivered})
		queueAll(t, s, &r, 4)
		tally := func(want ...int) {
			t.Helper()
			storetest.Update(t, s, func(tx *store.Tx) error {
				_, err := tx.TallyReplay(ctx, &r)
				return err
			})
			same(t, "waiting, succeeded, failed, skipped", []int{r.Waiting, r.Succeeded, r.Failed, r.Skipped}, want)
		}
		tally(6, 0, 0, 0)
		ds := due(t, s, p.ID, 4)
		save(t, s, result(ds[0], paraph.DeliverySucceeded, s.Now(), s.Now()), result(ds[1], paraph.DeliveryFailed, s.Now(), s.Now()),
			result(ds[2], paraph.DeliveryPending, s.Now(), s.Now().Add(time.Hour)))
		tally(4, 1, 1, 0)
		tally(4, 1, 1, 0) // each is counted once
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.TakeBackReplay(ctx, &r) })
		tally(1, 1, 1, 0) // that one was tried and waits for its retry
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SkipDeliveries(ctx, p.ID) })
		tally(0, 1, 1, 1)
		same(t, "queued", r.Queued, 3)
	})
}

// TestReplayComesAfterLiveEvents: what was never tried goes first, whatever a
// replay has queued before it, and a retry of replayed deliveries stays late
// when a failure was our own.
func TestReplayComesAfterLiveEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		overLog(t, s, p, 20, func(i int, d *paraph.Delivery) {})
		r := startReplay(t, s, p, u, paraph.ReplayFilter{States: undelivered})
		queueAll(t, s, &r, 200)
		clock.Advance(time.Minute)
		first := due(t, s, p.ID, 1)[0]
		first.NextAttemptAt = s.Now()
		save(t, s, store.Result{Delivery: first}) // our own failure: no attempt was spent
		live := storetest.Queue(t, s, storetest.Deliveries(p, 5, s.Now()))
		same(t, "first to be sent", ids(due(t, s, p.ID, 5), deliID), ids(live, deliID))
		if got := len(due(t, s, p.ID, 100)) - len(live); got != 20 {
			t.Errorf("%d of 20 replayed deliveries come after them", got)
		}
	})
}

// TestReplayReach: a filter that matches few of many rows reads some at a time.
func TestReplayReach(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		overLog(t, s, p, 5000, func(i int, d *paraph.Delivery) {
			if i != 0 && i != 2500 && i != 4999 {
				d.State = paraph.DeliverySucceeded
			}
		})
		r := startReplay(t, s, p, u, paraph.ReplayFilter{States: undelivered})
		same(t, "steps", queueAll(t, s, &r, 200), 3)
		same(t, "queued", r.Queued, 3)
		statements := 0
		storetest.Update(t, s, func(tx *store.Tx) error {
			tx.SpyTx(func(string, []any) { statements++ })
			again := r
			again.Cursor, again.State = 0, paraph.ReplayRunning
			check(t, second(tx.TallyReplay(ctx, &again)))
			check(t, second(tx.QueueReplay(ctx, &again, nil, 200)))
			return tx.SaveReplay(ctx, again)
		})
		same(t, "statements of a step", statements, 5)
	})
}

func TestOneReplayAtATime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p, q := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		overLog(t, s, p, 1, func(int, *paraph.Delivery) {})
		r := startReplay(t, s, p, u, paraph.ReplayFilter{States: undelivered})
		again := r
		wantKind(t, "a second one", s.Update(ctx, func(tx *store.Tx) error { return tx.InsertReplay(ctx, &again) }), paraph.Conflict)
		elsewhere := r
		elsewhere.EndpointID = q.ID
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertReplay(ctx, &elsewhere) })
		for what, err := range map[string]error{
			"a stranger's":         second(s.Replay(ctx, b.ID, p.ID, r.ID)),
			"another endpoint's":   second(s.Replay(ctx, a.ID, q.ID, r.ID)),
			"a stranger's running": second(s.RunningReplay(ctx, b.ID, p.ID)),
		} {
			wantKind(t, what, err, paraph.NotFound)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.StopReplays(ctx, p.ID, "off") })
		got, err := s.Replay(ctx, a.ID, p.ID, r.ID)
		check(t, err)
		same(t, "stopped", []any{got.State, got.Why, got.FinishedAt}, []any{paraph.ReplayCancelled, "off", s.Now()})
		if got, err = s.RunningReplay(ctx, a.ID, q.ID); err != nil || got.ID != elsewhere.ID {
			t.Errorf("the other endpoint's is %+v, %v", got, err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertReplay(ctx, &again) })
		list, err := s.Replays(ctx, a.ID, p.ID, 0, 0, 10)
		check(t, err)
		same(t, "list", ids(list, func(r paraph.Replay) int64 { return r.ID }), []int64{again.ID, r.ID})
		list, err = s.Replays(ctx, a.ID, p.ID, 0, r.ID, 1)
		check(t, err)
		same(t, "list above", ids(list, func(r paraph.Replay) int64 { return r.ID }), []int64{again.ID})
		clock.Advance(time.Hour)
		storetest.Update(t, s, func(tx *store.Tx) error {
			n, err := tx.PruneReplays(ctx, tx.Now(), 10)
			same(t, "pruned", n, int64(1))
			return err
		})
	})
}

func second[T any](_ T, err error) error { return err }

func TestReplayPlans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		p := fill(t, s)
		_, err := s.Writer().ExecContext(ctx, "UPDATE deliveries SET state = 'failed', finished_at = created_at WHERE id % 2 = 0")
		check(t, err)
		if strings.HasPrefix(version(t, s), "PostgreSQL") {
			_, err := s.Writer().ExecContext(ctx, "VACUUM ANALYZE")
			check(t, err)
		}
		us, err := s.Members(ctx, p.AccountID)
		check(t, err)
		r := paraph.Replay{
			AccountID: p.AccountID, EndpointID: p.ID, Filter: paraph.ReplayFilter{States: undelivered}, State: paraph.ReplayRunning,
			Last: 1 << 40, CreatedBy: us[0].ID, CreatedAt: s.Now(),
		}
		ofEnvelope := r
		ofEnvelope.Filter.EnvelopeID = 1950
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertReplay(ctx, &r) })
		for name, tt := range map[string]struct {
			run     func(tx *store.Tx) error
			indexes []string
		}{
			"QueueReplay":                {func(tx *store.Tx) error { r := r; return second(tx.QueueReplay(ctx, &r, nil, 200)) }, []string{"deliveries_log"}},
			"QueueReplay of an envelope": {func(tx *store.Tx) error { return second(tx.QueueReplay(ctx, &ofEnvelope, nil, 200)) }, []string{"deliveries_envelope"}},
			"TallyReplay":                {func(tx *store.Tx) error { r := r; return second(tx.TallyReplay(ctx, &r)) }, []string{"deliveries_replay_open"}},
			"TakeBackReplay":             {func(tx *store.Tx) error { r := r; return tx.TakeBackReplay(ctx, &r) }, []string{"deliveries_replay_open"}},
			"RunningReplay":              {func(tx *store.Tx) error { return second(tx.RunningReplay(ctx, p.AccountID, p.ID)) }, []string{"replays_(running|endpoint)"}},
			"CountReplay": {func(tx *store.Tx) error {
				return second(tx.CountReplay(ctx, p.AccountID, p.ID, r.Filter, nil, tx.Now()))
			}, []string{"deliveries_failed", "deliveries_skipped"}},
			"CountReplay of everything": {func(tx *store.Tx) error {
				return second(tx.CountReplay(ctx, p.AccountID, p.ID, paraph.ReplayFilter{States: paraph.Replayable()}, nil, tx.Now()))
			}, []string{"deliveries_log"}},
			"WaitingReplays": {func(tx *store.Tx) error { return second(tx.WaitingReplays(ctx, p.ID)) }, []string{"replays_waiting"}},
			"deliveries of a replay": {func(tx *store.Tx) error {
				return second(tx.Deliveries(ctx, p.AccountID, store.DeliveryFilter{EndpointID: p.ID, ReplayID: r.ID, Limit: 9}))
			}, []string{"deliveries_(replay|log)"}},
		} {
			var plan string
			var queries []string
			var args [][]any
			storetest.Update(t, s, func(tx *store.Tx) error {
				tx.SpyTx(func(q string, a []any) { queries, args = append(queries, q), append(args, append([]any{}, a...)) })
				check(t, tt.run(tx))
				return nil
			})
			for i, q := range queries {
				plan += explain(t, s, q, args[i]) + "\n"
			}
			for _, index := range tt.indexes {
				if !regexp.MustCompile(index).MatchString(plan) {
					t.Errorf("%s does not use %s:\n%s", name, index, plan)
				}
			}
			for _, line := range strings.Split(plan, "\n") {
				if fullScan(line) && !strings.Contains(line, "on users") {
					t.Errorf("%s reads a table as a whole: %s\nin\n%s", name, line, plan)
				}
			}
		}
	})
}
