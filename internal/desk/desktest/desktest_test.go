package desktest_test

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

func TestWorld(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		signed, err := w.Store.APITokenByToken(t.Context(), p.Token, w.Store.Now())
		if err != nil || signed.User.ID != p.User.ID || signed.Space.ID != p.Who.AccountID {
			t.Errorf("the token leads to %+v, %v", signed, err)
		}
		doc, err := w.Desk.Prepare(t.Context(), "agreement.pdf", desktest.PDF(3))
		if err != nil || len(doc.Pages) != 3 || doc.Uploaded != doc.Original {
			t.Errorf("the sample PDF is prepared as %+v, %v", doc, err)
		}
		before := w.Store.Now()
		w.Clock.Advance(time.Hour)
		if got := w.Store.Now().Sub(before); got != time.Hour {
			t.Errorf("the store's clock moved by %v", got)
		}
		w.RunDue(t)
	})
}
