package api

import (
	"context"

	"github.com/paraph-sign/paraph/internal/webhook"
)

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

// EventType is an event that webhooks can ask for.
type EventType struct {
	Name    string `json:"name" doc:"As webhooks ask for it." example:"form.completed"`
	Wire    string `json:"wire" doc:"As the body says it."`
	Dialect string `json:"dialect" doc:"documenso or docuseal: whose shape the body has."`
	About   string `json:"about" doc:"When it happens."`
}

// EventTypes are all of them.
type EventTypes struct {
	Data []EventType `json:"data"`
}

func (a *api) listEventTypes(context.Context, *struct{}) (EventTypes, error) {
	var out EventTypes
	for _, n := range webhook.Names() {
		out.Data = append(out.Data, EventType{n.Name, n.Wire, string(n.Dialect), n.About})
	}
	return out, nil
}
