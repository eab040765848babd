package web

import (
	"net/http"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/settings"
)

func (s *server) tokensView(r *http.Request) (v settings.Tokens, err error) {
	signed := s.signed(r)
	v = settings.Tokens{Owner: signed.User.Owner, Space: signed.Space.Name, Base: s.Desk.Links.Base, Now: s.Store.Now()}
	all, err := s.Store.APITokens(r.Context(), signed.Space.ID, signed.User.ID)
	for _, t := range all {
		v.All = append(v.All, settings.Token{ID: t.ID, Name: t.Name, Hint: t.Hint, Created: t.CreatedAt, Used: t.LastUsedAt})
	}
	return v, err
}

func (s *server) tokensPage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.tokensView(r)
	if err != nil {
		return err
	}
	v.Open = r.URL.Query().Get("do")
	return s.page(w, r, http.StatusOK, settings.TokensPage(v), kit.Page{Title: "API tokens"})
}

// newToken answers with the token itself: there is no other time to read it,
// and no place where it could wait for a redirect.
func (s *server) newToken(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	token, t, err := s.Desk.CreateToken(r.Context(), s.who(r), f.Get("name"))
	shown, rest := oops(err)
	if rest != nil {
		return rest
	}
	v, err := s.tokensView(r)
	if err != nil {
		return err
	}
	v.Name, v.Wrong = f.Get("name"), wrong(shown)
	if shown != nil {
		return s.page(w, r, statusOf(shown), settings.TokensPage(v), kit.Page{Title: "API tokens"})
	}
	v.Name, v.New = t.Name, token
	return s.page(w, r, http.StatusCreated, settings.TokensPage(v), kit.Page{Title: "API tokens"})
}

func (s *server) deleteToken(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	return s.settle(w, r, "/settings/tokens", "The token is revoked.", s.Desk.DeleteToken(r.Context(), s.who(r), id))
}
