package store_test

import (
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// TestSealedHere recognises every file that was ever a sealed one, and no original.
func TestSealedHere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		e := storetest.Envelope(t, s, a.ID, u.ID, "Lease")
		digest := func(c string) string { return strings.Repeat(c, 64) }
		seal := func(document, log string) {
			t.Helper()
			err := s.Update(t.Context(), func(tx *store.Tx) error {
				was, err := tx.Envelope(t.Context(), a.ID, e.ID)
				if err != nil {
					return err
				}
				now, err := tx.Envelope(t.Context(), a.ID, e.ID)
				if err != nil {
					return err
				}
				now.Documents[0].Sealed, now.AuditLog = document, log
				return tx.SaveEnvelope(t.Context(), was, &now)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		seal(digest("a"), digest("b"))
		seal(digest("c"), digest("b")) // a timestamp was added
		for d, want := range map[string]bool{digest("a"): true, digest("b"): true, digest("c"): true, digest("d"): false, e.Documents[0].Original: false, "": false} {
			got, err := s.SealedHere(t.Context(), d)
			if err != nil || got != want {
				t.Errorf("%.8s…: %v, %v; want %v", d, got, err, want)
			}
		}
	})
}
