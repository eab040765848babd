package store

import (
	"context"

	"github.com/paraph-sign/paraph"
)

// Preferences answers what an account sets for all its envelopes.
func (r Reader) Preferences(ctx context.Context, accountID int64) (paraph.Preferences, error) {
	return one(ctx, r.q, "This space is gone.", func(scan func(...any) error) (p paraph.Preferences, err error) {
		err = scan(&p.Audit, &p.Language, &p.TimeZone, &p.FileNames)
		return p, err
	}, "SELECT audit_place, language, time_zone, file_names FROM accounts WHERE id = $1", accountID)
}

// SetPreferences writes them.
func (tx *Tx) SetPreferences(ctx context.Context, accountID int64, p paraph.Preferences) error {
	_, err := tx.exec(ctx, "UPDATE accounts SET audit_place = $1, language = $2, time_zone = $3, file_names = $4 WHERE id = $5",
		p.Audit, p.Language, p.TimeZone, p.FileNames, accountID)
	return err
}
