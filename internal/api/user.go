package api

import "context"

// TokenUser is whom a token belongs to.
type TokenUser struct {
	ID        int64  `json:"id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
	Account   Space  `json:"account" doc:"The space that the token works in."`
}

// Space is an account.
type Space struct {
	ID   int64  `json:"id"`
	Kind string `json:"kind" doc:"personal or team."`
	Name string `json:"name"`
}

func (a *api) getUser(ctx context.Context, _ *struct{}) (TokenUser, error) {
	s := callOf(ctx).signed
	return TokenUser{
		ID: s.User.ID, FirstName: s.User.FirstName(), LastName: s.User.LastName(), Email: s.User.Email,
		Account: Space{s.Space.ID, string(s.Space.Kind), s.Space.Name},
	}, nil
}
