package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/paraph-sign/paraph"
)

// Where a certificate that seals comes from.
const (
	SealGenerated = "generated" // made here
	SealUploaded  = "uploaded"
	SealOperator  = "operator" // given at the start; its key is not in the database
)

// SealCertificate is a certificate that seals or has sealed.
type SealCertificate struct {
	ID           int64
	Source       string
	Fingerprint  string // SHA-256 of the certificate, in hex
	Subject      string // its name, for people
	Anchor       string // PEM: what seals by it are believed by
	Certificates string // PEM, the key's own first
	HasKeys      bool
	NotBefore    time.Time
	NotAfter     time.Time
	Warned       int   // of how many days before its end the owners were told last; NotWarned at first
	CreatedBy    int64 // a user; 0: the server
	CreatedAt    time.Time
	UsedFrom     time.Time // since when it seals, or did last
	UsedUntil    time.Time // zero while it seals
}

// NotWarned is more days than any warning is ahead.
const NotWarned = 1 << 20

const sealColumns = `id, source, fingerprint, subject, anchor, certificates, sealed <> '', not_before, not_after, warned, created_by,
	created_at, used_from, used_until`

func scanSealCertificate(scan func(...any) error) (c SealCertificate, err error) {
	err = scan(&c.ID, &c.Source, &c.Fingerprint, &c.Subject, &c.Anchor, &c.Certificates, &c.HasKeys, at{&c.NotBefore}, at{&c.NotAfter},
		&c.Warned, &c.CreatedBy, at{&c.CreatedAt}, at{&c.UsedFrom}, at{&c.UsedUntil})
	return c, err
}

// sealSetting names the certificate that seals.
const sealSetting = "seal_certificate"

func aboutCertificate(fingerprint string) string { return "seal certificate " + fingerprint }

// InsertSealCertificate adds a certificate with its keys, if they are here,
// and sets its id. One that is there already is a Conflict.
func (tx *Tx) InsertSealCertificate(ctx context.Context, c *SealCertificate, keys []byte) (err error) {
	sealed, err := tx.secrets.takeKeys(c.Fingerprint, keys)
	if err != nil {
		return err
	}
	c.HasKeys, c.Warned, c.CreatedAt = sealed != "", NotWarned, tx.now
	c.ID, err = tx.insert(ctx, `INSERT INTO seal_certificates (source, fingerprint, subject, anchor, certificates, sealed, not_before, not_after,
		warned, created_by, created_at, used_from, used_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
		c.Source, c.Fingerprint, c.Subject, c.Anchor, c.Certificates, sealed, micros(c.NotBefore), micros(c.NotAfter), c.Warned, c.CreatedBy,
		micros(c.CreatedAt), micros(c.UsedFrom), micros(c.UsedUntil))
	if tx.d.unique(err) {
		return paraph.Errorf(paraph.Conflict, "This certificate is here already.")
	}
	return err
}

// GiveSealKeys adds the keys to a certificate that has none.
func (tx *Tx) GiveSealKeys(ctx context.Context, c SealCertificate, source string, keys []byte) error {
	sealed, err := tx.secrets.takeKeys(c.Fingerprint, keys)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "UPDATE seal_certificates SET sealed = $1, source = $2 WHERE id = $3 AND sealed = ''", sealed, source, c.ID)
	return err
}

// UseSealCertificate lets a certificate seal from now on, and the one before it
// no more.
func (tx *Tx) UseSealCertificate(ctx context.Context, id int64) error {
	if _, err := tx.exec(ctx, "UPDATE seal_certificates SET used_until = $1 WHERE used_from > 0 AND used_until = 0 AND source <> $2", micros(tx.now), SealOperator); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE seal_certificates SET used_from = $1, used_until = 0 WHERE id = $2", micros(tx.now), id); err != nil {
		return err
	}
	return tx.SetSetting(ctx, sealSetting, strconv.FormatInt(id, 10))
}

// NoteOperator writes down which certificate of the operator's seals, 0 for
// none: any other of theirs does no more.
func (tx *Tx) NoteOperator(ctx context.Context, id int64) error {
	if _, err := tx.exec(ctx, "UPDATE seal_certificates SET used_until = $1 WHERE source = $2 AND used_until = 0 AND id <> $3", micros(tx.now), SealOperator, id); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "UPDATE seal_certificates SET used_from = $1, used_until = 0 WHERE id = $2 AND (used_from = 0 OR used_until > 0)", micros(tx.now), id)
	return err
}

// UsedSealCertificate answers the id of the database's certificate that seals;
// 0 when there is none.
func (r Reader) UsedSealCertificate(ctx context.Context) (int64, error) {
	v, err := r.Setting(ctx, sealSetting)
	if err != nil || v == "" {
		return 0, err
	}
	return strconv.ParseInt(v, 10, 64)
}

// SealCertificate answers a certificate by its id.
func (r Reader) SealCertificate(ctx context.Context, id int64) (SealCertificate, error) {
	return one(ctx, r.q, "This certificate is not here.", scanSealCertificate, "SELECT "+sealColumns+" FROM seal_certificates WHERE id = $1", id)
}

// SealCertificateBy answers a certificate by its fingerprint.
func (r Reader) SealCertificateBy(ctx context.Context, fingerprint string) (SealCertificate, error) {
	return one(ctx, r.q, "This certificate is not here.", scanSealCertificate, "SELECT "+sealColumns+" FROM seal_certificates WHERE fingerprint = $1", fingerprint)
}

// SealCertificates answers the certificates, newest first. There are as many
// as somebody has ever entered: few.
func (r Reader) SealCertificates(ctx context.Context) ([]SealCertificate, error) {
	return all(ctx, r.q, scanSealCertificate, "SELECT "+sealColumns+" FROM seal_certificates ORDER BY id DESC")
}

// CountSealCertificates answers how many there are: as long as that is the
// same, SealCertificates holds the same, for none is ever removed.
func (r Reader) CountSealCertificates(ctx context.Context) (int, error) {
	n, err := all(ctx, r.q, scanInt, "SELECT COUNT(*) FROM seal_certificates")
	if err != nil || len(n) == 0 {
		return 0, err
	}
	return int(n[0]), nil
}

// SealKeys decrypts the keys of a certificate.
func (r Reader) SealKeys(ctx context.Context, c SealCertificate) ([]byte, error) {
	sealed, err := r.sealedKeys(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if sealed == "" {
		return nil, paraph.Errorf(paraph.Conflict, "The key of this certificate is not here.")
	}
	return r.secrets.giveKeys(c.Fingerprint, sealed)
}

func (r Reader) sealedKeys(ctx context.Context, id int64) (string, error) {
	return one(ctx, r.q, "This certificate is not here.", func(scan func(...any) error) (s string, err error) { err = scan(&s); return s, err },
		"SELECT sealed FROM seal_certificates WHERE id = $1", id)
}

// NoteSealWarning writes down that the owners were told so many days before
// a certificate's end. first is false when they had been already.
func (tx *Tx) NoteSealWarning(ctx context.Context, id int64, days int) (first bool, err error) {
	n, err := tx.exec(ctx, "UPDATE seal_certificates SET warned = $1 WHERE id = $2 AND warned > $1", days, id)
	return n == 1, err
}

// Owners answers the users who own the instance.
func (r Reader) Owners(ctx context.Context) ([]paraph.User, error) {
	return all(ctx, r.q, scanUser, "SELECT "+userColumns+" FROM users WHERE owner = TRUE ORDER BY id")
}

// CountUnsealed answers how many envelopes are completed and wait to be sealed.
func (r Reader) CountUnsealed(ctx context.Context) (int, error) {
	n, err := all(ctx, r.q, scanInt, "SELECT COUNT(*) FROM envelopes WHERE status = 'completed' AND sealed_at = 0 AND deleted_at = 0")
	if err != nil || len(n) == 0 {
		return 0, err
	}
	return int(n[0]), nil
}

// HurryJobs makes the jobs of a kind that wait for another try due now.
func (tx *Tx) HurryJobs(ctx context.Context, kind string) (int64, error) {
	return tx.exec(ctx, "UPDATE jobs SET due_at = $1 WHERE kind = $2 AND claim_id = '' AND due_at > $1 AND state = 'pending'", micros(tx.now), kind)
}

// takeKeys encrypts keys; "" for none.
func (s *secretary) takeKeys(fingerprint string, keys []byte) (string, error) {
	if len(keys) == 0 {
		return "", nil
	}
	if s.vault == nil {
		return "", errNoVault
	}
	return s.vault.Seal(keys, aboutCertificate(fingerprint)), nil
}

func (s *secretary) giveKeys(fingerprint, sealed string) ([]byte, error) {
	if s.vault == nil {
		return nil, errNoVault
	}
	keys, err := s.vault.Open(sealed, aboutCertificate(fingerprint))
	if err != nil {
		return nil, fmt.Errorf("decrypt the key of certificate %s: %w", fingerprint, err)
	}
	return keys, nil
}

// resealCertificates encrypts keys anew that were encrypted with a previous
// secret key.
func (s *Store) resealCertificates(ctx context.Context) error {
	prefix := s.secrets.vault.Prefix()
	err := s.Update(ctx, func(tx *Tx) error {
		cs, err := all(ctx, tx.q, scanSealCertificate, "SELECT "+sealColumns+" FROM seal_certificates WHERE sealed <> '' AND SUBSTR(sealed, 1, $1) <> $2",
			len(prefix), prefix)
		for _, c := range cs {
			err = errors.Join(err, tx.reseal(ctx, c))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("encrypt the sealing keys: %w", err)
	}
	return nil
}

func (tx *Tx) reseal(ctx context.Context, c SealCertificate) error {
	keys, err := tx.SealKeys(ctx, c)
	if err != nil {
		return err
	}
	sealed, err := tx.secrets.takeKeys(c.Fingerprint, keys)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "UPDATE seal_certificates SET sealed = $1 WHERE id = $2", sealed, c.ID)
	return err
}

// forgetKeys removes the keys of all certificates, which are believed still.
func (tx *Tx) forgetKeys(ctx context.Context) error {
	if _, err := tx.exec(ctx, "UPDATE seal_certificates SET sealed = '', used_until = CASE WHEN used_from > 0 AND used_until = 0 THEN $1 ELSE used_until END WHERE sealed <> ''", micros(tx.now)); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "DELETE FROM settings WHERE name = $1", sealSetting)
	return err
}
