package store_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

func TestSignedParts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		a, u := storetest.Space(t, s, "ann")
		e := storetest.Envelope(t, s, a.ID, u.ID, "Lease")
		if parts, err := s.SignedParts(ctx, e.ID); err != nil || len(parts) != 0 {
			t.Fatalf("at first: %v, %v", parts, err)
		}
		var want []paraph.SignedPart
		insert := func(p paraph.SignedPart) error {
			return s.Update(ctx, func(tx *store.Tx) error { return tx.InsertSignedPart(ctx, p) })
		}
		for i, r := range e.Recipients[:2] {
			p := paraph.SignedPart{EnvelopeID: e.ID, Position: i + 1, RecipientID: r.ID, Documents: map[int64]string{e.Documents[0].ID: "digest"}, Serial: "0a", Fingerprint: "ff", CreatedAt: s.Now()}
			if err := insert(p); err != nil {
				t.Fatal(err)
			}
			want = append(want, p)
		}
		position, recipient := want[1], want[1]
		position.RecipientID, recipient.Position = e.Recipients[0].ID, 3
		for _, p := range []paraph.SignedPart{want[0], position, recipient} {
			if err := insert(p); paraph.KindOf(err) != paraph.Conflict {
				t.Errorf("position %d of recipient %d once more: %v", p.Position, p.RecipientID, err)
			}
		}
		if got, err := s.SignedParts(ctx, e.ID); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("read %+v, %v; want %+v", got, err, want)
		}
	})
}

// TestAuthorityOfRecipients: the first one stays, encrypted, with a new key as
// well, and its certificate outlives the key.
func TestAuthorityOfRecipients(t *testing.T) {
	for _, engine := range storetest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			address := storetest.Address(t, engine)
			s := reopened(t, address, vaultOf(t, 1))
			set := func(key, certificate string) {
				t.Helper()
				storetest.Update(t, s, func(tx *store.Tx) error { return tx.SetAuthority(ctx, []byte(key), []byte(certificate)) })
			}
			want := func(key, certificates string) {
				t.Helper()
				got, err := s.Authority(ctx)
				if err != nil || string(got) != key {
					t.Errorf("the authority is %q, %v; want %q", got, err, key)
				}
				if all, err := s.Authorities(ctx); err != nil || string(all) != certificates {
					t.Errorf("the certificates are %q, %v; want %q", all, err, certificates)
				}
			}
			want("", "")
			set("key 1", "one\n")
			set("key 2", "two\n")
			want("key 1", "one\n")
			if stored, err := s.Setting(ctx, "recipients_authority"); err != nil || bytes.Contains([]byte(stored), []byte("key 1")) {
				t.Errorf("what is stored is %q, %v", stored, err)
			}
			s = reopened(t, address, vaultOf(t, 2, 1))
			want("key 1", "one\n")
			s = reopened(t, address, vaultOf(t, 2))
			want("key 1", "one\n")
			if _, err := s.ForgetSecrets(ctx, "lost"); err != nil {
				t.Fatal(err)
			}
			want("", "one\n")
			set("key 3", "three\n")
			want("key 3", "one\nthree\n")
		})
	}
}
