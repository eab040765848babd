package web

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/web/ui/account"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// card writes a page of one card: the pages of people who are not signed in.
func (s *server) card(w http.ResponseWriter, r *http.Request, status int, title string, content templ.Component) error {
	p := s.head(w, r, kit.Page{Title: title, NoIndex: true})
	ctx := templ.WithChildren(r.Context(), content)
	return render(w, r.WithContext(ctx), status, kit.AuthLayout(p))
}

// wrong is an error as a form shows it.
func wrong(e *paraph.Error) kit.Wrong {
	if e == nil {
		return kit.Wrong{}
	}
	return kit.Wrong{Field: e.Field, Text: e.Message}
}

// noneYet sends everybody to the first visit's page while there is no user;
// sent says that it did.
func (s *server) noneYet(w http.ResponseWriter, r *http.Request) (sent bool, err error) {
	some, err := s.Store.HasUsers(r.Context())
	if err != nil || some {
		return false, err
	}
	return true, redirect(w, r, "/setup")
}

func (s *server) setupPage(w http.ResponseWriter, r *http.Request) error {
	some, err := s.Store.HasUsers(r.Context())
	if err != nil {
		return err
	}
	if some {
		return redirect(w, r, "/signin")
	}
	return s.card(w, r, http.StatusOK, "Welcome", account.SetupPage(account.SignUp{Action: "/setup"}))
}

func (s *server) setup(w http.ResponseWriter, r *http.Request) error {
	some, err := s.Store.HasUsers(r.Context())
	if err != nil {
		return err
	}
	if some {
		return paraph.Errorf(paraph.Conflict, "This server has an owner already. Sign in, or ask them for an invitation.")
	}
	return s.newUser(w, r, "Welcome", "/setup", account.SetupPage)
}

func (s *server) signUpPage(w http.ResponseWriter, r *http.Request) error {
	if sent, err := s.noneYet(w, r); sent || err != nil {
		return err
	}
	to := safePath(r.URL.Query().Get("next"))
	if _, ok := signedOf(r); ok {
		return redirect(w, r, orStart(to))
	}
	open, err := s.Desk.SignupsOpen(r.Context())
	if err != nil {
		return err
	}
	if !open {
		return s.card(w, r, http.StatusForbidden, "Sign-up is closed", account.ClosedPage())
	}
	return s.card(w, r, http.StatusOK, "Create an account", account.SignUpPage(account.SignUp{Action: "/signup", Next: to}))
}

func (s *server) signUp(w http.ResponseWriter, r *http.Request) error {
	open, err := s.Desk.SignupsOpen(r.Context())
	if err != nil {
		return err
	}
	if !open {
		return s.card(w, r, http.StatusForbidden, "Sign-up is closed", account.ClosedPage())
	}
	return s.newUser(w, r, "Create an account", "/signup", account.SignUpPage)
}

// newUser makes a user from a form, signs them in, or shows the form again.
func (s *server) newUser(w http.ResponseWriter, r *http.Request, title, action string, again func(account.SignUp) templ.Component) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	to := safePath(f.Get("next"))
	u, err := paraph.User{}, s.tries.check(s.Store.Now(), "signup "+s.caller(r))
	if err == nil {
		u, err = s.Desk.SignUp(r.Context(), desk.NewUser{Email: f.Get("email"), Name: f.Get("name"), Password: f.Get("password")}, false)
	}
	if err == nil {
		_, err = s.openSession(w, r, u)
	}
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		v := account.SignUp{Action: action, Email: f.Get("email"), Name: f.Get("name"), Next: to, Wrong: wrong(shown)}
		return s.card(w, r, statusOf(shown), title, again(v))
	}
	return redirect(w, r, orStart(to))
}

func (s *server) forgotPage(w http.ResponseWriter, r *http.Request) error {
	return s.card(w, r, http.StatusOK, "Forgotten password", account.ForgotPage(account.Forgot{}))
}

// forgot answers the same whether the address is known or not.
func (s *server) forgot(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	email, err := paraph.ParseEmail("email", f.Get("email"))
	if err == nil {
		err = s.tries.check(s.Store.Now(), "forgot "+s.caller(r), "forgot "+email)
	}
	if err == nil {
		err = s.Desk.ForgotPassword(r.Context(), email, s.ip(r))
	}
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		return s.card(w, r, statusOf(shown), "Forgotten password", account.ForgotPage(account.Forgot{Email: f.Get("email"), Wrong: wrong(shown)}))
	}
	return s.card(w, r, http.StatusOK, "Look into your mail", account.ForgottenPage(email))
}

// deadReset says that a link is worth nothing any more.
func (s *server) deadReset(w http.ResponseWriter, r *http.Request) error {
	return s.card(w, r, http.StatusNotFound, "This link is no longer valid", account.DeadPage(
		"A link to set a password works once and for one hour. Ask for a new one.",
		kit.Button{Label: "Ask for a new link", Href: "/forgot", Kind: kit.Main, Wide: true}))
}

func (s *server) resetPage(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	u, err := s.Store.UserByReset(r.Context(), token, s.Store.Now())
	if paraph.KindOf(err) == paraph.NotFound {
		return s.deadReset(w, r)
	}
	if err != nil {
		return err
	}
	return s.card(w, r, http.StatusOK, "Set a new password", account.ResetPage(account.Reset{Token: token, Email: u.Email}))
}

func (s *server) reset(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	token, u := r.PathValue("token"), paraph.User{}
	if err = s.tries.check(s.Store.Now(), "reset "+s.caller(r)); err == nil {
		u, err = s.Desk.ResetPassword(r.Context(), token, f.Get("password"))
	}
	if paraph.KindOf(err) == paraph.NotFound {
		return s.deadReset(w, r)
	}
	if err == nil {
		_, err = s.openSession(w, r, u)
	}
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		return s.card(w, r, statusOf(shown), "Set a new password", account.ResetPage(account.Reset{Token: token, Email: u.Email, Wrong: wrong(shown)}))
	}
	s.flash(w, kit.Success, "Your password is set, and you are signed in.")
	return redirect(w, r, start)
}
