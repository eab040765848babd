package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
)

type userCmd struct {
	Create userCreateCmd `cmd:"" help:"Add a user with a personal space. The first one owns the instance."`
}

type userCreateCmd struct {
	world
	Email         string `help:"Their address." required:""`
	Name          string `help:"Their name." required:""`
	PasswordStdin bool   `name:"password-stdin" help:"Read the password from the first line of standard input." required:""`
}

// Run adds a user, even while the sign-up page is closed.
func (c *userCreateCmd) Run(s *streams) error {
	line, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && line == "" {
		return errors.New("no password came on standard input")
	}
	return c.with(func(ctx context.Context, d *desk.Desk, _ *store.Store) error {
		u, err := d.SignUp(ctx, desk.NewUser{Email: c.Email, Name: c.Name, Password: strings.TrimRight(line, "\r\n")}, true)
		if err == nil {
			fmt.Fprintf(s.out, "%s <%s> can sign in\n", u.Name, u.Email)
		}
		return err
	})
}

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make an API token and print it alone: it can't be read again."`
}

type tokenCreateCmd struct {
	world
	Email string `help:"Address of the user whose token it is." required:""`
	Name  string `help:"What the token is for." required:""`
}

// Run makes a token for the user's personal space.
func (c *tokenCreateCmd) Run(s *streams) error {
	return c.with(func(ctx context.Context, d *desk.Desk, st *store.Store) error {
		email, err := paraph.ParseEmail("email", c.Email)
		if err != nil {
			return err
		}
		u, err := st.UserByEmail(ctx, email)
		if err != nil {
			return err
		}
		spaces, err := st.Spaces(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(spaces) == 0 {
			return errors.New("this user has no space")
		}
		token, _, err := d.CreateToken(ctx, desk.Who{AccountID: spaces[0].ID, UserID: u.ID}, c.Name)
		if err == nil {
			fmt.Fprintln(s.out, token)
		}
		return err
	})
}

// with opens the database beside a server that may be running, for the verbs
// that need nothing else.
func (w world) with(f func(ctx context.Context, d *desk.Desk, st *store.Store) error) error {
	ctx := context.Background()
	if err := w.makeData(); err != nil {
		return err
	}
	st, _, err := w.open(ctx, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	return errors.Join(f(ctx, desk.ForAccounts(st), st), st.Close())
}
