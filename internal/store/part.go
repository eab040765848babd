package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/paraph-sign/paraph"
)

const partColumns = "envelope_id, position, recipient_id, documents, serial, fingerprint, created_at"

func scanPart(scan func(...any) error) (p paraph.SignedPart, err error) {
	err = scan(&p.EnvelopeID, &p.Position, &p.RecipientID, opaque{&p.Documents}, &p.Serial, &p.Fingerprint, at{&p.CreatedAt})
	return p, err
}

// SignedParts answers the parts of an envelope that are signed, in their order.
func (r Reader) SignedParts(ctx context.Context, envelopeID int64) ([]paraph.SignedPart, error) {
	return all(ctx, r.q, scanPart, "SELECT "+partColumns+" FROM signed_parts WHERE envelope_id = $1 ORDER BY position", envelopeID)
}

// InsertSignedPart adds one. The error is a Conflict when another took its
// position, or the recipient's part is signed already.
func (tx *Tx) InsertSignedPart(ctx context.Context, p paraph.SignedPart) error {
	n, err := tx.exec(ctx, "INSERT INTO signed_parts ("+partColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
		p.EnvelopeID, p.Position, p.RecipientID, asJSON(p.Documents), p.Serial, p.Fingerprint, micros(p.CreatedAt))
	if err != nil {
		return fmt.Errorf("insert signed part %d of envelope %d: %w", p.Position, p.EnvelopeID, err)
	}
	if n == 0 {
		return paraph.Errorf(paraph.Conflict, "Another part of the envelope was signed just now.")
	}
	return nil
}

// The settings that hold the authority that issues recipients' certificates,
// with its key, encrypted, and the certificates of all that ever did.
const (
	authoritySetting   = "recipients_authority"
	authorityAbout     = "setting " + authoritySetting
	authoritiesSetting = "recipients_authorities"
)

// Authority answers what SetAuthority stored; nil when that was never done.
func (r Reader) Authority(ctx context.Context) ([]byte, error) {
	sealed, err := r.Setting(ctx, authoritySetting)
	if err != nil || sealed == "" {
		return nil, err
	}
	if r.secrets.vault == nil {
		return nil, errNoVault
	}
	b, err := r.secrets.vault.Open(sealed, authorityAbout)
	if err != nil {
		return nil, fmt.Errorf("decrypt the recipients' authority: %w", err)
	}
	return b, nil
}

// Authorities answers the certificates, in PEM, of all authorities that issued
// recipients' certificates; the last one is in use unless its key was lost.
func (r Reader) Authorities(ctx context.Context) ([]byte, error) {
	all, err := r.Setting(ctx, authoritiesSetting)
	return []byte(all), err
}

// SetAuthority stores the authority that issues recipients' certificates, and
// its certificate by itself, unless there is one; read again what there is.
func (tx *Tx) SetAuthority(ctx context.Context, pem, certificate []byte) error {
	if tx.secrets.vault == nil {
		return errNoVault
	}
	n, err := tx.exec(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
		authoritySetting, tx.secrets.vault.Seal(pem, authorityAbout))
	if err != nil || n == 0 {
		return err
	}
	all, err := tx.Authorities(ctx)
	if err != nil {
		return err
	}
	return tx.SetSetting(ctx, authoritiesSetting, string(all)+string(certificate))
}

// renewAuthority encrypts the authority with the present key.
func (s *Store) renewAuthority(ctx context.Context) error {
	return s.Update(ctx, func(tx *Tx) error {
		sealed, err := tx.Setting(ctx, authoritySetting)
		if err != nil || sealed == "" || strings.HasPrefix(sealed, s.secrets.vault.Prefix()) {
			return err
		}
		pem, err := tx.Authority(ctx)
		if err != nil {
			return err
		}
		return tx.SetSetting(ctx, authoritySetting, s.secrets.vault.Seal(pem, authorityAbout))
	})
}
