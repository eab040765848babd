package web

import "net/http"

// home leads on: the first visitor makes the owner, others sign in or work.
func (s *server) home(w http.ResponseWriter, r *http.Request) error {
	if _, ok := signedOf(r); ok {
		return redirect(w, r, start)
	}
	some, err := s.Store.HasUsers(r.Context())
	if err != nil {
		return err
	}
	if !some {
		return redirect(w, r, "/setup")
	}
	return redirect(w, r, "/signin")
}
