package store

import (
	"context"

	"github.com/paraph-sign/paraph"
)

const laneColumns = "lanes.endpoint_id, lanes.node_id, lanes.next_at, lanes.breaker, lanes.breaker_until"

func scanLane(scan func(...any) error) (l paraph.Lane, err error) {
	err = scan(&l.EndpointID, &l.NodeID, at{&l.NextAt}, &l.Breaker, at{&l.HeldUntil})
	return l, err
}

// LanesOf answers the lanes of an account's endpoints, by endpoint.
func (r Reader) LanesOf(ctx context.Context, accountID int64) (map[int64]paraph.Lane, error) {
	ls, err := all(ctx, r.q, scanLane, "SELECT "+laneColumns+` FROM endpoints JOIN lanes ON lanes.endpoint_id = endpoints.id
		WHERE endpoints.account_id = $1 AND endpoints.deleted_at = 0 LIMIT $2`, accountID, paraph.MaxEndpoints)
	out := make(map[int64]paraph.Lane, len(ls))
	for _, l := range ls {
		out[l.EndpointID] = l
	}
	return out, err
}

// CountBreakers answers how many lanes of all accounts have their breaker in
// each state but closed.
func (s *Store) CountBreakers(ctx context.Context) (map[paraph.BreakerState]int, error) {
	type count struct {
		state paraph.BreakerState
		n     int
	}
	cs, err := all(ctx, s.q, func(scan func(...any) error) (c count, err error) { err = scan(&c.state, &c.n); return c, err },
		"SELECT breaker, COUNT(*) FROM lanes WHERE breaker <> 'closed' GROUP BY breaker")
	out := map[paraph.BreakerState]int{}
	for _, c := range cs {
		out[c.state] = c.n
	}
	return out, err
}
