package store

import (
	"context"

	"github.com/paraph-sign/paraph"
)

// Unstamped answers envelopes whose sealed files want timestamps now and for
// which no job of this kind waits: because it was lost, or because the time has
// come to renew them.
func (s *Store) Unstamped(ctx context.Context, kind string, limit int) ([]paraph.Envelope, error) {
	return all(ctx, s.q, scanEnvelope, "SELECT "+envelopeColumns+` FROM envelopes WHERE stamp_at > 0 AND stamp_at <= $1 AND deleted_at = 0
		AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.envelope_id = envelopes.id AND jobs.kind = $2 AND jobs.state = 'pending')
		ORDER BY stamp_at LIMIT $3`, micros(s.Now()), kind, limit)
}

// WantStamps marks sealed envelopes whose level is none of those given, and
// that don't want timestamps already, as wanting them now, and counts them.
func (tx *Tx) WantStamps(ctx context.Context, level string) (int64, error) {
	return tx.exec(ctx, `UPDATE envelopes SET stamp_at = $1 WHERE sealed_at > 0 AND deleted_at = 0 AND stamp_at = 0 AND seal_level <> $2`,
		micros(tx.now), level)
}
