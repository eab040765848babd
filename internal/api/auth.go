package api

import (
	"net/http"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
)

// authenticated lets in whoever has a token.
func (a *api) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.identify(r); err != nil {
			a.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// identify finds out whose token a request carries, and notes its use.
func (a *api) identify(r *http.Request) error {
	token := tokenOf(r)
	if token == "" {
		return paraph.Errorf(paraph.Unauthenticated, "Not authenticated: send an API token in the header X-Auth-Token.")
	}
	signed, err := a.store.APITokenByToken(r.Context(), token, a.cfg.Store.Now())
	if paraph.KindOf(err) == paraph.NotFound {
		return paraph.Errorf(paraph.Unauthenticated, "Not authenticated: this API token is unknown, revoked or expired.")
	}
	if err != nil {
		return err
	}
	c := callOf(r.Context())
	c.signed = signed
	c.who = desk.Who{AccountID: signed.Space.ID, UserID: signed.User.ID, Actor: paraph.Actor{
		Kind: paraph.ByAPI, UserID: signed.User.ID, Name: signed.User.Name, Email: signed.User.Email,
		IP: a.cfg.ClientIP(r), UserAgent: paraph.Shorten(paraph.CleanLine(r.UserAgent()), 400),
	}}
	if err := a.desk.TokenUsed(r.Context(), signed.Token); err != nil {
		a.log.Warn("the use of an API token was not noted", "request", c.id, "error", err)
	}
	return nil
}

// tokenOf is the token in either header, "" for none. Tokens are bounded so
// that nobody makes us hash megabytes.
func tokenOf(r *http.Request) string {
	token := r.Header.Get("X-Auth-Token")
	if token == "" {
		scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "Bearer") {
			token = strings.TrimSpace(rest)
		}
	}
	if len(token) > 200 {
		return "x"
	}
	return token
}
