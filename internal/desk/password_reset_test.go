package desk_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// TestResetPasswordOnce lets several use a mailed link at the same moment: one
// may.
func TestResetPasswordOnce(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ada")
		if err := w.Desk.ForgotPassword(t.Context(), p.User.Email, "203.0.113.5"); err != nil {
			t.Fatal(err)
		}
		w.RunDue(t)
		_, token, ok := strings.Cut(w.Mail.List()[0].Text, "/reset/")
		if !ok {
			t.Fatal("the mail has no link")
		}
		token = strings.Fields(token)[0]
		errs := make([]error, 4)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { _, errs[i] = w.Desk.ResetPassword(t.Context(), token, "a good password of mine") })
		}
		all.Wait()
		worked := 0
		for _, err := range errs {
			if err == nil {
				worked++
			} else if paraph.KindOf(err) != paraph.NotFound {
				t.Error(err)
			}
		}
		if worked != 1 {
			t.Errorf("the link worked %d times", worked)
		}
	})
}
