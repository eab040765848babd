package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/web/ui/account"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// start is the page that people work from.
const start = "/envelopes"

// safePath returns a path of ours, or "". What a browser would read as another
// site (it drops control characters and takes \ for /) is not ours.
func safePath(to string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "":
		return ""
	case !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsRune(to, '\\') || paraph.CleanLine(to) != to:
		return ""
	case strings.HasPrefix(u.Path, "//") || strings.ContainsRune(u.Path, '\\'):
		return ""
	}
	return to
}

func orStart(to string) string {
	if to == "" {
		return start
	}
	return to
}

func (s *server) signInPage(w http.ResponseWriter, r *http.Request) error {
	if sent, err := s.noneYet(w, r); sent || err != nil {
		return err
	}
	to := safePath(r.URL.Query().Get("next"))
	if _, ok := signedOf(r); ok {
		return redirect(w, r, orStart(to))
	}
	return s.showSignIn(w, r, http.StatusOK, account.SignIn{Next: to})
}

func (s *server) showSignIn(w http.ResponseWriter, r *http.Request, status int, v account.SignIn) (err error) {
	if v.Open, err = s.Desk.SignupsOpen(r.Context()); err != nil {
		return err
	}
	return s.card(w, r, status, "Sign in", account.SignInPage(v))
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	v := account.SignIn{Email: f.Get("email"), Next: safePath(f.Get("next"))}
	token := ""
	// The caller's own tries are spent first: who has none left can't spend those of an address.
	err = s.tries.check(s.Store.Now(), "signin "+s.caller(r), "signin "+paraph.TokenHash(strings.ToLower(strings.TrimSpace(v.Email))))
	if err == nil {
		token, err = s.Desk.SignIn(r.Context(), v.Email, f.Get("password"), s.ip(r), r.UserAgent())
	}
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		v.Wrong = wrong(shown)
		return s.showSignIn(w, r, statusOf(shown), v)
	}
	if err := s.replaceSession(w, r, token); err != nil {
		return err
	}
	return redirect(w, r, orStart(v.Next))
}

// openSession signs in a user whose identity has been checked.
func (s *server) openSession(w http.ResponseWriter, r *http.Request, u paraph.User) (token string, err error) {
	if token, err = s.Desk.OpenSession(r.Context(), u, s.ip(r), r.UserAgent()); err != nil {
		return "", err
	}
	return token, s.replaceSession(w, r, token)
}

// replaceSession gives the browser a session and ends the one that it had.
func (s *server) replaceSession(w http.ResponseWriter, r *http.Request, token string) error {
	if was, ok := signedOf(r); ok {
		if err := s.Desk.SignOut(r.Context(), was.Session.ID); err != nil {
			return err
		}
	}
	s.setSession(w, token)
	return nil
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	if was, ok := signedOf(r); ok {
		if err := s.Desk.SignOut(r.Context(), was.Session.ID); err != nil {
			return err
		}
	}
	s.dropSession(w)
	if to := safePath(f.Get("next")); to != "" {
		return redirect(w, r, to)
	}
	s.flash(w, kit.Success, "You are signed out.")
	return redirect(w, r, "/signin")
}

// settle ends a verb without a form of its own: the page it came from says
// what was done, or what the rules refused.
func (s *server) settle(w http.ResponseWriter, r *http.Request, to, done string, err error) error {
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil && wantsJSON(r):
		return shown
	case shown != nil:
		s.flash(w, kit.Error, shown.Message)
	case done != "":
		s.flash(w, kit.Success, done)
	}
	return redirect(w, r, to)
}

// signed is who the request comes from; only for routes that ask for it.
func (s *server) signed(r *http.Request) store.Signed {
	signed, _ := signedOf(r)
	return signed
}
