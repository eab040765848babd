package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
	"github.com/paraph-sign/paraph/internal/vault"
)

func sealCertificate(name string, now time.Time) store.SealCertificate {
	return store.SealCertificate{
		Source: store.SealUploaded, Fingerprint: strings.Repeat(name, 8), Subject: name, Anchor: "anchor of " + name, Certificates: "chain of " + name,
		NotBefore: now, NotAfter: now.Add(24 * time.Hour), CreatedBy: 7,
	}
}

func TestSealCertificates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		if id, err := s.UsedSealCertificate(ctx); id != 0 || err != nil {
			t.Errorf("before there is any: %d, %v", id, err)
		}
		a, b, o := sealCertificate("a", s.Now()), sealCertificate("b", s.Now()), sealCertificate("o", s.Now())
		o.Source = store.SealOperator
		add := func(c *store.SealCertificate, keys string) {
			t.Helper()
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertSealCertificate(ctx, c, []byte(keys)) })
		}
		use := func(id int64) {
			t.Helper()
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.UseSealCertificate(ctx, id) })
		}
		add(&a, "keys of a")
		use(a.ID)
		add(&o, "")
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.NoteOperator(ctx, o.ID) })
		switched := clock.Advance(time.Hour)
		add(&b, "keys of b")
		use(b.ID)
		err := s.Update(ctx, func(tx *store.Tx) error { c := a; return tx.InsertSealCertificate(ctx, &c, nil) })
		if paraph.KindOf(err) != paraph.Conflict {
			t.Errorf("the same once more: %v", err)
		}
		all, err := s.SealCertificates(ctx)
		if err != nil || len(all) != 3 || all[0].ID != b.ID || all[2].Subject != "a" || !all[2].HasKeys || all[1].HasKeys || all[0].Warned != store.NotWarned {
			t.Fatalf("they are %+v, %v", all, err)
		}
		if !all[2].UsedUntil.Equal(switched) || !all[1].UsedUntil.IsZero() || !all[0].UsedFrom.Equal(switched) {
			t.Errorf("used: %+v", all)
		}
		if id, err := s.UsedSealCertificate(ctx); id != b.ID || err != nil {
			t.Errorf("%d is used, %v", id, err)
		}
		if n, err := s.CountSealCertificates(ctx); n != 3 || err != nil {
			t.Errorf("they are %d, %v", n, err)
		}
		if keys, err := s.SealKeys(ctx, all[2]); string(keys) != "keys of a" || err != nil {
			t.Errorf("the keys of a are %q, %v", keys, err)
		}
		if _, err := s.SealKeys(ctx, all[1]); paraph.KindOf(err) != paraph.Conflict {
			t.Errorf("keys that are not here: %v", err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.GiveSealKeys(ctx, o, store.SealGenerated, []byte("found")) })
		if got, err := s.SealCertificateBy(ctx, o.Fingerprint); err != nil || !got.HasKeys || got.Source != store.SealGenerated {
			t.Errorf("with its keys it is %+v, %v", got, err)
		}
	})
}

// TestSealWarnings: of two that tell of the same, one does.
func TestSealWarnings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		c := sealCertificate("c", s.Now())
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertSealCertificate(ctx, &c, nil) })
		for i, want := range []struct {
			days  int
			first bool
		}{{60, true}, {60, false}, {7, true}, {30, false}, {0, true}, {0, false}} {
			storetest.Update(t, s, func(tx *store.Tx) error {
				first, err := tx.NoteSealWarning(ctx, c.ID, want.days)
				if first != want.first {
					t.Errorf("%d: of %d days: %v", i, want.days, first)
				}
				return err
			})
		}
	})
}

// TestSealKeysAndTheSecretKey: a new secret key encrypts them anew, and a lost
// one leaves the certificates.
func TestSealKeysAndTheSecretKey(t *testing.T) {
	for _, engine := range storetest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			address := storetest.Address(t, engine)
			s := reopened(t, address, vaultOf(t, 1))
			c := sealCertificate("c", s.Now())
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertSealCertificate(ctx, &c, []byte("the keys")) })
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.UseSealCertificate(ctx, c.ID) })
			check(t, s.Close())
			check(t, reopened(t, address, vaultOf(t, 2, 1)).Close())
			s = reopened(t, address, vaultOf(t, 2))
			if keys, err := s.SealKeys(ctx, c); string(keys) != "the keys" || err != nil {
				t.Errorf("under the new key: %q, %v", keys, err)
			}
			check(t, s.Close())
			s = reopened(t, address, nil)
			if _, err := s.SealKeys(ctx, c); err == nil || errors.Is(err, vault.ErrDamaged) {
				t.Errorf("without a key: %v", err)
			}
			_, err := s.ForgetSecrets(ctx, "lost")
			check(t, err)
			got, err := s.SealCertificate(ctx, c.ID)
			used, uerr := s.UsedSealCertificate(ctx)
			if err != nil || uerr != nil || got.HasKeys || got.UsedUntil.IsZero() || used != 0 || got.Anchor != c.Anchor {
				t.Errorf("forgotten it is %+v, %d is used, %v, %v", got, used, err, uerr)
			}
			check(t, s.Close())
		})
	}
}

func TestHurryJobsAndOwners(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		_, first := storetest.Space(t, s, "ada")
		due := s.Now().Add(time.Hour)
		storetest.Update(t, s, func(tx *store.Tx) error {
			for _, kind := range []string{"seal", "mail"} {
				if err := tx.InsertJob(ctx, &store.Job{Kind: kind, DueAt: due}); err != nil {
					return err
				}
			}
			return nil
		})
		storetest.Update(t, s, func(tx *store.Tx) error {
			n, err := tx.HurryJobs(ctx, "seal")
			if n != 1 {
				t.Errorf("%d were hurried", n)
			}
			return err
		})
		for kind, want := range map[string]time.Time{"seal": clock.Now(), "mail": due} {
			if next, err := s.JobNext(ctx, kind); !next.Equal(want) || err != nil {
				t.Errorf("%s is due at %v, %v", kind, next, err)
			}
		}
		owner := paraph.User{Email: "owner@example.com", Name: "Owner", Owner: true, CreatedAt: s.Now(), UpdatedAt: s.Now()}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertUser(ctx, &owner) })
		owners, err := s.Owners(ctx)
		if err != nil || len(owners) == 0 || owners[len(owners)-1].ID != owner.ID || first.Owner != (len(owners) == 2) {
			t.Errorf("the owners are %+v, %v", owners, err)
		}
		if n, err := s.CountUnsealed(ctx); n != 0 || err != nil {
			t.Errorf("%d wait, %v", n, err)
		}
	})
}
