package store_test

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

func TestRecentStats(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p, q, idle := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 5, s.Now())
		ds[0].State, ds[0].FinishedAt = paraph.DeliverySucceeded, s.Now().Add(9*time.Hour) // too old to count
		ds[1].State, ds[1].FinishedAt = paraph.DeliverySucceeded, s.Now().Add(time.Hour)
		ds[2].State, ds[2].FinishedAt = paraph.DeliveryFailed, s.Now().Add(2*time.Hour)
		ds[4].EndpointID = q.ID
		storetest.Queue(t, s, ds)
		got, err := s.RecentStats(ctx, a.ID, 3)
		check(t, err)
		same(t, "recent stats", got, map[int64]store.EndpointStats{
			p.ID: {EndpointID: p.ID, Succeeded: 1, Failed: 1, Pending: 1, LastOK: s.Now().Add(time.Hour)},
			q.ID: {EndpointID: q.ID, Pending: 1},
		})
		if got, err = s.RecentStats(ctx, a.ID, 4); err != nil || got[p.ID].Succeeded != 2 {
			t.Errorf("all four are %+v, %v", got[p.ID], err)
		}
		if got, err := s.RecentStats(ctx, b.ID, 3); err != nil || len(got) != 0 {
			t.Errorf("another account reads %v, %v", got, err)
		}
		for _, c := range []struct{ account, endpoint, want int64 }{{a.ID, p.ID, 1}, {a.ID, q.ID, 1}, {a.ID, idle.ID, 0}, {b.ID, p.ID, 0}} {
			if n, err := s.Backlog(ctx, c.account, c.endpoint); err != nil || n != c.want {
				t.Errorf("account %d, endpoint %d: %d wait, want %d; %v", c.account, c.endpoint, n, c.want, err)
			}
		}
	})
}
