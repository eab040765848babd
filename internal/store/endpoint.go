package store

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
)

const endpointColumns = `id, account_id, url, events, secret, signing_secret, headers, sealed, previous_until, description,
	enabled, disabled_at, disabled_why, disabled_by, schedule, timeout, concurrency, rate, ordered, omit_tokens, created_at, updated_at,
	failing_since, failed_at, failed_code, failed_error, warned, warned_at, exhausted_at`

func (r Reader) scanEndpoint(scan func(...any) error) (e paraph.Endpoint, err error) {
	var timeout int64
	var plain plainSecrets
	var sealed string
	f := &e.Failing
	err = scan(&e.ID, &e.AccountID, &e.URL, opaque{&e.Events}, &plain.secret, &plain.signing, &plain.headers, &sealed, at{&e.PreviousUntil},
		&e.Description, &e.Enabled, at{&e.DisabledAt}, &e.DisabledWhy, &e.DisabledBy, &e.Schedule, &timeout, &e.Concurrency, &e.Rate,
		&e.Ordered, &e.OmitTokens, at{&e.CreatedAt}, at{&e.UpdatedAt},
		at{&f.Since}, at{&f.Last}, &f.Code, &f.Error, &f.Warned, at{&f.WarnedAt}, at{&f.ExhaustedAt})
	if err != nil {
		return e, err
	}
	e.Timeout = time.Duration(timeout) * time.Microsecond
	return e, r.secrets.put(&e, sealed, plain)
}

const noEndpoint = "This webhook is not here, or it belongs to another space."

// Endpoints answers the endpoints of an account, oldest first; there are at
// most paraph.MaxEndpoints.
func (r Reader) Endpoints(ctx context.Context, accountID int64) ([]paraph.Endpoint, error) {
	return all(ctx, r.q, r.scanEndpoint, "SELECT "+endpointColumns+` FROM endpoints WHERE account_id = $1 AND deleted_at = 0
		ORDER BY id LIMIT $2`, accountID, paraph.MaxEndpoints)
}

// Endpoint answers one endpoint of an account.
func (r Reader) Endpoint(ctx context.Context, accountID, id int64) (paraph.Endpoint, error) {
	return one(ctx, r.q, noEndpoint, r.scanEndpoint, "SELECT "+endpointColumns+` FROM endpoints
		WHERE account_id = $1 AND id = $2 AND deleted_at = 0`, accountID, id)
}

// AnyEndpoint answers an endpoint of whatever account, for the sender.
func (s *Store) AnyEndpoint(ctx context.Context, id int64) (paraph.Endpoint, error) {
	return s.anyEndpoint(ctx, id)
}

// AnyEndpoint is Store.AnyEndpoint within the transaction.
func (tx *Tx) AnyEndpoint(ctx context.Context, id int64) (paraph.Endpoint, error) {
	return tx.anyEndpoint(ctx, id)
}

func (r Reader) anyEndpoint(ctx context.Context, id int64) (paraph.Endpoint, error) {
	return one(ctx, r.q, noEndpoint, r.scanEndpoint, "SELECT "+endpointColumns+" FROM endpoints WHERE id = $1 AND deleted_at = 0", id)
}

// EndpointsByID answers endpoints of whatever account by id; deleted ones are
// missing.
func (r Reader) EndpointsByID(ctx context.Context, ids []int64) (map[int64]paraph.Endpoint, error) {
	var a args
	es, err := all(ctx, r.q, r.scanEndpoint, "SELECT "+endpointColumns+" FROM endpoints WHERE deleted_at = 0 AND id IN ("+list(&a, padded(ids))+")", a...)
	out := make(map[int64]paraph.Endpoint, len(es))
	for _, e := range es {
		out[e.ID] = e
	}
	return out, err
}

// InsertEndpoint adds an endpoint and sets its id. Its failures are not
// written; see failing.go.
func (tx *Tx) InsertEndpoint(ctx context.Context, e *paraph.Endpoint) (err error) {
	e.ID, err = tx.insert(ctx, `INSERT INTO endpoints (account_id, url, events, secret, signing_secret, headers, previous_until, description, enabled,
		disabled_at, disabled_why, disabled_by, schedule, timeout, concurrency, rate, ordered, omit_tokens, created_at, updated_at)
		VALUES ($1, $2, $3, '', '', '[]', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id`,
		e.AccountID, e.URL, asJSON(e.Events), micros(e.PreviousUntil), e.Description, e.Enabled, micros(e.DisabledAt), e.DisabledWhy,
		string(e.DisabledBy), e.Schedule, e.Timeout.Microseconds(), e.Concurrency, e.Rate, e.Ordered, e.OmitTokens, micros(e.CreatedAt), micros(e.UpdatedAt))
	if err != nil {
		return err
	}
	sealed, err := tx.secrets.take(*e) // what is encrypted is bound to the id
	if err != nil {
		return err
	}
	if _, err = tx.exec(ctx, "UPDATE endpoints SET sealed = $1 WHERE id = $2", sealed, e.ID); err != nil {
		return err
	}
	_, err = tx.exec(ctx, "INSERT INTO lanes (endpoint_id) VALUES ($1)", e.ID)
	return err
}

// UpdateEndpoint writes an endpoint, all but its failures.
func (tx *Tx) UpdateEndpoint(ctx context.Context, e paraph.Endpoint) error {
	sealed, err := tx.secrets.take(e)
	if err != nil {
		return err
	}
	tx.Announce(e.ID)
	_, err = tx.exec(ctx, `UPDATE endpoints SET url = $1, events = $2, secret = '', signing_secret = '', headers = '[]', sealed = $3,
		previous_until = $4, description = $5, enabled = $6, disabled_at = $7, disabled_why = $8, disabled_by = $9, schedule = $10, timeout = $11,
		concurrency = $12, rate = $13, ordered = $14, omit_tokens = $15, updated_at = $16 WHERE account_id = $17 AND id = $18`,
		e.URL, asJSON(e.Events), sealed, micros(e.PreviousUntil), e.Description, e.Enabled, micros(e.DisabledAt),
		e.DisabledWhy, string(e.DisabledBy), e.Schedule, e.Timeout.Microseconds(), e.Concurrency, e.Rate, e.Ordered, e.OmitTokens,
		micros(e.UpdatedAt), e.AccountID, e.ID)
	return err
}

// DeleteEndpoint takes an endpoint away, and its secrets for good; its log
// stays until it is pruned.
func (tx *Tx) DeleteEndpoint(ctx context.Context, accountID, id int64) error {
	n, err := tx.exec(ctx, `UPDATE endpoints SET deleted_at = $1, enabled = FALSE, secret = '', signing_secret = '', headers = '[]', sealed = '',
		failing_since = 0 WHERE account_id = $2 AND id = $3 AND deleted_at = 0`, micros(tx.now), accountID, id)
	if err == nil && n == 0 {
		return paraph.Errorf(paraph.NotFound, noEndpoint)
	}
	return err
}

// SkipDeliveries stops what is queued for an endpoint. Its rows are kept and
// can be replayed. Requests that are under way may still succeed.
func (tx *Tx) SkipDeliveries(ctx context.Context, endpointID int64) error {
	tx.Announce(endpointID)
	_, err := tx.exec(ctx, `UPDATE deliveries SET state = 'skipped', finished_at = $1
		WHERE endpoint_id = $2 AND state = 'pending'`, micros(tx.now), endpointID)
	return err
}
