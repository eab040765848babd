package desk

import (
	"context"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
)

// SetPreferences changes what an account sets for all its envelopes; of a team
// only admins may. It holds for what is sealed from then on.
func (d *Desk) SetPreferences(ctx context.Context, who Who, p paraph.Preferences) error {
	p, err := p.Check(seal.IsLanguage)
	if err != nil {
		return err
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		s, err := tx.Space(ctx, who.AccountID, who.UserID)
		if err != nil {
			return err
		}
		if s.Role != paraph.RoleAdmin {
			return paraph.Errorf(paraph.Forbidden, "Only admins of this team can change that.")
		}
		return tx.SetPreferences(ctx, who.AccountID, p)
	})
	if err == nil && p.OwnSignatures { // its certificate can be had from now on
		_, err = d.authority(ctx)
	}
	return err
}
