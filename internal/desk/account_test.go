package desk_test

import (
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
)

// jobs counts the mails that wait to be sent.
func jobs(t *testing.T, w *desktest.World) int {
	t.Helper()
	n, err := w.Desk.RunDue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Asking for a link does the same for an address that is known as for one that
// is not, and fills nobody's mailbox.
func TestForgotPasswordTellsAndFillsNothing(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ada")
		forget := func(email string) {
			t.Helper()
			if err := w.Desk.ForgotPassword(t.Context(), email, "203.0.113.5"); err != nil {
				t.Fatal(err)
			}
		}
		forget("nobody@example.com")
		if n := jobs(t, w); n != 1 {
			t.Errorf("an unknown address queued %d jobs, a known one queues 1", n)
		}
		if n := len(w.Mail.List()); n != 0 {
			t.Fatalf("%d mails went to nobody", n)
		}
		for range 8 {
			forget(p.User.Email)
		}
		if n := jobs(t, w); n != 8 {
			t.Errorf("%d jobs ran, want 8", n)
		}
		if n := len(w.Mail.List()); n != 3 {
			t.Errorf("%d mails were sent, want 3", n)
		}
		w.Clock.Advance(desk.ResetAge + time.Second)
		forget(p.User.Email)
		w.RunDue(t)
		if n := len(w.Mail.List()); n != 4 {
			t.Errorf("%d mails were sent after an hour, want 4", n)
		}
	})
}

// A link that was mailed to an address ends when the user has another one.
func TestNewAddressEndsResets(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ada")
	err := w.Store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertPasswordReset(t.Context(), p.User.ID, "mailed", tx.Now().Add(time.Hour))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Desk.SetProfile(t.Context(), p.User.ID, "Ada L.", p.User.Email, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Store.UserByReset(t.Context(), "mailed", w.Store.Now()); err != nil {
		t.Errorf("a new name ended the link: %v", err)
	}
	if _, err := w.Desk.SetProfile(t.Context(), p.User.ID, "Ada L.", "new@example.com", desktest.Password); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Store.UserByReset(t.Context(), "mailed", w.Store.Now()); paraph.KindOf(err) != paraph.NotFound {
		t.Errorf("the link still works: %v", err)
	}
}

// Who proved an old password while a new one was set is not signed in.
func TestOldPasswordOpensNothing(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ada")
	before, err := w.Store.User(t.Context(), p.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Desk.SetPassword(t.Context(), paraph.Session{UserID: p.User.ID}, desktest.Password, "another good password"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Desk.OpenSession(t.Context(), before, "203.0.113.5", "test"); paraph.KindOf(err) != paraph.Unauthenticated {
		t.Errorf("a session was opened: %v", err)
	}
	if _, err := w.Desk.SignIn(t.Context(), p.User.Email, "another good password", "203.0.113.5", "test"); err != nil {
		t.Error(err)
	}
}
