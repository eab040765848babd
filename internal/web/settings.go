package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/settings"
)

func (s *server) settingsHome(w http.ResponseWriter, r *http.Request) error {
	return redirect(w, r, "/settings/profile")
}

// setting runs the verb of a settings' form. What is wrong with the form is
// shown in it again; else the page says what was done.
func (s *server) setting(w http.ResponseWriter, r *http.Request, to, done string, verb func(ctx context.Context, f form) error, again func(f form, wrong kit.Wrong) templ.Component) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	shown, rest := oops(verb(r.Context(), f))
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		return s.page(w, r, statusOf(shown), again(f, wrong(shown)), kit.Page{Title: "User settings"})
	}
	s.flash(w, kit.Success, done)
	return redirect(w, r, to)
}

func (s *server) profilePage(w http.ResponseWriter, r *http.Request) error {
	u := s.signed(r).User
	notices, err := s.ownersNotice(r)
	if err != nil {
		return err
	}
	return s.page(w, r, http.StatusOK, settings.ProfilePage(settings.Profile{Owner: u.Owner, Name: u.Name, Email: u.Email}), kit.Page{Title: "Profile", Flash: notices})
}

func (s *server) profile(w http.ResponseWriter, r *http.Request) error {
	u := s.signed(r).User
	return s.setting(w, r, "/settings/profile", "Your profile is saved.", func(ctx context.Context, f form) error {
		if f.Get("password") != "" {
			if err := s.guess(u); err != nil {
				return err
			}
		}
		_, err := s.Desk.SetProfile(ctx, u.ID, f.Get("name"), f.Get("email"), f.Get("password"))
		return err
	}, func(f form, wrong kit.Wrong) templ.Component {
		return settings.ProfilePage(settings.Profile{Owner: u.Owner, Name: f.Get("name"), Email: f.Get("email"), Wrong: wrong})
	})
}

// guess spends one of the tries that a user has at their own password.
func (s *server) guess(u paraph.User) error {
	return s.tries.check(s.Store.Now(), "password "+strconv.FormatInt(u.ID, 10))
}

func (s *server) passwordPage(w http.ResponseWriter, r *http.Request) error {
	u := s.signed(r).User
	return s.page(w, r, http.StatusOK, settings.PasswordPage(settings.Password{Owner: u.Owner, Email: u.Email}), kit.Page{Title: "Password"})
}

func (s *server) password(w http.ResponseWriter, r *http.Request) error {
	signed := s.signed(r)
	u := signed.User
	return s.setting(w, r, "/settings/password", "Your password is changed; you are signed out everywhere else.", func(ctx context.Context, f form) error {
		if err := s.guess(u); err != nil {
			return err
		}
		return s.Desk.SetPassword(ctx, signed.Session, f.Get("old_password"), f.Get("password"))
	}, func(_ form, wrong kit.Wrong) templ.Component {
		return settings.PasswordPage(settings.Password{Owner: u.Owner, Email: u.Email, Wrong: wrong})
	})
}

func (s *server) instancePage(w http.ResponseWriter, r *http.Request) error {
	if !s.signed(r).User.Owner {
		return errNotOwner
	}
	open, err := s.Desk.SignupsOpen(r.Context())
	if err != nil {
		return err
	}
	notices, err := s.ownersNotice(r)
	if err != nil {
		return err
	}
	return s.page(w, r, http.StatusOK, settings.InstancePage(settings.Instance{Owner: true, SignUps: open}), kit.Page{Title: "Instance", Flash: notices})
}

var errNotOwner = paraph.Errorf(paraph.Forbidden, "Only the owner of this server can see and change this.")

func (s *server) instance(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	open, done := f.Get("signups") != "", "Sign-up is closed now."
	if open {
		done = "Sign-up is open now."
	}
	return s.settle(w, r, "/settings/instance", done, s.Desk.SetSignups(r.Context(), s.who(r), open))
}
