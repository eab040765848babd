package store

import "context"

// RecentStats counts, for each endpoint of an account, what became of its
// newest deliveries, n at most: the cost doesn't grow with the log.
func (r Reader) RecentStats(ctx context.Context, accountID int64, n int) (map[int64]EndpointStats, error) {
	scan := func(scan func(...any) error) (s EndpointStats, err error) {
		err = scan(&s.EndpointID, &s.Succeeded, &s.Failed, &s.Pending, at{&s.LastOK})
		return s, err
	}
	rows, err := all(ctx, r.q, scan, `WITH newest AS MATERIALIZED (
			SELECT id AS endpoint_id, COALESCE((SELECT id FROM deliveries WHERE account_id = $1 AND endpoint_id = endpoints.id
				ORDER BY id DESC LIMIT 1 OFFSET $2), 0) AS first_id
			FROM endpoints WHERE account_id = $1 AND deleted_at = 0
		)
		SELECT newest.endpoint_id,
			COUNT(CASE WHEN state = 'succeeded' THEN 1 END), COUNT(CASE WHEN state = 'failed' THEN 1 END),
			COUNT(CASE WHEN state = 'pending' THEN 1 END), COALESCE(MAX(CASE WHEN state = 'succeeded' THEN finished_at END), 0)
		FROM newest JOIN deliveries ON deliveries.account_id = $1 AND deliveries.endpoint_id = newest.endpoint_id AND deliveries.id >= newest.first_id
		GROUP BY newest.endpoint_id`, accountID, max(n-1, 0))
	out := make(map[int64]EndpointStats, len(rows))
	for _, s := range rows {
		out[s.EndpointID] = s
	}
	return out, err
}

// Backlog answers how many deliveries of an account's endpoint are pending.
func (r Reader) Backlog(ctx context.Context, accountID, endpointID int64) (int64, error) {
	ns, err := all(ctx, r.q, scanInt, `SELECT COUNT(*) FROM deliveries WHERE state = 'pending'
		AND endpoint_id = (SELECT id FROM endpoints WHERE account_id = $1 AND id = $2)`, accountID, endpointID)
	if err != nil || len(ns) == 0 {
		return 0, err
	}
	return ns[0], nil
}
