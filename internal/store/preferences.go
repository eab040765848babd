package store

import (
	"context"

	"github.com/paraph-sign/paraph"
)

// Preferences answers what an account sets for all its envelopes.
func (r Reader) Preferences(ctx context.Context, accountID int64) (paraph.Preferences, error) {
	return one(ctx, r.q, "This space is gone.", func(scan func(...any) error) (p paraph.Preferences, err error) {
		err = scan(&p.Audit, &p.Language, &p.TimeZone, &p.FileNames, &p.OwnSignatures)
		return p, err
	}, "SELECT audit_place, language, time_zone, file_names, own_signatures FROM accounts WHERE id = $1", accountID)
}

// SetPreferences writes them.
func (tx *Tx) SetPreferences(ctx context.Context, accountID int64, p paraph.Preferences) error {
	_, err := tx.exec(ctx, "UPDATE accounts SET audit_place = $1, language = $2, time_zone = $3, file_names = $4, own_signatures = $5 WHERE id = $6",
		p.Audit, p.Language, p.TimeZone, p.FileNames, p.OwnSignatures, accountID)
	return err
}
