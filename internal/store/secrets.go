package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/vault"
)

// sealedSecrets is what of an endpoint is encrypted, as one text.
type sealedSecrets struct {
	Secret   string      `json:"secret,omitempty"`
	Signing  string      `json:"signing,omitempty"`
	Previous string      `json:"previous,omitempty"`
	Headers  [][2]string `json:"headers,omitempty"`
}

// plainSecrets are the columns in which they stood before there was a vault.
type plainSecrets struct{ secret, signing, headers string }

// secretary encrypts and decrypts the secrets of endpoints. The sender reads
// an endpoint with every few deliveries, so what was decrypted is remembered.
type secretary struct {
	vault *vault.Vault

	mu         sync.Mutex
	young, old map[sealedOf]sealedSecrets
	size       int // bytes of young
}

// sealedOf is a ciphertext and what it is bound to.
type sealedOf struct{ about, sealed string }

// rememberedBytes bounds each of the two generations that are remembered.
const rememberedBytes = 8 << 20

func newSecretary(v *vault.Vault) *secretary {
	return &secretary{vault: v, young: map[sealedOf]sealedSecrets{}}
}

var errNoVault = errors.New("the store was opened without the key of webhooks' secrets")

func aboutEndpoint(accountID, id int64) string {
	return "endpoint " + strconv.FormatInt(accountID, 10) + " " + strconv.FormatInt(id, 10)
}

// take encrypts what of an endpoint is secret.
func (s *secretary) take(e paraph.Endpoint) (string, error) {
	if s.vault == nil {
		return "", errNoVault
	}
	b, err := json.Marshal(sealedSecrets{e.Secret, e.SigningSecret, e.PreviousSecret, e.Headers})
	if err != nil {
		return "", err
	}
	return s.vault.Seal(b, aboutEndpoint(e.AccountID, e.ID)), nil
}

// put sets an endpoint's secrets: what was sealed, or, when that is nothing,
// what stands in the plain columns.
func (s *secretary) put(e *paraph.Endpoint, sealed string, plain plainSecrets) error {
	if sealed == "" {
		e.Secret, e.SigningSecret = plain.secret, plain.signing
		return opaque{&e.Headers}.Scan(plain.headers)
	}
	x, err := s.open(sealedOf{aboutEndpoint(e.AccountID, e.ID), sealed})
	if err != nil {
		return fmt.Errorf("decrypt the secrets of endpoint %d: %w", e.ID, err)
	}
	e.Secret, e.SigningSecret, e.PreviousSecret, e.Headers = x.Secret, x.Signing, x.Previous, slices.Clone(x.Headers)
	return nil
}

func (s *secretary) open(of sealedOf) (x sealedSecrets, err error) {
	if s.vault == nil {
		return x, errNoVault
	}
	if x, ok := s.recall(of); ok {
		return x, nil
	}
	b, err := s.vault.Open(of.sealed, of.about)
	if err != nil {
		return x, err
	}
	if err := json.Unmarshal(b, &x); err != nil {
		return x, err
	}
	s.remember(of, x)
	return x, nil
}

func (s *secretary) recall(of sealedOf) (sealedSecrets, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.young[of]
	if ok {
		return x, true
	}
	if x, ok = s.old[of]; ok {
		s.add(of, x)
	}
	return x, ok
}

func (s *secretary) remember(of sealedOf, x sealedSecrets) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(of, x)
}

func (s *secretary) add(of sealedOf, x sealedSecrets) {
	cost := 3 * len(of.sealed) // the ciphertext, and what is in it with its headers
	if s.size += cost; s.size > rememberedBytes {
		s.old, s.young, s.size = s.young, map[sealedOf]sealedSecrets{}, cost
	}
	s.young[of] = x
}

// The setting by which a wrong key is known at the start.
const (
	keyCheck      = "secret_key_check"
	keyCheckAbout = "setting " + keyCheck
	keyCheckText  = "paraph"
)

// sealBatch is how many endpoints one transaction encrypts.
const sealBatch = 200

// unlock checks that the key is the one with which this database was
// encrypted, and encrypts what is not yet, or is with a previous key. If we
// stop in the middle, the next start goes on.
func (s *Store) unlock(ctx context.Context) error {
	v := s.secrets.vault
	if v == nil {
		return nil
	}
	if err := s.noteKey(ctx, func(check string) bool { return check == "" }); err != nil {
		return err
	}
	sealed, err := s.sealPlain(ctx)
	if err != nil {
		return fmt.Errorf("encrypt the secrets of webhooks: %w", err)
	}
	if sealed > 0 {
		s.log.Info("the secrets of webhooks were encrypted with the server's key", "webhooks", sealed)
	}
	if err := s.resealCertificates(ctx); err != nil {
		return err
	}
	if err := s.renewAuthority(ctx); err != nil {
		return err
	}
	// From here on the present key alone is enough.
	return s.noteKey(ctx, func(check string) bool { return !strings.HasPrefix(check, v.Prefix()) })
}

// noteKey refuses a key that is not this database's, and writes down the
// present one when that is wanted.
func (s *Store) noteKey(ctx context.Context, wanted func(check string) bool) error {
	v := s.secrets.vault
	return s.Update(ctx, func(tx *Tx) error {
		check, err := tx.Setting(ctx, keyCheck)
		if err != nil {
			return err
		}
		if got, err := v.Open(check, keyCheckAbout); check != "" && (err != nil || string(got) != keyCheckText) {
			return ErrWrongKey
		}
		if !wanted(check) {
			return nil
		}
		return tx.SetSetting(ctx, keyCheck, v.Seal([]byte(keyCheckText), keyCheckAbout))
	})
}

// ErrWrongKey says that the secret key is not this database's.
var ErrWrongKey = errors.New("the secret key is not the one that the secrets in this database are encrypted with: " +
	"give every node the same --secret-key (PARAPH_SECRET_KEY), or restore secret.key from the backup; " +
	"after a change of the key, name the old one in --previous-secret-key")

// sealPlain encrypts, in batches, the secrets of all endpoints that are not
// encrypted with the present key, and tells how many they were.
func (s *Store) sealPlain(ctx context.Context) (n int, err error) {
	if some, err := s.plain(ctx, 0, 1); err != nil || len(some) == 0 {
		return 0, err
	}
	for after, more := int64(0), true; more; {
		var batch []paraph.Endpoint
		err := s.Update(ctx, func(tx *Tx) (err error) {
			if batch, err = tx.plain(ctx, after, sealBatch); err != nil {
				return err
			}
			for _, e := range batch {
				if err := tx.UpdateEndpoint(ctx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += len(batch)
		if more = len(batch) == sealBatch; more {
			after = batch[len(batch)-1].ID
		}
	}
	s.forgetPlain(ctx)
	return n, nil
}

// plain answers endpoints whose secrets are not encrypted with the present
// key, those with the lowest ids above one first.
func (r Reader) plain(ctx context.Context, after int64, n int) ([]paraph.Endpoint, error) {
	prefix := r.secrets.vault.Prefix()
	return all(ctx, r.q, r.scanEndpoint, "SELECT "+endpointColumns+` FROM endpoints
		WHERE id > $1 AND SUBSTR(sealed, 1, $2) <> $3 AND (deleted_at = 0 OR signing_secret <> '') ORDER BY id LIMIT $4`,
		after, len(prefix), prefix, n)
}

// forgetPlain writes anew what may still hold, in its unused parts, secrets
// from before they were encrypted. A large SQLite file waits for its operator.
func (s *Store) forgetPlain(ctx context.Context) {
	var err error
	if s.d.driver == "sqlite" {
		var space fileSpace
		if space, err = s.space(ctx, s.write); err == nil && space.pages > smallFile {
			s.log.Warn("unused parts of the database file may still hold secrets of webhooks as they were before; `paraph vacuum` removes them while the server is stopped")
			return
		}
		if err == nil {
			err = s.Vacuum(ctx)
		}
	} else {
		_, err = s.write.ExecContext(ctx, "VACUUM FULL endpoints")
	}
	if err != nil {
		s.log.Warn("unused parts of the database may still hold secrets of webhooks as they were before", "error", err)
	}
}

// ForgetSecrets removes the secrets of all endpoints and switches those that
// had any off, for a database whose key is lost; it can then be opened with
// another. It tells how many they were. What is pending stays so. The keys that
// sealed are removed as well; their certificates are believed still.
func (s *Store) ForgetSecrets(ctx context.Context, why string) (n int64, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		n, err = tx.exec(ctx, `UPDATE endpoints SET sealed = '', secret = '', signing_secret = '', headers = '[]', previous_until = 0,
			enabled = FALSE, disabled_at = $1, disabled_by = 'hand', disabled_why = $2 WHERE deleted_at = 0 AND sealed <> ''`, micros(tx.now), why)
		if err != nil {
			return err
		}
		if err := tx.forgetKeys(ctx); err != nil {
			return err
		}
		_, err = tx.exec(ctx, "DELETE FROM settings WHERE name IN ($1, $2)", keyCheck, authoritySetting)
		return err
	})
	return n, err
}
