package store_test

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// tried is a result of an endpoint's delivery.
func tried(endpointID int64, at time.Time, status int, code string, took time.Duration) store.Result {
	r := store.Result{
		Delivery: paraph.Delivery{EndpointID: endpointID, State: paraph.DeliverySucceeded},
		Attempt:  paraph.Attempt{Number: 1, At: at, Status: status, Code: code, Duration: took},
	}
	if code != "ok" {
		r.Delivery.State = paraph.DeliveryPending
	}
	return r
}

func TestHealth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p, q, idle := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		hour := s.Now().Truncate(time.Hour)
		gaveUp := tried(p.ID, hour.Add(time.Minute), 500, "http_500", 4*time.Millisecond)
		gaveUp.Delivery.State = paraph.DeliveryFailed
		ours := tried(p.ID, hour, 0, "internal", 0)
		ours.Attempt.Number = 0
		for _, batch := range [][]store.Result{
			nil,
			{tried(p.ID, hour.Add(-time.Hour), 200, "ok", 2*time.Millisecond), tried(q.ID, hour.Add(-30*time.Hour), 200, "ok", time.Millisecond)},
			{
				tried(p.ID, hour.Add(2*time.Second), 204, "ok", 4*time.Millisecond), tried(p.ID, hour.Add(time.Second), 200, "ok", 4*time.Millisecond),
				tried(p.ID, hour, 0, "timeout", 15*time.Second), gaveUp, ours,
			},
			{tried(p.ID, hour, 0, "dns_failed", time.Second), tried(p.ID, hour, 200, "ok", 4*time.Millisecond)},
		} {
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.AddToHours(ctx, batch) })
		}
		fast, slow := paraph.TimeBucket(4*time.Millisecond), paraph.TimeBucket(15*time.Second)
		var now, before paraph.Times
		now[fast], now[slow], before[paraph.TimeBucket(2*time.Millisecond)] = 4, 1, 1
		want := store.Health{
			EndpointID: p.ID, OK: 4, Failed: 3, GaveUp: 1, Times: now.Plus(before), LastOK: hour.Add(2 * time.Second),
			Hours: []store.HealthHour{{At: hour.Add(-time.Hour), OK: 1, Times: before}, {At: hour, OK: 3, Failed: 3, Times: now}},
		}
		got, err := s.Health(ctx, a.ID, p.ID, hour.Add(-90*time.Minute))
		check(t, err)
		same(t, "health", got, want)

		all, err := s.Healths(ctx, a.ID, []int64{p.ID, q.ID, idle.ID}, hour.Add(-24*time.Hour))
		check(t, err)
		for i := range want.Hours {
			want.Hours[i].Times = paraph.Times{}
		}
		same(t, "health of all", all, map[int64]store.Health{
			p.ID: want, q.ID: {EndpointID: q.ID, LastOK: hour.Add(-30 * time.Hour)}, idle.ID: {EndpointID: idle.ID},
		})

		got, err = s.Health(ctx, b.ID, p.ID, time.Time{})
		check(t, err)
		same(t, "a stranger's view", got, store.Health{EndpointID: p.ID})
		all, err = s.Healths(ctx, b.ID, []int64{p.ID}, time.Time{})
		check(t, err)
		same(t, "a stranger's view of all", all, map[int64]store.Health{p.ID: {EndpointID: p.ID}})
	})
}

func TestBacklogs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p, q, idle := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, store.MaxBacklog+20, s.Now())
		ds[0].State = paraph.DeliverySucceeded
		ds[1].EndpointID = q.ID
		storetest.Queue(t, s, ds)
		got, err := s.Backlogs(ctx, a.ID, []int64{p.ID, q.ID, idle.ID})
		check(t, err)
		same(t, "backlogs", got, map[int64]int64{p.ID: store.MaxBacklog + 1, q.ID: 1, idle.ID: 0})
		got, err = s.Backlogs(ctx, b.ID, []int64{p.ID})
		check(t, err)
		same(t, "a stranger's view", got, map[int64]int64{})
	})
}

func TestPruneHours(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		hour := s.Now().Truncate(time.Hour)
		storetest.Update(t, s, func(tx *store.Tx) error {
			var rs []store.Result
			for i := range 5 {
				rs = append(rs, tried(p.ID, hour.Add(time.Duration(-i)*time.Hour), 200, "ok", time.Millisecond))
			}
			return tx.AddToHours(ctx, rs)
		})
		for _, want := range []int{2, 1, 0} {
			storetest.Update(t, s, func(tx *store.Tx) error {
				n, err := tx.PruneHours(ctx, hour.Add(-time.Hour), 2)
				if n != want {
					t.Errorf("%d hours were pruned, want %d", n, want)
				}
				return err
			})
		}
		h, err := s.Health(ctx, a.ID, p.ID, time.Time{})
		if err != nil || len(h.Hours) != 2 {
			t.Errorf("there are %d hours, %v", len(h.Hours), err)
		}
	})
}
