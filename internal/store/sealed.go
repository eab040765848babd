package store

import (
	"context"
	"fmt"

	"github.com/paraph-sign/paraph"
)

// rememberSealed keeps the digests of files that an envelope got by being sealed.
func (tx *Tx) rememberSealed(ctx context.Context, was, e *paraph.Envelope) error {
	known := map[string]bool{"": true, was.AuditLog: true}
	for _, d := range was.Documents {
		known[d.Sealed] = true
	}
	digests := []string{e.AuditLog}
	for _, d := range e.Documents {
		digests = append(digests, d.Sealed)
	}
	for _, digest := range digests {
		if known[digest] {
			continue
		}
		known[digest] = true
		if _, err := tx.exec(ctx, "INSERT INTO sealed_files (digest, sealed_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING", digest, micros(tx.now)); err != nil {
			return err
		}
	}
	return nil
}

// SealedHere tells whether a file with this digest was sealed by this instance,
// ever and for whomever.
func (s *Store) SealedHere(ctx context.Context, digest string) (bool, error) {
	n, err := one(ctx, s.q, "", scanInt, "SELECT COUNT(*) FROM sealed_files WHERE digest = $1", digest)
	if err != nil {
		return false, fmt.Errorf("look for a sealed file: %w", err)
	}
	return n > 0, nil
}

// HurryJobsOf makes the jobs of a kind that an envelope has and that nobody
// works on due now.
func (tx *Tx) HurryJobsOf(ctx context.Context, envelopeID int64, kind string) error {
	_, err := tx.exec(ctx, "UPDATE jobs SET due_at = $1 WHERE envelope_id = $2 AND kind = $3 AND claim_id = '' AND due_at > $1 AND state = 'pending'",
		micros(tx.now), envelopeID, kind)
	return err
}
